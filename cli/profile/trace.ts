/**
 * The profile as a trace for https://ui.perfetto.dev and chrome://tracing.
 *
 * @see https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
 * @module
 */
import type { Measured } from "./measure.ts";
import { operatorsOf } from "./report.ts";

/** An event of a trace. Times are in microseconds. */
export interface TraceEvent {
  readonly name: string;
  readonly cat?: string;
  /** `"X"` is an event with a duration, `"M"` the name of a process or thread. */
  readonly ph: "X" | "M";
  readonly ts?: number;
  readonly dur?: number;
  readonly pid: number;
  readonly tid: number;
  readonly args: Readonly<Record<string, unknown>>;
}

const PLACE = { pid: 1, tid: 1 };

/** Makes the trace of one run: an event for the run, and in it one for each node of the engine. */
export function traceOf(model: string, { description, profile }: Measured): { traceEvents: TraceEvent[] } {
  return {
    traceEvents: [
      { name: "process_name", ph: "M", ...PLACE, args: { name: `webnn profile ${model}` } },
      { name: "thread_name", ph: "M", ...PLACE, args: { name: "run" } },
      { name: "run", cat: "run", ph: "X", ts: 0, dur: 1000 * profile.time, ...PLACE, args: { runs: profile.runs } },
      ...profile.nodes.map((node): TraceEvent => ({
        name: node.operator,
        cat: node.kernel,
        ph: "X",
        ts: 1000 * node.start,
        dur: 1000 * node.time,
        ...PLACE,
        args: {
          node: node.name,
          kernel: node.kernel,
          provider: node.provider,
          operators: operatorsOf(node, description).join(" + "),
          output_bytes: node.outputBytes,
        },
      })),
    ],
  };
}
