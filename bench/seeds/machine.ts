/**
 * What the machine can do, measured in the same run: the roofs that figures are held against.
 *
 * @module
 */
import { join } from "node:path";
import { compileProgram, type Contestant } from "../report/contestants.ts";

/** What the machine can do with a number of threads. */
export interface Roof {
  readonly threads: number;
  /** STREAM's triad by the bytes of its three arrays: its GB/s. */
  readonly memory: readonly { readonly bytes: number; readonly rate: number }[];
  /** GFLOP/s of multiply-adds in registers. */
  readonly flops: number;
}

/** STREAM's triad as a contestant: it adds the two inputs. */
export const TRIAD: Contestant = {
  name: "triad",
  title: "STREAM's triad in C, which makes the same sum",
  reads: "a file",
  devices: ["cpu"],
  prepare: async ({ folder }) => [await compileMachine(join(folder, "machine"))],
};

/** Measures the roofs. Throws if there is no C compiler. */
export async function measureRoof(threads: number): Promise<Roof> {
  const folder = await Deno.makeTempDir();
  try {
    const program = await compileMachine(join(folder, "machine"));
    const { success, stdout, stderr } = await new Deno.Command(program, { args: ["roof", String(threads)] }).output();
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

/** The GB/s of the triad with the same bytes in its arrays, between two sizes by the logarithm; 0 if unknown. */
export function memoryRate({ memory }: Roof, bytes: number): number {
  const above = memory.findIndex((point) => point.bytes >= bytes);
  if (above <= 0) return memory.at(above)?.rate ?? 0;
  const [low, high] = [memory[above - 1]!, memory[above]!];
  const part = Math.log(bytes / low.bytes) / Math.log(high.bytes / low.bytes);
  return low.rate + part * (high.rate - low.rate);
}

/** What bounds an operation. */
export type Bound = "latency" | "memory" | "compute";

/** An operation as it was measured: milliseconds, work, and the milliseconds of one on a single element. */
export interface Measured {
  readonly time: number;
  readonly bytes: number;
  readonly latency: number;
}

/**
 * What bounds an operation: its latency, if that is half of its time; memory, if the triad takes half of its time to move
 * as many bytes; otherwise the arithmetic.
 */
export function boundOf(roof: Roof, { time, bytes, latency }: Measured): Bound {
  if (latency >= time / 2) return "latency";
  return bytes / memoryRate(roof, bytes) / 1e6 >= time / 2 ? "memory" : "compute";
}
