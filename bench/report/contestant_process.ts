/**
 * A contestant at work, seen from the report.
 *
 * @module
 */
import { type Greeting, type Job, readFloats, readLines, type Timing } from "../baselines/protocol.ts";

/** How long a contestant may think about one command, in milliseconds. */
const PATIENCE = 120_000;

/**
 * Added to the environment of everybody. This module always turns ONNX Runtime's telemetry off, and the others are not to pay
 * for what it does not do.
 */
export const ENVIRONMENT = { NO_COLOR: "1", ORT_DISABLE_TELEMETRY: "1" };

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

/** The resident memory of a process, in bytes. */
export interface ProcessMemory {
  /** What it has now. */
  readonly resident: number;
  /** The most that it ever had. */
  readonly peak: number;
}

/** Starts a contestant. Rejects if it does not come up. */
export async function startContestant(
  [command, ...args]: readonly string[],
  { suite, threads, device, folder }: Job,
): Promise<ContestantProcess> {
  const child = new Deno.Command(command!, {
    args: [...args, suite, String(threads), device, folder],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    env: ENVIRONMENT,
  }).spawn();
  const complaints = new Response(child.stderr).text();
  const commands = child.stdin.getWriter();
  const answers = readLines(child.stdout);

  /** The next line, or the end; whoever thinks too long about it is ended. */
  async function nextLine(): Promise<IteratorResult<string>> {
    const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE);
    try {
      return await answers.next();
    } finally {
      clearTimeout(timer);
    }
  }
  async function end(): Promise<void> {
    await commands.close().catch(() => {}); // It may have closed its end already.
    while (!(await nextLine()).done);
    await child.status;
    await complaints;
  }
  async function answer(): Promise<unknown> {
    const { value, done } = await nextLine();
    if (!done) return JSON.parse(value);
    const { code, signal } = await child.status;
    throw new Error((await complaints).trim() || `it ended with ${signal ?? `status ${code}`}`);
  }
  async function ask(command: string): Promise<unknown> {
    await commands.write(new TextEncoder().encode(`${command}\n`)).catch(() => {}); // Why it is gone, answer() says.
    return await answer();
  }
  const time = async (command: string) => (await ask(command) as Timing).milliseconds;

  const greeting = answer().catch(async (error) => {
    await end();
    throw error;
  });
  const { engine, cached, fresh, elsewhere } = await greeting as Greeting;
  return {
    engine,
    memory: () => elsewhere ? undefined : memoryOf(child.pid),
    build: () => time("build"),
    cached: () => time(cached ? "cached" : "build"),
    run: (count) => time(`run ${count}`),
    fresh: (count) => time(`${fresh ? "fresh" : "run"} ${count}`),
    pipeline: (count) => time(`pipeline ${count}`),
    async output(file) {
      await ask(`output ${file}`);
      return await readFloats(file);
    },
    [Symbol.asyncDispose]: end,
  };
}

/** Linux keeps it in /proc. */
function memoryOf(pid: number): ProcessMemory | undefined {
  if (Deno.build.os !== "linux") return undefined;
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  const bytes = (field: string) => 1024 * Number(new RegExp(`^${field}:\\s*(\\d+) kB$`, "m").exec(status)![1]);
  return { resident: bytes("VmRSS"), peak: bytes("VmHWM") };
}
