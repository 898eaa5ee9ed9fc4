/**
 * Starts a worker process of `webnn bench` and talks to it.
 *
 * @module
 */
import { answersOf, describeExit, endChild, spawnChild } from "../child.ts";
import { Failure } from "../errors.ts";
import type { Terminal } from "../terminal.ts";
import type { Job, Loaded, Measured } from "./protocol.ts";

/** A process with a loaded model. It ends when the contestant is disposed, or on Ctrl-C. */
export interface Contestant extends AsyncDisposable {
  readonly loaded: Loaded;
  run(runs: number): Promise<Measured>;
}

/** Starts a process and waits until it has loaded the model. Rejects with the error of the process. */
export async function startContestant(job: Job, terminal: Terminal): Promise<Contestant> {
  const child = spawnChild(new URL("./worker.ts", import.meta.url));
  const interruption = terminal.onInterrupt(() => endChild(child));
  const errors = new Response(child.stderr).text();
  const writer = child.stdin.getWriter();
  const answers = answersOf(child);
  const ask = async <T>(message: Job | { readonly runs: number }): Promise<T> => {
    await writer.write(new TextEncoder().encode(`${JSON.stringify(message)}\n`)).catch(() => {});
    const { value } = await answers.next();
    if (value === undefined) throw new Failure(await describeExit(child, errors));
    const answer = JSON.parse(value);
    if (answer.failed !== undefined) throw new Failure(answer.failed);
    return answer;
  };
  const dispose = async () => {
    interruption[Symbol.dispose]();
    endChild(child);
    await writer.close().catch(() => {});
    while (!(await answers.next()).done);
    await Promise.all([child.status, errors]);
  };
  try {
    const loaded = await ask<Loaded>(job);
    return { loaded, run: (runs) => ask<Measured>({ runs }), [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}
