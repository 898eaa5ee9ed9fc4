/** Batches: which requests share runs, that each gets its own rows, and that errors do not affect other requests. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { mixingOperator, rowsAreIndependent } from "../../serve/independence.ts";
import { planFor } from "../../serve/instances.ts";
import type { Port } from "../../serve/metadata.ts";
import { warmUp } from "../../serve/warm_up.ts";
import type { Inputs, Outputs } from "../../serve/rows.ts";
import { createScheduler, type SchedulerOptions } from "../../serve/scheduler.ts";
import { call, centred, infer, unary, withHandler } from "./client.ts";

const row = (...data: number[]) => ({ inputs: [{ name: "x", datatype: "FP32", shape: [1, 2], data }] });

withHandler(
  "concurrent requests share runs, and each gets its own rows",
  [unary("Neg")],
  { batch: 4 },
  async (handler) => {
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => infer(handler, "Neg", row(i + 1, i + 0.5))));
    for (const [i, { json }] of answers.entries()) assertEquals(json.outputs[0].data, [-i - 1, -i - 0.5]);
    const { json: text } = await call(handler, "/metrics");
    assert(Number(/webnn_batched_requests_total\{model="Neg"\} (\d+)/.exec(text)?.[1]) >= 8, text);
  },
);

withHandler(
  "rows that depend on each other never share a run",
  [centred()],
  { batch: 8, batchDelay: 5 },
  async (handler) => {
    for (let round = 0; round < 3; round++) {
      // The results of equal rows would be right even if rows were mixed, so the test must not use equal rows.
      const answers = await Promise.all(Array.from({ length: 16 }, () => infer(handler, "centred", row(3, 4))));
      for (const { json } of answers) assertEquals(json.outputs[0].data, [0, 0]);
    }
    const answers = await Promise.all(Array.from({ length: 16 }, (_, i) => infer(handler, "centred", row(i, -i))));
    for (const { json } of answers) assertEquals(json.outputs[0].data, [0, 0]);
  },
);

withHandler(
  "the option for independent rows determines whether requests share runs",
  [{ ...centred(), rowsIndependent: true }, { ...unary("Abs"), rowsIndependent: false }],
  { batch: 2, batchDelay: 100 },
  async (handler) => {
    const answers = await Promise.all([1, 3].map((x) => infer(handler, "centred", row(x, x))));
    assertEquals(answers.map(({ json }) => json.outputs[0].data[0]), [-1, 1]);
    await Promise.all([1, 3].map((x) => infer(handler, "Abs", row(x, x))));
    assert(!(await call(handler, "/metrics")).json.includes('batched_requests_total{model="Abs"}'));
  },
);

/** Inputs of a request with one row. */
const request = (...data: number[]): Inputs => ({ x: { data: Float32Array.from(data), shape: [1, data.length] } });

/** A port of float32. */
const port = (...shape: number[]): Port => ({ name: "x", datatype: "FP32", shape, hasRank: true });

/** Warms up two instances. Returns the numbers of rows in the runs of each. */
async function warm(inputs: readonly Port[], mayShare: () => Promise<boolean>) {
  const sizes: number[][] = [[], []];
  const runs = sizes.map((rows) => (inputs: Inputs) => {
    rows.push(inputs.x!.shape![0]!);
    return Promise.resolve<Outputs>({});
  });
  return { known: await warmUp({ inputs, runs, maxBatch: 6, mayShare }), sizes };
}

Deno.test("each instance builds the graphs of all batch sizes before the first request", async () => {
  const { known, sizes } = await warm([port(-1, 2)], () => Promise.resolve(true));
  assertEquals([...known], [["x:2", true]]);
  assertEquals(sizes, [[1, 2, 4], [1, 2, 4]]);
});

Deno.test("no graphs are built early if rows may not share runs, or if requests determine shapes", async () => {
  const { known, sizes } = await warm([port(-1, 2)], () => Promise.resolve(false));
  assertEquals([[...known], sizes], [[["x:2", false]], [[], []]]);
  const free = await warm([port(-1, -1)], () => Promise.resolve(true));
  assertEquals([[...free.known], free.sizes], [[], [[], []]]);
  const failing = await warm([port(-1, 2)], () => Promise.reject(new TypeError("zeros are rejected")));
  assertEquals([...failing.known], []);
});

/** A scheduler whose runs wait until they are released, and record their inputs. */
function setUp(options: Partial<SchedulerOptions> = {}) {
  const runs: number[][] = [];
  const gates: PromiseWithResolvers<void>[] = [];
  const run = async (inputs: Inputs): Promise<Outputs> => {
    const { data, shape } = inputs.x as { data: Float32Array; shape: number[] };
    runs.push([...data]);
    const gate = Promise.withResolvers<void>();
    gates.push(gate);
    await gate.promise;
    if (data.includes(13)) throw new TypeError("13 is rejected");
    return { y: { data: data.map((value) => -value), shape, dataType: "float32" } };
  };
  const mayShare = () => Promise.resolve(true);
  const scheduler = createScheduler({
    lanes: [run],
    activity: { requests: 1, runs: 0 },
    maxQueue: 9,
    maxBatch: 4,
    batchDelay: 0,
    mayShare,
    ...options,
  });
  const never = new AbortController().signal;
  const submit = (x: number, signal = never) => scheduler.submit(request(x), signal).then(({ y }) => y!.data[0]);
  const release = async () => {
    gates.shift()!.resolve();
    for (let i = 0; i < 20; i++) await Promise.resolve();
    await new Promise((resolve) => setTimeout(resolve, 1));
  };
  return { runs, submit, release, scheduler };
}

Deno.test("requests that wait during a run share the next ones, with a power of two of rows", async () => {
  const { runs, submit, release } = setUp();
  const answers = Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map((x) => submit(x)));
  for (let i = 0; i < 4; i++) await release();
  assertEquals(runs, [[1], [2, 3, 4, 5], [6, 7], [8]]);
  assertEquals(await answers, [-1, -2, -3, -4, -5, -6, -7, -8]);
});

Deno.test("an error in one request of a batch does not affect the others", async () => {
  const { runs, submit, release } = setUp();
  const [first, good, bad] = [submit(1), submit(2), submit(13)];
  const rejected = assertRejects(() => bad!, TypeError, "13 is rejected");
  for (let i = 0; i < 4; i++) await release();
  assertEquals(runs, [[1], [2, 13], [2], [13]]);
  assertEquals([await first, await good], [-1, -2]);
  await rejected;
});

Deno.test("a full queue rejects with 503, and a request leaves the queue at its time limit", async () => {
  const { runs, submit, release, scheduler } = setUp({ maxQueue: 2, maxBatch: 1 });
  const controller = new AbortController();
  const [first, late, last] = [submit(1), submit(2, controller.signal), submit(3)];
  const error = await assertRejects(() => submit(4), Error, "the queue is full: 2 requests are waiting");
  assertEquals((error as unknown as { status: number }).status, 503);
  controller.abort(new Error("over"));
  await assertRejects(() => late!, Error, "over");
  assertEquals(scheduler.waiting, 1);
  await release();
  await release();
  assertEquals([await first, await last], [-1, -3]);
  assertEquals(runs, [[1], [3]]);
});

Deno.test("only a request that is alone has all threads", async () => {
  const alone: number[] = [];
  const activity = { requests: 1, runs: 0 };
  const run = ({ x }: Inputs): Promise<Outputs> => {
    alone.push((x!.data as Float32Array)[0]!);
    return Promise.resolve({ y: { data: x!.data, shape: [1, 1], dataType: "float32" } });
  };
  const { runs, submit, release } = setUp({ alone: run, activity, maxBatch: 1 });
  assertEquals(await submit(1), 1);
  activity.requests++; // Its body is still arriving.
  const second = submit(2);
  await release();
  assertEquals([await second, alone, runs], [-2, [1], [[2]]]);
  activity.requests--;
  activity.runs++; // The run of a request that has exceeded its time limit.
  const third = submit(3);
  await release();
  assertEquals([await third, alone, runs], [-3, [1], [[2], [3]]]);
  activity.runs--;
  assertEquals([await submit(4), alone], [4, [1, 4]]);
});

Deno.test("requests that come together use each core once, also with more threads than instances", () => {
  assertEquals(planFor(1, 4), { instances: 4, threads: 1 });
  assertEquals(planFor(2, 2), { instances: 2, threads: 1 });
  assertEquals(planFor(8, 16), { instances: 8, threads: 1 });
  assertEquals(planFor(32, 64), { instances: 8, threads: 4 });
});

Deno.test("with a delay, a request waits until the batch is full or the delay is over", async () => {
  const { runs, submit, release } = setUp({ batchDelay: 30 });
  const alone = submit(1);
  assertEquals(runs, []);
  await new Promise((resolve) => setTimeout(resolve, 60));
  await release();
  assertEquals([runs, await alone], [[[1]], -1]);
  const full = Promise.all([1, 2, 3, 4].map((x) => submit(x)));
  await Promise.resolve();
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals(runs.length, 2);
  await release();
  assertEquals(await full, [-1, -2, -3, -4]);
});

const FUNCTIONS: Record<string, { independent: boolean; of: (rows: number[][]) => number[][] }> = {
  "each row is computed separately": { independent: true, of: (rows) => rows.map((row) => row.map((x) => x * x)) },
  "the mean of the rows is subtracted": {
    independent: false,
    of: (rows) => rows.map((row) => row.map((x, i) => x - mean(rows, i))),
  },
  "the largest element of all rows determines the quantisation step": {
    independent: false,
    of: (rows) => {
      const step = Math.max(...rows.flat().map(Math.abs)) / 127;
      return rows.map((row) => row.map((x) => Math.round(x / step) * step));
    },
  },
  "a mean over earlier rows": { independent: false, of: (rows) => rows.map((_, n) => [mean(rows.slice(0, n + 1), 0)]) },
};

const mean = (rows: number[][], i: number) => rows.reduce((sum, row) => sum + row[i]!, 0) / rows.length;

for (const [name, { independent, of }] of Object.entries(FUNCTIONS)) {
  Deno.test(`test runs find out whether rows are independent: ${name}`, async () => {
    const run = ({ x }: Inputs): Promise<Outputs> => {
      const [rows, width] = x!.shape as [number, number];
      const data = of(
        Array.from({ length: rows }, (_, n) => Array.from(x!.data.subarray(n * width, (n + 1) * width), Number)),
      );
      const shape = [rows, data[0]!.length];
      return Promise.resolve({ y: { data: Float32Array.from(data.flat()), shape, dataType: "float32" as const } });
    };
    assertEquals(await rowsAreIndependent(run, request(0, 0, 0)), independent);
  });
}

Deno.test("models with operators that may mix rows undetected are not batched by default", () => {
  assertEquals(mixingOperator(["MatMul", "DynamicQuantizeLinear"]), "DynamicQuantizeLinear");
  assertEquals(mixingOperator(["MatMul", "Conv"]), undefined);
});
