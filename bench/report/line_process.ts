/**
 * A process that answers commands line by line.
 *
 * @module
 */
import { readLines } from "../baselines/protocol.ts";

/** How long a command may take, in milliseconds. */
const TIMEOUT = 120_000;

/**
 * Environment variables for all contestants. This module turns off ONNX Runtime's telemetry, so the others run without
 * it too.
 */
export const ENVIRONMENT = { NO_COLOR: "1", ORT_DISABLE_TELEMETRY: "1" };

/** The resident memory of a process, in bytes. */
export interface ProcessMemory {
  /** The current value. */
  readonly resident: number;
  /** The peak, since the start or the last reset. */
  readonly peak: number;
}

/** A process that answers each line with a line of JSON. */
export interface LineProcess extends AsyncDisposable {
  /** The first line that it prints. */
  readonly greeting: unknown;
  /** Rejects with its standard error if it ends instead of answering. */
  ask(command: string): Promise<unknown>;
  /** `undefined` if the system does not provide it. */
  memory(): ProcessMemory | undefined;
  /** Resets the peak. */
  resetPeak(): void;
}

/** Starts a process. Rejects if it does not print its first line. */
export async function startProcess([command, ...args]: readonly string[]): Promise<LineProcess> {
  const child = new Deno.Command(command!, {
    args,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    env: ENVIRONMENT,
  }).spawn();
  const errors = new Response(child.stderr).text();
  const commands = child.stdin.getWriter();
  const answers = readLines(child.stdout);

  /** The next line, or the end. Kills the process if it takes too long. */
  async function nextLine(): Promise<IteratorResult<string>> {
    const timer = setTimeout(() => child.kill("SIGKILL"), TIMEOUT);
    try {
      return await answers.next();
    } finally {
      clearTimeout(timer);
    }
  }
  async function end(): Promise<void> {
    await commands.close().catch(() => {}); // It may have closed its end.
    while (!(await nextLine()).done);
    await child.status;
    await errors;
  }
  async function answer(): Promise<unknown> {
    const { value, done } = await nextLine();
    if (!done) return JSON.parse(value);
    const { code, signal } = await child.status;
    throw new Error((await errors).trim() || `it ended with ${signal ?? `status ${code}`}`);
  }
  const greeting = await answer().catch(async (error) => {
    await end();
    throw error;
  });
  return {
    greeting,
    async ask(command) {
      await commands.write(new TextEncoder().encode(`${command}\n`)).catch(() => {}); // answer() says why it has ended.
      return await answer();
    },
    memory: () => memoryOf(child.pid),
    resetPeak() {
      if (Deno.build.os === "linux") Deno.writeTextFileSync(`/proc/${child.pid}/clear_refs`, "5");
    },
    [Symbol.asyncDispose]: end,
  };
}

/** The memory of a process, from /proc on Linux. */
function memoryOf(pid: number): ProcessMemory | undefined {
  if (Deno.build.os !== "linux") return undefined;
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  const bytes = (field: string) => 1024 * Number(new RegExp(`^${field}:\\s*(\\d+) kB$`, "m").exec(status)![1]);
  return { resident: bytes("VmRSS"), peak: bytes("VmHWM") };
}
