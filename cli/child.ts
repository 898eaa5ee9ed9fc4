/**
 * Processes of this program's own: a model or a library that ends its process ends no other.
 *
 * @module
 */

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

/** How a child ended that should not have, with its last line on standard error. */
export async function lastWords(child: Deno.ChildProcess, errors: Promise<string>): Promise<string> {
  const { signal, code } = await child.status;
  const how = signal === null ? `ended with status ${code}` : `was ended by ${signal}`;
  const last = (await errors).trim().split("\n").at(-1);
  return `the process ${how}${last ? `: ${last}` : ""}`;
}
