/**
 * Child processes: if a model or a library crashes, only the child ends.
 *
 * @module
 */
import { stripVTControlCharacters } from "node:util";
import { Failure } from "./errors.ts";
import type { Terminal } from "./terminal.ts";

/** The prefix of an answer on a child's standard output, where engines may print lines too. */
export const MARK = "webnn-answer:";

/** Starts a process that runs a module of this package with the same Deno. */
export function spawnChild(module: URL, env: Readonly<Record<string, string>> = {}): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "--allow-all", module.href],
    env,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Kills a process, unless it has ended already. */
export function endChild(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // It has already ended.
  }
}

/** Interrupts a process as Ctrl-C does, so that it can clean up. */
export function interruptChild(child: Deno.ChildProcess): void {
  if (Deno.build.os === "windows") return endChild(child); // Windows cannot send SIGINT to another process.
  try {
    child.kill("SIGINT");
  } catch {
    // It has already ended.
  }
}

/** Yields the answers of a child as they arrive. */
export async function* answersOf(child: Deno.ChildProcess): AsyncGenerator<string, undefined> {
  let rest = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) if (line.startsWith(MARK)) yield line.slice(MARK.length);
  }
  return undefined;
}

/**
 * Describes how a child ended unexpectedly, with its error. Deno prints a stack trace after the line of the error, and
 * an engine may print lines before it.
 */
export async function describeExit(child: Deno.ChildProcess, errors: Promise<string>): Promise<string> {
  const { signal, code } = await child.status;
  const how = signal === null ? `ended with status ${code}` : `was killed by ${signal}`;
  const lines = stripVTControlCharacters(await errors).trim().split("\n");
  const error = lines.find((line) => line.startsWith("error:"))?.slice("error:".length).trim() ?? lines.at(-1);
  return `the process ${how}${error ? `: ${error}` : ""}`;
}

/** The environment and the time limit of a child. */
export interface ChildOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Seconds after which a child that has not answered is killed. */
  readonly limit?: number;
}

/**
 * Starts a child, sends it a message on standard input, and waits for its answer. Ctrl-C kills the child.
 * @throws {Failure} if the child reports a failure, ends without an answer, or takes too long
 */
export async function askOnce<Answer extends object>(
  module: URL,
  message: unknown,
  terminal: Terminal,
  { env = {}, limit = Infinity }: ChildOptions = {},
): Promise<Answer> {
  const child = spawnChild(module, env);
  using _ = terminal.onInterrupt(() => endChild(child));
  using deadline = endAfter(child, limit);
  const errors = new Response(child.stderr).text();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(JSON.stringify(message))).catch(() => {});
  await writer.close().catch(() => {});
  const answers: string[] = [];
  for await (const answer of answersOf(child)) answers.push(answer);
  const [answer] = answers;
  if (answer === undefined) {
    const ending = await describeExit(child, errors);
    throw new Failure(deadline.hasPassed() ? `too slow: there was no answer after ${limit} s` : ending);
  }
  await Promise.all([child.status, errors]);
  const parsed = JSON.parse(answer) as Answer | { readonly failed: string };
  if ("failed" in parsed) throw new Failure(parsed.failed);
  return parsed;
}

/** Kills a child after some seconds, unless the result is disposed earlier. */
function endAfter(child: Deno.ChildProcess, seconds: number): Disposable & { hasPassed(): boolean } {
  let hasPassed = false;
  const end = () => {
    hasPassed = true;
    endChild(child);
  };
  const timer = Number.isFinite(seconds) ? setTimeout(end, 1000 * seconds) : undefined;
  return { hasPassed: () => hasPassed, [Symbol.dispose]: () => clearTimeout(timer) };
}
