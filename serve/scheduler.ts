/**
 * Schedules the requests for a model: a queue, concurrent runs, and batches of waiting requests.
 *
 * @module
 */

import { unavailable } from "./errors.ts";
import { type Inputs, type Outputs, rowKey, rowsOf, stack, unstack } from "./rows.ts";

/** The options of a scheduler. */
export interface SchedulerOptions {
  /** Runs a request while there is no other. By default, one of the lanes does. */
  readonly alone?: (inputs: Inputs) => Promise<Outputs>;
  /** The functions that run the model, one for each concurrent run. */
  readonly lanes: readonly ((inputs: Inputs) => Promise<Outputs>)[];
  /** The activity of all schedulers that share the cores. */
  readonly activity: Activity;
  /** The maximum number of waiting requests. */
  readonly maxQueue: number;
  /** The maximum number of rows in a run; 1 for no batches. */
  readonly maxBatch: number;
  /** How long a request waits for others to share its run, in milliseconds. */
  readonly batchDelay: number;
  /** The shapes of rows for which it is already known whether requests may share a run. */
  readonly known?: ReadonlyMap<string, boolean>;
  /** Finds out whether requests like this one may share a run. Called once for each other shape of rows. */
  readonly mayShare: (sample: Inputs, run: (inputs: Inputs) => Promise<Outputs>) => Promise<boolean>;
  /** Called after each run with its numbers of requests and rows, and its time in seconds. */
  readonly onRun?: (requests: number, rows: number, seconds: number) => void;
}

/** What goes on at the same time in all models of a server. */
export interface Activity {
  /** The inference requests in progress, from their headers to their responses. */
  requests: number;
  /** The runs in progress. One may outlive its request. */
  runs: number;
}

/** Runs requests in order. */
export interface Scheduler {
  /**
   * Queues a request, and runs it.
   * @returns rejects with an HttpError 503 if too many requests wait; with the signal's reason if it aborts; or as the
   * run
   */
  submit(inputs: Inputs, signal: AbortSignal): Promise<Outputs>;
  /** The number of waiting requests. */
  readonly waiting: number;
}

interface Job {
  readonly inputs: Inputs;
  /** The number of rows and their shapes; `undefined` if the request cannot share a run. */
  readonly stackable: { readonly rows: number; readonly key: string } | undefined;
  readonly arrived: number;
  readonly signal: AbortSignal;
  readonly resolve: (outputs: Outputs) => void;
  readonly reject: (error: unknown) => void;
}

type Run = (inputs: Inputs) => Promise<Outputs>;

/** The maximum number of row shapes for which to remember whether requests may share a run. */
const MAX_KEYS = 256;

/** Creates a scheduler. */
export function createScheduler(options: SchedulerOptions): Scheduler {
  const queue: Job[] = [];
  const free = [...options.lanes];
  /** Whether requests with such rows may share a run. */
  const shared = new Map(options.known);
  let timer: ReturnType<typeof setTimeout> | undefined;

  const { activity, alone } = options;
  // Requests whose bodies are still arriving count too: a run with all threads would delay them.
  const isAlone = () => alone !== undefined && activity.requests <= 1 && activity.runs === 0;

  const pump = () => {
    clearTimeout(timer);
    while (queue.length > 0 && (isAlone() || free.length > 0)) {
      const wait = waitFor(queue, options, shared);
      if (wait > 0) {
        timer = setTimeout(pump, wait);
        return;
      }
      const run = isAlone() ? alone! : free.pop()!;
      const jobs = takeBatch(queue, options.maxBatch, shared);
      activity.runs++;
      runJobs(jobs, run, options, shared).finally(() => {
        activity.runs--;
        if (run !== alone) free.push(run);
        pump();
      });
    }
  };

  const submit = (inputs: Inputs, signal: AbortSignal) => {
    signal.throwIfAborted();
    if (queue.length >= options.maxQueue) throw unavailable(`the queue is full: ${queue.length} requests are waiting`);
    const { promise, resolve, reject } = Promise.withResolvers<Outputs>();
    const job: Job = {
      inputs,
      stackable: stackableOf(inputs, options),
      arrived: performance.now(),
      signal,
      resolve,
      reject,
    };
    const abandon = () => {
      const at = queue.indexOf(job);
      if (at >= 0) queue.splice(at, 1);
      reject(signal.reason);
    };
    signal.addEventListener("abort", abandon, { once: true });
    queue.push(job);
    pump();
    return promise.finally(() => signal.removeEventListener("abort", abandon));
  };

  return {
    submit: (inputs, signal) => new Promise((resolve) => resolve(submit(inputs, signal))),
    get waiting() {
      return queue.length;
    },
  };
}

function stackableOf(inputs: Inputs, { maxBatch }: SchedulerOptions): Job["stackable"] {
  if (maxBatch === 1) return undefined;
  const rows = rowsOf(inputs);
  return rows === undefined || rows > maxBatch ? undefined : { rows, key: rowKey(inputs) };
}

/** How long the first request may still wait for others, in milliseconds. */
function waitFor(
  queue: readonly Job[],
  { batchDelay, maxBatch }: SchedulerOptions,
  shared: ReadonlyMap<string, boolean>,
) {
  const { stackable, arrived } = queue[0]!;
  if (batchDelay === 0 || !stackable || shared.get(stackable.key) === false) return 0;
  const alike = queue.filter((job) => job.stackable?.key === stackable.key);
  const rows = alike.reduce((sum, job) => sum + job.stackable!.rows, 0);
  return rows >= maxBatch ? 0 : arrived + batchDelay - performance.now();
}

/**
 * The first request, and those that may share its run. Each number of rows needs its own graph, so batches of several
 * requests have a power of two of rows.
 */
function takeBatch(queue: Job[], maxBatch: number, shared: ReadonlyMap<string, boolean>): Job[] {
  const first = queue[0]!;
  const { stackable } = first;
  let best = 1;
  const batch = [first];
  if (stackable && shared.get(stackable.key) !== false) {
    let rows = stackable.rows;
    for (const job of queue.slice(1)) {
      if (job.stackable?.key !== stackable.key || rows + job.stackable.rows > maxBatch) continue;
      batch.push(job);
      rows += job.stackable.rows;
      if (Number.isInteger(Math.log2(rows))) best = batch.length;
    }
  }
  batch.length = best;
  for (const job of batch) queue.splice(queue.indexOf(job), 1);
  return batch;
}

/** Runs jobs and settles each. Never rejects. */
async function runJobs(jobs: readonly Job[], run: Run, options: SchedulerOptions, shared: Map<string, boolean>) {
  if (jobs.length > 1 && await mayShare(jobs[0]!, run, options, shared) && await runTogether(jobs, run, options)) {
    return;
  }
  // Runs them separately, so that an error of one request does not affect the others.
  for (const job of jobs) await runAlone(job, run, options);
}

async function mayShare(job: Job, run: Run, { mayShare }: SchedulerOptions, shared: Map<string, boolean>) {
  const { key } = job.stackable!;
  const known = shared.get(key);
  if (known !== undefined) return known;
  if (shared.size >= MAX_KEYS) return false;
  // Until it is known, such requests run separately.
  shared.set(key, false);
  const may = await mayShare(job.inputs, run).catch(() => false);
  shared.set(key, may);
  return may;
}

/** @returns false if not every request got a result; they are then run separately */
async function runTogether(jobs: readonly Job[], run: Run, { onRun }: SchedulerOptions): Promise<boolean> {
  const counts = jobs.map(({ stackable }) => stackable!.rows);
  const start = performance.now();
  try {
    const results = unstack(await run(stack(jobs.map(({ inputs }) => inputs))), counts);
    if (!results) return false;
    onRun?.(jobs.length, counts.reduce((sum, rows) => sum + rows, 0), (performance.now() - start) / 1000);
    for (const [i, job] of jobs.entries()) job.resolve(results[i]!);
    return true;
  } catch {
    return false;
  }
}

async function runAlone(
  { inputs, signal, resolve, reject }: Job,
  run: Run,
  { onRun }: SchedulerOptions,
): Promise<void> {
  if (signal.aborted) return;
  const start = performance.now();
  try {
    const outputs = await run(inputs);
    onRun?.(1, rowsOf(inputs) ?? 1, (performance.now() - start) / 1000);
    resolve(outputs);
  } catch (error) {
    reject(error);
  }
}
