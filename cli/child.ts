/**
 * Processes of this program's own: a model or a library that ends its process ends no other.
 *
 * @module
 */
import { stripVTControlCharacters } from "node:util";
import { Failure } from "./errors.ts";
import type { Terminal } from "./terminal.ts";

/** What begins the line of an answer on a child's standard output: an engine may print lines of its own. */
export const MARK = "webnn-answer:";

/** A process that runs a module of this package by this Deno. */
export function spawnChild(module: URL, env: Readonly<Record<string, string>> = {}): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "--allow-all", module.href],
    env,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Ends a process that may have ended by itself. */
export function endChild(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // It has.
  }
}

/** Lets a process clean up and end, as Ctrl-C does. */
export function interruptChild(child: Deno.ChildProcess): void {
  if (Deno.build.os === "windows") return endChild(child); // Windows has no such signal for another process.
  try {
    child.kill("SIGINT");
  } catch {
    // It has ended.
  }
}

/** The answers of a child, as they come. */
export async function* answersOf(child: Deno.ChildProcess): AsyncGenerator<string, undefined> {
  let rest = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) if (line.startsWith(MARK)) yield line.slice(MARK.length);
  }
  return undefined;
}

/** How a child ended unexpectedly, with its error: Deno prints a stack trace after it, an engine may print lines before. */
export async function lastWords(child: Deno.ChildProcess, errors: Promise<string>): Promise<string> {
  const { signal, code } = await child.status;
  const how = signal === null ? `ended with status ${code}` : `was ended by ${signal}`;
  const lines = stripVTControlCharacters(await errors).trim().split("\n");
  const error = lines.find((line) => line.startsWith("error:"))?.slice("error:".length).trim() ?? lines.at(-1);
  return `the process ${how}${error ? `: ${error}` : ""}`;
}

/** How a child is started, and how long it may take. */
export interface ChildOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** After so many seconds without an answer the child is ended. */
  readonly limit?: number;
}

/**
 * Starts a child, sends it a message on standard input, and waits for its only answer. Ctrl-C ends it.
 * @throws {Failure} with the reason that the child gives, how it ended, or that it took too long
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
    const ending = await lastWords(child, errors);
    throw new Failure(deadline.hasPassed() ? `too slow: there was no answer after ${limit} s` : ending);
  }
  await Promise.all([child.status, errors]);
  const parsed = JSON.parse(answer) as Answer | { readonly failed: string };
  if ("failed" in parsed) throw new Failure(parsed.failed);
  return parsed;
}

/** Ends a child when the time is up, unless the result is disposed before. */
function endAfter(child: Deno.ChildProcess, seconds: number): Disposable & { hasPassed(): boolean } {
  let hasPassed = false;
  const end = () => {
    hasPassed = true;
    endChild(child);
  };
  const timer = Number.isFinite(seconds) ? setTimeout(end, 1000 * seconds) : undefined;
  return { hasPassed: () => hasPassed, [Symbol.dispose]: () => clearTimeout(timer) };
}
