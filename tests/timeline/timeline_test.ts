/** Failures, recovery, loss and lifetimes, on a simulated device that fails on demand. */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { MLGraphBuilder } from "@webnn/deno";
import { createMLContext, type MLContext } from "../../src/api/ml_context.ts";
import type { MLGraph } from "../../src/api/ml_graph.ts";
import type { MLTensor } from "../../src/api/ml_tensor.ts";
import { Queue } from "../../src/timeline/queue.ts";
import { runChild } from "../../support/child.ts";
import { openSimulatedDevice, type SimulatedDevice } from "../support/simulated_device.ts";

const FLOAT = { dataType: "float32", shape: [2] } as const;
const TENSOR = { ...FLOAT, readable: true, writable: true };

/** A context with a graph `y = x + 1` and three tensors. */
interface Setting {
  readonly device: SimulatedDevice;
  readonly context: MLContext;
  readonly graph: MLGraph;
  readonly x: MLTensor;
  readonly y: MLTensor;
  readonly z: MLTensor;
  /** The arguments of console.error. */
  readonly printed: unknown[];
}

function test(title: string, run: (setting: Setting) => Promise<void>): void {
  Deno.test(title, async () => {
    const device = openSimulatedDevice(7);
    const context = createMLContext(device);
    const builder = new MLGraphBuilder(context);
    const graph = await builder.build({ y: builder.add(builder.input("x", FLOAT), builder.constant("float32", 1)) });
    const [x, y, z] = await Promise.all([TENSOR, TENSOR, TENSOR].map((tensor) => context.createTensor(tensor)));
    const printed: unknown[] = [];
    const original = console.error;
    console.error = (...values) => printed.push(...values);
    try {
      await run({ device, context, graph, x: x!, y: y!, z: z!, printed });
      await context[Symbol.asyncDispose]();
      assertEquals(device.live.size, 0);
    } finally {
      console.error = original;
    }
  });
}

async function values(context: MLContext, tensor: MLTensor): Promise<number[]> {
  return [...new Float32Array(await context.readTensor(tensor))];
}

test("a failed dispatch poisons its output, and every read of it rejects with the engine's error as cause", async ({ device, context, graph, x, y, printed }) => {
  device.fail("run", "the engine's message");
  context.dispatch(graph, { x }, { y });
  const error = await assertRejects(() => context.readTensor(y), DOMException, "the engine's message");
  assertEquals(error.name, "OperationError");
  assertEquals((error.cause as Error).message, "the engine's message");
  assertStrictEquals(await assertRejects(() => context.readTensor(y), DOMException), error);
  assertEquals(await values(context, x), [0, 0]);
  assertEquals(printed, []);
});

test("a dispatch that reads a poisoned tensor does not run and poisons its own output", async ({ device, context, graph, x, y, z }) => {
  device.fail("run", "first");
  context.dispatch(graph, { x }, { y });
  context.dispatch(graph, { x: y }, { y: z });
  await assertRejects(() => context.readTensor(z), DOMException, "first");
  assertEquals(device.log.filter((operation) => operation === "run").length, 1);
});

test("a write or a successful dispatch makes a poisoned tensor valid again", async ({ device, context, graph, x, y, printed }) => {
  device.fail("run", "once");
  context.dispatch(graph, { x }, { y });
  await assertRejects(() => context.readTensor(y), DOMException);
  context.writeTensor(y, Float32Array.of(5, 6));
  assertEquals(await values(context, y), [5, 6]);
  device.fail("run", "twice");
  context.dispatch(graph, { x }, { y });
  await assertRejects(() => context.readTensor(y), DOMException);
  context.dispatch(graph, { x }, { y });
  assertEquals(await values(context, y), [1, 1]);
  assertEquals(printed, []);
});

test("a failure that no read reported is printed once, when its tensor is overwritten", async ({ device, context, graph, x, y, z, printed }) => {
  device.fail("run", "unread");
  context.dispatch(graph, { x }, { y });
  context.dispatch(graph, { x: y }, { y: z });
  context.writeTensor(y, new Float32Array(2));
  context.writeTensor(z, new Float32Array(2));
  await values(context, z);
  assertEquals(printed.map((error) => (error as Error).message), ["unread"]);
});

test("a failure that no read reported is printed once, when the context is destroyed", async ({ device, context, graph, x, y, z, printed }) => {
  device.fail("run", "unread");
  context.dispatch(graph, { x }, { y });
  await values(context, z);
  y.destroy();
  await context[Symbol.asyncDispose]();
  assertEquals(printed.map((error) => (error as Error).message), ["unread"]);
});

test("failed writes poison tensors; failed reads, builds and allocations reject", async ({ device, context, x }) => {
  device.fail("write", "no write");
  context.writeTensor(x, new Float32Array(2));
  assertEquals((await assertRejects(() => context.readTensor(x), DOMException, "no write")).name, "OperationError");
  context.writeTensor(x, new Float32Array(2));
  device.fail("read", "no read");
  assertEquals((await assertRejects(() => context.readTensor(x), DOMException, "no read")).name, "OperationError");
  device.fail("createTensor", "no memory");
  assertEquals(
    (await assertRejects(() => context.createTensor(TENSOR), DOMException, "no memory")).name,
    "UnknownError",
  );
  device.fail("store", "no memory");
  const stored = await assertRejects(() => context.createConstantTensor(FLOAT, new Float32Array(2)), DOMException);
  assertEquals(stored.name, "UnknownError");
  device.fail("compile", "no build");
  const builder = new MLGraphBuilder(context);
  const building = builder.build({ y: builder.relu(builder.input("x", FLOAT)) });
  assertEquals((await assertRejects(() => building, DOMException, "no build")).name, "OperationError");
});

test("the copy for a waiting write is freed after it is written; the caller's own buffer stays attached", async ({ context, device, graph, x, y }) => {
  const own = Float32Array.of(1, 2);
  context.dispatch(graph, { x }, { y }); // The queue is busy from here on.
  context.writeTensor(x, own);
  own.set([3, 4]);
  context.writeTensor(x, own);
  assertEquals(await values(context, x), [3, 4]);
  assertEquals(device.written.map(({ buffer }) => buffer.detached), [true, true]);
  context.writeTensor(x, own);
  assertEquals(device.written.at(-1)!.buffer.detached, false);
  assertEquals([...own], [3, 4]);
});

test("a write that must wait throws if there is no memory for its copy, and has no other effect", async ({ context, device, graph, x, y }) => {
  context.writeTensor(x, Float32Array.of(1, 2));
  context.dispatch(graph, { x }, { y });
  device.fail("checkMemory", "12 MiB are needed, but only 3 MiB are available");
  const error = assertThrows(() => context.writeTensor(x, Float32Array.of(7, 7)), DOMException, "3 MiB are available");
  assertEquals(error.name, "UnknownError");
  assertStringIncludes(error.message, "await a read before you write more");
  context.writeTensor(x, Float32Array.of(5, 6));
  context.dispatch(graph, { x }, { y });
  assertEquals(await values(context, y), [6, 7]);
});

test("a read rejects if there is no memory for its result, and a later one succeeds", async ({ context, device, x }) => {
  context.writeTensor(x, Float32Array.of(1, 2));
  device.fail("checkMemory", "12 MiB are needed, but only 3 MiB are available");
  const error = await assertRejects(
    () => context.readTensor(x),
    DOMException,
    "MLContext.readTensor: there is not enough memory",
  );
  assertEquals(error.name, "UnknownError");
  assertEquals(await values(context, x), [1, 2]);
});

test("if the device is lost, pending reads reject with the reason", async ({ device, context, graph, x, y }) => {
  context.dispatch(graph, { x }, { y });
  const reading = assertRejects(() => context.readTensor(y), DOMException, "unplugged");
  device.lose("unplugged");
  assertEquals((await reading).name, "InvalidStateError");
  assertEquals(await context.lost, { message: "unplugged" });
  assert(device.log.includes("abort"));
});

test("native objects are released only after the last work that uses them", async ({ context, graph, x, y, z }) => {
  // The simulated device throws if a released object is used.
  context.writeTensor(x, Float32Array.of(1, 2));
  context.dispatch(graph, { x }, { y });
  x.destroy();
  context.dispatch(graph, { x: y }, { y: z });
  graph.destroy();
  y.destroy();
  assertEquals(await values(context, z), [3, 4]);
});

test("await using waits until the memory is released", async ({ device, context, graph, x }) => {
  const before = device.live.size;
  {
    await using output = await context.createTensor(TENSOR);
    context.dispatch(graph, { x }, { y: output });
    assertEquals(device.live.size, before + 1);
  }
  assertEquals(device.live.size, before);
});

Deno.test("a queue runs steps in order, and at once while it is idle", async () => {
  const queue = new Queue();
  const log: number[] = [];
  queue.add(() => void log.push(1));
  assertEquals(log, [1]);
  queue.add(() => new Promise((resolve) => setTimeout(resolve, 1)).then(() => void log.push(2)));
  assertEquals(queue.idle, false);
  queue.add(() => void log.push(3));
  queue.add(() => void queue.add(() => void log.push(5)));
  const done = new Promise<void>((resolve) => queue.add(() => (log.push(4), resolve())));
  await done;
  await Promise.resolve();
  assertEquals(log, [1, 2, 3, 4, 5]);
});

Deno.test("a queue of many synchronous steps lets the event loop run", async () => {
  const queue = new Queue();
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  queue.add(() => Promise.resolve());
  const busy = () => {
    for (const end = performance.now() + 1; performance.now() < end;);
  };
  for (let i = 0; i < 60; i++) queue.add(busy);
  await new Promise<void>((resolve) => queue.add(resolve));
  clearInterval(timer);
  assert(ticks > 3, `${ticks} ticks`);
});

Deno.test("after steps that blocked the thread for a while, the event loop runs", async () => {
  const queue = new Queue();
  const log: string[] = [];
  queue.add(() => queue.spend(100));
  assertEquals(queue.idle, false);
  setTimeout(() => log.push("timer"), 0);
  await new Promise((resolve) => setTimeout(resolve, 5)); // Now the timer is due, but the queue has seen no turn of the event loop.
  queue.add(() => void log.push("first"));
  queue.add(() => void log.push("second"));
  log.push("after the calls");
  await new Promise<void>((resolve) => queue.add(resolve));
  assertEquals(log, ["timer", "after the calls", "first", "second"]);
  assertEquals(queue.idle, true);
});

Deno.test("a queue that is never empty releases each step once it has begun", async () => {
  const { code, stdout, stderr } = await runChild(new URL("programs/held_steps.ts", import.meta.url), [], [
    "--v8-flags=--expose-gc",
  ]);
  assertEquals([code, stdout], [0, "released"], stderr);
});

Deno.test("a failure that is never read keeps no tensors", async () => {
  const { code, stdout, stderr } = await runChild(new URL("programs/unread_failures.ts", import.meta.url), [], [
    "--v8-flags=--expose-gc",
  ]);
  assertEquals([code, stdout], [0, "released"], stderr);
});

Deno.test("a queue can hold a million steps", async () => {
  const queue = new Queue();
  let count = 0;
  queue.add(() => Promise.resolve());
  for (let i = 0; i < 1e6; i++) queue.add(() => void count++);
  await new Promise<void>((resolve) => queue.add(resolve));
  assertEquals(count, 1e6);
});
