/**
 * The process of a contestant, as the report controls it.
 *
 * @module
 */
import { type Greeting, type Job, readFloats, type Timing } from "../baselines/protocol.ts";
import { type LineProcess, type ProcessMemory, startProcess } from "./line_process.ts";

/** A process that speaks the protocol. If it fails, methods reject with its standard error. */
export interface ContestantProcess extends AsyncDisposable {
  /** The engine and its version. */
  readonly engine: string;
  /** `undefined` if the system does not provide it, or the engine runs in other processes. */
  memory(): ProcessMemory | undefined;
  /** Builds the graph again. Returns the time in milliseconds. */
  build(): Promise<number>;
  /** Builds the graph with a cache if there is one, else like `build`. Such a graph is not run. */
  cached(): Promise<number>;
  /** Runs and reads, one after the other. Returns the mean time in milliseconds. */
  run(count: number): Promise<number>;
  /** Runs and reads to a new buffer each time if supported, else like `run`. Returns the mean time in milliseconds. */
  fresh(count: number): Promise<number>;
  /** Runs as fast as it can, and reads once. Returns the mean time in milliseconds. */
  pipeline(count: number): Promise<number>;
  /** Copies the first input to the device. Returns the mean time in milliseconds. */
  write(count: number): Promise<number>;
  /** Copies the first output to a buffer. Returns the mean time in milliseconds. */
  read(count: number): Promise<number>;
  /** The output of the last run. `file` is used to pass it. */
  output(file: string): Promise<Float32Array>;
}

/** Starts a contestant. Rejects if that fails. */
export async function startContestant(command: readonly string[], job: Job): Promise<ContestantProcess> {
  return talkTo(await startContestantProcess(command, job));
}

/** Starts the process of a contestant. */
export function startContestantProcess(
  command: readonly string[],
  { suite, threads, device, folder }: Job,
): Promise<LineProcess> {
  return startProcess([...command, suite, String(threads), device, folder]);
}

/** The commands of the protocol. */
export function talkTo(process: LineProcess): ContestantProcess {
  const time = async (command: string) => (await process.ask(command) as Timing).milliseconds;
  const { engine, cached, fresh, elsewhere, transfers } = process.greeting as Greeting;
  const transfer = (command: string) => {
    if (!transfers) throw new Error("it has no commands to copy tensors");
    return time(command);
  };
  return {
    engine,
    memory: () => elsewhere ? undefined : process.memory(),
    build: () => time("build"),
    cached: () => time(cached ? "cached" : "build"),
    run: (count) => time(`run ${count}`),
    fresh: (count) => time(`${fresh ? "fresh" : "run"} ${count}`),
    pipeline: (count) => time(`pipeline ${count}`),
    write: async (count) => await transfer(`write ${count}`),
    read: async (count) => await transfer(`read ${count}`),
    async output(file) {
      await process.ask(`output ${file}`);
      return await readFloats(file);
    },
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}
