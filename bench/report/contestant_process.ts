/**
 * A contestant at work, seen from the report.
 *
 * @module
 */
import { type Greeting, type Job, readFloats, type Timing } from "../baselines/protocol.ts";
import { type ProcessMemory, startProcess } from "./line_process.ts";

/** A process that speaks the protocol. Its methods reject with what it said on standard error, if it fails. */
export interface ContestantProcess extends AsyncDisposable {
  /** The engine and its version. */
  readonly engine: string;
  /** `undefined` where the system does not tell, or where it is several processes. */
  memory(): ProcessMemory | undefined;
  /** Makes the graph anew; the time in milliseconds. */
  build(): Promise<number>;
  /** Makes the graph anew from a cache, if it has one, else as `build`. Such a graph is not run. */
  cached(): Promise<number>;
  /** Runs and reads one time after the other; the mean time in milliseconds. */
  run(count: number): Promise<number>;
  /** Runs and reads into a new buffer each time, if it has such a way, else as `run`; the mean time in milliseconds. */
  fresh(count: number): Promise<number>;
  /** Runs as fast as it can, and reads once; the mean time in milliseconds. */
  pipeline(count: number): Promise<number>;
  /** What the last run computed; `file` is where the two processes meet. */
  output(file: string): Promise<Float32Array>;
}

/** Starts a contestant. Rejects if it does not come up. */
export async function startContestant(
  command: readonly string[],
  { suite, threads, device, folder }: Job,
): Promise<ContestantProcess> {
  const process = await startProcess([...command, suite, String(threads), device, folder]);
  const time = async (command: string) => (await process.ask(command) as Timing).milliseconds;
  const { engine, cached, fresh, elsewhere } = process.greeting as Greeting;
  return {
    engine,
    memory: () => elsewhere ? undefined : process.memory(),
    build: () => time("build"),
    cached: () => time(cached ? "cached" : "build"),
    run: (count) => time(`run ${count}`),
    fresh: (count) => time(`${fresh ? "fresh" : "run"} ${count}`),
    pipeline: (count) => time(`pipeline ${count}`),
    async output(file) {
      await process.ask(`output ${file}`);
      return await readFloats(file);
    },
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}
