/**
 * Reads the events of ONNX Runtime's profiler: the durations of runs and nodes.
 *
 * @module
 */

/** The measurement of a node. Times are in milliseconds, means over several runs. */
export interface MeasuredNode {
  readonly name: string;
  readonly kernel: string;
  readonly provider: string;
  /** Since the start of the run. */
  readonly start: number;
  readonly time: number;
  readonly outputBytes: number;
}

/** The measurements of a session's runs. */
export interface MeasuredRuns {
  /** The number of runs. */
  readonly runs: number;
  /** The duration of a run, in milliseconds. */
  readonly time: number;
  readonly nodes: readonly MeasuredNode[];
}

/** An event in Chrome's trace format. Times are in microseconds. */
interface TraceEvent {
  readonly cat: string;
  readonly name: string;
  readonly ts: number;
  readonly dur: number;
  readonly args: { readonly op_name?: string; readonly provider?: string; readonly output_size?: string };
}

interface Run {
  readonly event: TraceEvent;
  readonly nodes: readonly TraceEvent[];
}

const RUN = "model_run";
const KERNEL = "_kernel_time";

/**
 * Reads the events. The averages leave out the first run, which allocates memory, and the slower half of the others:
 * other programs have delayed them.
 */
export function readEvents(json: string): MeasuredRuns {
  const runs = runsOf(JSON.parse(json));
  if (runs.length === 0) return { runs: 0, time: 0, nodes: [] };
  const warm = runs.length > 1 ? runs.slice(1) : runs;
  const quick = warm.toSorted((a, b) => a.event.dur - b.event.dur).slice(0, Math.ceil(warm.length / 2));
  const names = quick[0]!.nodes.map(({ name }) => name);
  // If an engine runs different nodes, or in a different order, its runs cannot be averaged node by node.
  const alike = quick.filter(({ nodes }) =>
    nodes.length === names.length && nodes.every(({ name }, i) => name === names[i])
  );
  return {
    runs: runs.length,
    time: mean(alike, ({ event }) => event.dur),
    nodes: quick[0]!.nodes.map(({ name, args }, i) => ({
      name: name.slice(0, -KERNEL.length),
      kernel: args.op_name ?? "",
      provider: args.provider ?? "",
      start: mean(alike, ({ event, nodes }) => nodes[i]!.ts - event.ts),
      time: mean(alike, ({ nodes }) => nodes[i]!.dur),
      outputBytes: Number(args.output_size ?? 0),
    })),
  };
}

/** The complete runs: the event of a run comes after those of its nodes. */
function runsOf(events: readonly TraceEvent[]): Run[] {
  const runs: Run[] = [];
  let nodes: TraceEvent[] = [];
  for (const event of events) {
    if (event.cat === "Node" && event.name.endsWith(KERNEL)) nodes.push(event);
    if (event.name !== RUN) continue;
    runs.push({ event, nodes });
    nodes = [];
  }
  return runs;
}

/** The mean, in milliseconds. */
function mean(runs: readonly Run[], microseconds: (run: Run) => number): number {
  return runs.reduce((sum, run) => sum + microseconds(run), 0) / runs.length / 1000;
}
