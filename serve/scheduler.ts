/**
 * The order in which requests of a model are run: a queue, a few runs at once, and batches of what waits.
 *
 * @module
 */

import { unavailable } from "./errors.ts";
import { type Inputs, type Outputs, rowKey, rowsOf, stack, unstack } from "./rows.ts";

/** How requests are run. */
export interface SchedulerOptions {
  /** Runs the model, once for each run that there may be at a time. */
  readonly lanes: readonly ((inputs: Inputs) => Promise<Outputs>)[];
  /** How many requests may wait. */
  readonly maxQueue: number;
  /** How many rows a run may have; 1 for no batches. */
  readonly maxBatch: number;
  /** For how many milliseconds a request waits for others to join it. */
  readonly batchDelay: number;
  /** For which shapes of rows it is known already whether requests may share a run. */
  readonly known?: ReadonlyMap<string, boolean>;
  /** Whether requests like this one may share a run. Asked once for each other shape of rows. */
  readonly mayShare: (sample: Inputs, run: (inputs: Inputs) => Promise<Outputs>) => Promise<boolean>;
  /** Told of each run: how many requests and rows it had, and how many seconds it took. */
  readonly onRun?: (requests: number, rows: number, seconds: number) => void;
}

/** Runs requests. */
export interface Scheduler {
  /**
   * Runs a request in its turn.
   * @returns rejects with an HttpError 503 if too many wait, with the signal's reason once that aborts, else as the run
   */
  submit(inputs: Inputs, signal: AbortSignal): Promise<Outputs>;
  /** How many requests wait. */
  readonly waiting: number;
}

interface Job {
  readonly inputs: Inputs;
  /** The rows, and the shapes of the rows; `undefined` if the request cannot share a run. */
  readonly stackable: { readonly rows: number; readonly key: string } | undefined;
  readonly arrived: number;
  readonly signal: AbortSignal;
  readonly resolve: (outputs: Outputs) => void;
  readonly reject: (error: unknown) => void;
}

type Run = (inputs: Inputs) => Promise<Outputs>;

/** For how many shapes of rows it is remembered whether requests may share a run. */
const MAX_KEYS = 256;

/** Makes a scheduler. */
export function createScheduler(options: SchedulerOptions): Scheduler {
  const queue: Job[] = [];
  const free = [...options.lanes];
  /** Whether requests with such rows may share a run. */
  const shared = new Map(options.known);
  let timer: ReturnType<typeof setTimeout> | undefined;

  const pump = () => {
    clearTimeout(timer);
    while (free.length > 0 && queue.length > 0) {
      const wait = waitFor(queue, options, shared);
      if (wait > 0) {
        timer = setTimeout(pump, wait);
        return;
      }
      const jobs = takeBatch(queue, options.maxBatch, shared);
      const run = free.pop()!;
      runJobs(jobs, run, options, shared).finally(() => {
        free.push(run);
        pump();
      });
    }
  };

  const submit = (inputs: Inputs, signal: AbortSignal) => {
    signal.throwIfAborted();
    if (queue.length >= options.maxQueue) throw unavailable(`${queue.length} requests wait already`);
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

/** How many milliseconds the first request may still wait for others. */
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
 * The first request and those that may share its run. Each number of rows is a graph of its own, so that a batch has a
 * power of two of them if it has more than one request.
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

/** Runs jobs and settles each; never rejects. */
async function runJobs(jobs: readonly Job[], run: Run, options: SchedulerOptions, shared: Map<string, boolean>) {
  if (jobs.length > 1 && await mayShare(jobs[0]!, run, options, shared) && await runTogether(jobs, run, options)) {
    return;
  }
  // One by one: so the error of one request does not touch the others.
  for (const job of jobs) await runAlone(job, run, options);
}

async function mayShare(job: Job, run: Run, { mayShare }: SchedulerOptions, shared: Map<string, boolean>) {
  const { key } = job.stackable!;
  const known = shared.get(key);
  if (known !== undefined) return known;
  if (shared.size >= MAX_KEYS) return false;
  // Until it is known requests of that kind do not wait for each other.
  shared.set(key, false);
  const may = await mayShare(job.inputs, run).catch(() => false);
  shared.set(key, may);
  return may;
}

/** @returns false if there was no answer for each: the requests then run one by one */
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
