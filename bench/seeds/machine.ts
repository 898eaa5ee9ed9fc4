/**
 * The roofline of the machine, measured in the same run: memory bandwidth and arithmetic rate.
 *
 * @module
 */
import { join } from "node:path";
import { compileProgram, type Contestant } from "../report/contestants.ts";

/** The limits of the machine with a number of threads. */
export interface MachineLimits {
  readonly threads: number;
  /** The rate of STREAM's triad in GB/s, by the total size of its three arrays in bytes. */
  readonly memory: readonly { readonly bytes: number; readonly rate: number }[];
  /** The rate of multiply-adds in registers, in GFLOP/s. */
  readonly flops: number;
}

/** STREAM's triad as a contestant; it computes the sum of the two inputs. */
export const TRIAD: Contestant = {
  name: "triad",
  title: "STREAM's triad in C, which computes the same sum",
  reads: "a file",
  devices: ["cpu"],
  prepare: async ({ folder }) => [await compileMachine(join(folder, "machine"))],
};

/**
 * Measures the limits.
 * @throws Error if there is no C compiler
 */
export async function measureLimits(threads: number): Promise<MachineLimits> {
  const folder = await Deno.makeTempDir();
  try {
    const program = await compileMachine(join(folder, "machine"));
    const { success, stdout, stderr } = await new Deno.Command(program, { args: ["limits", String(threads)] }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    return { threads, ...JSON.parse(new TextDecoder().decode(stdout)) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function compileMachine(file: string): Promise<string> {
  return compileProgram("c/machine.c", file, [
    "-O3",
    "-march=native",
    "-ffp-contract=fast",
    "-lpthread",
  ]);
}

/**
 * The triad's rate in GB/s for arrays of `bytes`, interpolated on the logarithm of the size; 0 if nothing was measured.
 */
export function memoryRate({ memory }: MachineLimits, bytes: number): number {
  const above = memory.findIndex((point) => point.bytes >= bytes);
  if (above <= 0) return memory.at(above)?.rate ?? 0;
  const [low, high] = [memory[above - 1]!, memory[above]!];
  const part = Math.log(bytes / low.bytes) / Math.log(high.bytes / low.bytes);
  return low.rate + part * (high.rate - low.rate);
}

/** What bounds an operation. */
export type Bound = "latency" | "memory" | "compute";

/** A measured operation: its time, the bytes it moves, and the time for a single element; times in milliseconds. */
export interface Measured {
  readonly time: number;
  readonly bytes: number;
  readonly latency: number;
}

/**
 * What bounds an operation: latency, if a single element takes at least half of the time; memory, if the triad takes at
 * least half of the time to move as many bytes; otherwise arithmetic.
 */
export function boundOf(limits: MachineLimits, { time, bytes, latency }: Measured): Bound {
  if (latency >= time / 2) return "latency";
  return bytes / memoryRate(limits, bytes) / 1e6 >= time / 2 ? "memory" : "compute";
}
