/**
 * Contestants measured in turns: whatever else the machine does hits all of them alike.
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

/** What was measured of one device with one number of threads. Times are in milliseconds. */
export interface Row {
  /** What was asked for: a device, or the engine that it is compared with. */
  readonly device: string;
  readonly threads?: number | undefined;
  /** What ran it, with its version. */
  readonly engine?: string;
  readonly load?: number;
  readonly first?: number;
  readonly median?: number;
  /** A quarter of the runs took less, and a quarter took more. */
  readonly p25?: number;
  readonly p75?: number;
  readonly runs?: number;
  /** Runs a second. */
  readonly ops?: number;
  readonly gflops?: number;
  /** By how many bytes the process grew. */
  readonly memory?: number;
  /** The greatest difference to the outputs of the first row, as a part of the greatest element. */
  readonly error?: number;
  /** Why there are no figures. */
  readonly failed?: string;
}

/** A job and what its row is called. */
export interface Entry {
  readonly device: string;
  readonly job: Job;
}

const ROUNDS = 10;
/** How long one contestant runs before the next has its turn. */
const TURN_MS = 100;
const MAX_RUNS = 1000;

/** Measures all entries. `multiplyAdds` is what a run of the model takes, if that is known. */
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

/** What an entry is called. */
function titleOf({ device, job: { threads } }: Entry): string {
  return threads === undefined ? device : `${device}, ${threads} thread${threads === 1 ? "" : "s"}`;
}

/** The greatest difference of two tensors, as a part of the greatest element of the first. */
function difference(expected: TensorOutput, actual: TensorOutput): number {
  const [a, b] = [elementsOf(expected), elementsOf(actual)];
  if (a.length !== b.length) return Infinity;
  let [greatest, most] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [Number(a[i]), Number(b[i])];
    if (Number.isFinite(x)) greatest = Math.max(greatest, Math.abs(x));
    if (!Object.is(x, y) && x !== y) most = Math.max(most, Number.isNaN(x - y) ? Infinity : Math.abs(x - y));
  }
  return most === 0 ? 0 : most / (greatest || 1);
}
