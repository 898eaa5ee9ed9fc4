/**
 * A worker as `webnn bench` sees it.
 *
 * @module
 */
import { Failure } from "../errors.ts";
import type { Terminal } from "../terminal.ts";
import { type Job, type Loaded, MARK, type Measured } from "./protocol.ts";

/** A process with a loaded model. It ends when it is disposed, or at Ctrl-C. */
export interface Contestant extends Disposable {
  readonly loaded: Loaded;
  run(runs: number): Promise<Measured>;
}

const WORKER = new URL("./worker.ts", import.meta.url);

/** Starts a process and waits until it has loaded the model; rejects with what failed there. */
export async function startContestant(job: Job, terminal: Terminal): Promise<Contestant> {
  const program = WORKER.protocol === "file:"
    ? decodeURIComponent(WORKER.pathname).replace(/^\/(\w:)/, "$1")
    : WORKER.href;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "--allow-all", program],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const end = () => {
    try {
      child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
  };
  const onInterrupt = terminal.onInterrupt(end);
  const errors = new Response(child.stderr).text();
  const writer = child.stdin.getWriter();
  const answers = marked(child.stdout);
  const ask = async <T>(message: unknown): Promise<T> => {
    await writer.write(new TextEncoder().encode(`${JSON.stringify(message)}\n`)).catch(() => {});
    const { value } = await answers.next();
    if (value === undefined) throw new Failure(await lastWords(child.status, errors));
    const answer = JSON.parse(value);
    if (answer.failed !== undefined) throw new Failure(answer.failed);
    return answer;
  };
  const dispose = () => {
    onInterrupt[Symbol.dispose]();
    end();
  };
  try {
    const loaded = await ask<Loaded>(job);
    return { loaded, run: (runs) => ask<Measured>({ runs }), [Symbol.dispose]: dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** The lines of a worker that are answers. */
async function* marked(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, undefined> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) if (line.startsWith(MARK)) yield line.slice(MARK.length);
  }
  return undefined;
}

async function lastWords(status: Promise<Deno.CommandStatus>, errors: Promise<string>): Promise<string> {
  const { signal, code } = await status;
  const how = signal === null ? `ended with status ${code}` : `was ended by ${signal}`;
  const last = (await errors).trim().split("\n").at(-1);
  return `the process ${how}${last ? `: ${last}` : ""}`;
}
