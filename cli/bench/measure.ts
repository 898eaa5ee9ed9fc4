/**
 * Measures contestants in turns, so that other load on the machine affects all of them alike.
 *
 * @module
 */
import type { TensorOutput } from "@webnn/deno/onnx";
import { median, quantile } from "simple-statistics";
import { elementsOf } from "../elements.ts";
import { messageOf } from "../errors.ts";
import type { Terminal } from "../terminal.ts";
import { type Contestant, startContestant } from "./contestant.ts";
import { decodeTensor, type Job } from "./protocol.ts";

/** The measurements of one device with one number of threads. Times are in milliseconds. */
export interface Row {
  /** The requested device, or the engine to compare with. */
  readonly device: string;
  readonly threads?: number | undefined;
  /** What ran the model, with its version. */
  readonly engine?: string;
  readonly load?: number;
  readonly first?: number;
  readonly median?: number;
  /** The quartiles of the times: half of the runs lie between `p25` and `p75`. */
  readonly p25?: number;
  readonly p75?: number;
  readonly runs?: number;
  /** Runs per second. */
  readonly ops?: number;
  readonly gflops?: number;
  /** How much the memory of the process has grown, in bytes. */
  readonly memory?: number;
  /** The largest difference from the outputs of the first row, relative to their largest element. */
  readonly error?: number;
  /** Why there are no measurements. */
  readonly failed?: string;
}

/** A job, and the name of its row. */
export interface Entry {
  readonly device: string;
  readonly job: Job;
}

const ROUNDS = 10;
/** The length of a turn of one contestant. */
const TURN_MS = 100;
const MAX_RUNS = 1000;

/** Measures all entries. `multiplyAdds` is the number per run of the model, if known. */
export async function measure(
  entries: readonly Entry[],
  multiplyAdds: number | undefined,
  terminal: Terminal,
): Promise<Row[]> {
  await using stack = new AsyncDisposableStack();
  const started: { entry: Entry; contestant?: Contestant; failed?: string; times: number[]; memory: number }[] = [];
  for (const entry of entries) {
    terminal.progress(`loading on ${titleOf(entry)} ...`);
    const state = { entry, times: [], memory: 0 };
    try {
      started.push({ ...state, contestant: stack.use(await startContestant(entry.job, terminal)) });
    } catch (error) {
      started.push({ ...state, failed: messageOf(error) });
    }
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const state of started) {
      if (state.failed !== undefined) continue;
      terminal.progress(`round ${round + 1} of ${ROUNDS}, ${titleOf(state.entry)} ...`);
      const time = state.times.length === 0 ? state.contestant!.loaded.first : median(state.times);
      const runs = Math.min(Math.max(Math.round(TURN_MS / time), 1), MAX_RUNS);
      try {
        const { times, memory } = await state.contestant!.run(runs);
        state.times.push(...times);
        state.memory = Math.max(state.memory, memory);
      } catch (error) {
        state.failed = messageOf(error);
      }
    }
  }
  const reference = started.find(({ failed }) => failed === undefined)?.contestant?.loaded;
  return started.map(({ entry, contestant, failed, times, memory }) => {
    const row = { device: entry.device, threads: entry.job.threads };
    if (failed !== undefined || contestant === undefined) return { ...row, failed: failed ?? "" };
    const { title, load, first, outputs } = contestant.loaded;
    const middle = median(times);
    return {
      ...row,
      engine: title,
      load,
      first,
      median: middle,
      p25: quantile(times, 0.25),
      p75: quantile(times, 0.75),
      runs: times.length,
      ops: 1000 / middle,
      ...multiplyAdds === undefined ? {} : { gflops: 2 * multiplyAdds / middle / 1e6 },
      memory,
      error: Math.max(
        0,
        ...Object.entries(reference!.outputs).map(([name, value]) => {
          const output = outputs[name];
          return output === undefined ? Infinity : difference(decodeTensor(value), decodeTensor(output));
        }),
      ),
    };
  });
}

function titleOf({ device, job: { threads } }: Entry): string {
  return threads === undefined ? device : `${device}, ${threads} thread${threads === 1 ? "" : "s"}`;
}

/** The largest difference between two tensors, relative to the largest element of the first. */
function difference(expected: TensorOutput, actual: TensorOutput): number {
  const [a, b] = [elementsOf(expected), elementsOf(actual)];
  if (a.length !== b.length) return Infinity;
  let [largest, error] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [Number(a[i]), Number(b[i])];
    if (Number.isFinite(x)) largest = Math.max(largest, Math.abs(x));
    if (!Object.is(x, y) && x !== y) error = Math.max(error, Number.isNaN(x - y) ? Infinity : Math.abs(x - y));
  }
  return error === 0 ? 0 : error / (largest || 1);
}
