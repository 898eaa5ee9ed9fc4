/**
 * The contract of all backends, tested through the standard's interfaces, which must behave in the same way on each.
 *
 * @module
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { MLGraphBuilder } from "@webnn/deno";
import { createMLContext, type MLContext } from "../../src/api/ml_context.ts";
import type { MLTensor } from "../../src/api/ml_tensor.ts";
import type { MLOperand } from "../../src/api/ml_operand.ts";
import type { Device } from "../../src/backends/backend.ts";

const SHAPE = [2, 2];
const FLOAT = { dataType: "float32", shape: SHAPE } as const;

/** Registers the tests of the contract for the devices that `open` returns. */
export function testBackend(name: string, open: () => Device | Promise<Device>): void {
  const test = (title: string, run: (context: MLContext) => Promise<void>) =>
    Deno.test(`${name}: ${title}`, async () => {
      const device = await open();
      const closed = whenClosed(device);
      const context = createMLContext(device);
      await run(context);
      context.destroy();
      await closed; // Waits until work in flight is done and everything is released.
    });

  test("a new tensor is zero", async (context) => {
    const tensor = await context.createTensor({ ...FLOAT, readable: true });
    assertEquals(await read(context, tensor), [0, 0, 0, 0]);
  });

  test("reads return what was written, for all kinds of buffers", async (context) => {
    const tensor = await createTensor(context);
    context.writeTensor(tensor, Float32Array.of(1, 2, 3, 4).buffer);
    assertEquals(await read(context, tensor), [1, 2, 3, 4]);
    const shared = new Float32Array(new SharedArrayBuffer(24), 4, 5);
    assertEquals(await context.readTensor(tensor, shared), undefined);
    assertEquals([...shared], [1, 2, 3, 4, 0]);
  });

  test("writes, dispatches and reads happen in the order of the calls", async (context) => {
    const graph = await build(context, (builder, x) => builder.add(x, builder.constant("float32", 1)));
    const [input, output] = [await createTensor(context), await createTensor(context)];
    const data = Float32Array.of(1, 1, 1, 1);
    context.writeTensor(input, data);
    data.fill(100); // The call has copied the bytes.
    context.dispatch(graph, { x: input }, { y: output });
    const first = read(context, output);
    context.writeTensor(input, Float32Array.of(5, 5, 5, 5));
    context.dispatch(graph, { x: input }, { y: output });
    context.dispatch(graph, { x: output }, { y: input });
    assertEquals([await first, await read(context, output), await read(context, input)], [
      [2, 2, 2, 2],
      [6, 6, 6, 6],
      [7, 7, 7, 7],
    ]);
  });

  test("constants are copied by the call", async (context) => {
    const data = Float32Array.of(1, 2, 3, 4);
    const graph = await build(context, (builder, x) => {
      const constant = builder.constant(FLOAT, data);
      data.fill(0);
      return builder.mul(x, constant);
    });
    assertEquals(await run(context, graph, [1, 1, 1, 1]), [1, 2, 3, 4]);
  });

  test("two graphs can share a constant tensor, which may be destroyed before them", async (context) => {
    const large = { dataType: "float32", shape: [16, 16] } as const;
    const weights = await context.createConstantTensor(large, new Float32Array(256).fill(0.5));
    const graphs = [];
    for (let i = 0; i < 2; i++) {
      const builder = new MLGraphBuilder(context);
      graphs.push(await builder.build({ y: builder.mul(builder.input("x", large), builder.constant(weights)) }));
    }
    weights.destroy();
    const results = await Promise.all(graphs.map((graph) => run(context, graph, new Array(256).fill(4), large.shape)));
    assertEquals(results, [new Array(256).fill(2), new Array(256).fill(2)]);
    graphs[0]!.destroy();
    assertEquals(await run(context, graphs[1]!, new Array(256).fill(6), large.shape), new Array(256).fill(3));
  });

  test("a graph contains only what its outputs need; an operand can be two outputs", async (context) => {
    const builder = new MLGraphBuilder(context);
    const x = builder.input("x", FLOAT);
    builder.add(builder.input("unused", FLOAT), builder.constant(FLOAT, new Float32Array(4)));
    const y = builder.relu(x);
    const graph = await builder.build({ y, again: y });
    const [input, first, second] = [
      await createTensor(context),
      await createTensor(context),
      await createTensor(context),
    ];
    context.writeTensor(input, Float32Array.of(-1, 2, -3, 4));
    context.dispatch(graph, { x: input }, { y: first, again: second });
    assertEquals([await read(context, first), await read(context, second)], [[0, 2, 0, 4], [0, 2, 0, 4]]);
  });

  test("a graph may have no inputs", async (context) => {
    const builder = new MLGraphBuilder(context);
    const constant = builder.constant(FLOAT, Float32Array.of(1, 2, 3, 4));
    const graph = await builder.build({ y: builder.add(constant, constant) });
    const output = await createTensor(context);
    context.dispatch(graph, {}, { y: output });
    assertEquals(await read(context, output), [2, 4, 6, 8]);
  });

  test("inputs, constants and results keep their types and shapes", async (context) => {
    const builder = new MLGraphBuilder(context);
    const a = builder.input("a", { dataType: "int32", shape: [2, 1] });
    const b = builder.constant({ dataType: "int32", shape: [3] }, Int32Array.of(1, 2, 3));
    const sum = builder.add(a, b);
    assertEquals([sum.dataType, sum.shape], ["int32", [2, 3]]);
    const graph = await builder.build({ sum });
    const input = await context.createTensor({ dataType: "int32", shape: [2, 1], writable: true });
    const output = await context.createTensor({ dataType: "int32", shape: [2, 3], readable: true });
    context.writeTensor(input, Int32Array.of(10, 20));
    context.dispatch(graph, { a: input }, { sum: output });
    assertEquals([...new Int32Array(await context.readTensor(output))], [11, 12, 13, 21, 22, 23]);
  });

  test("a destroyed tensor rejects pending reads, and cannot be used", async (context) => {
    const graph = await build(context, (builder, x) => builder.relu(x));
    const [input, output] = [await createTensor(context), await createTensor(context)];
    context.dispatch(graph, { x: input }, { y: output });
    const reading = assertDoneOrDestroyed(context, output);
    output.destroy();
    output.destroy();
    await reading;
    await assertRejects(() => context.readTensor(output), DOMException, "destroyed");
    assertThrows(() => context.writeTensor(output, new Float32Array(4)), DOMException, "destroyed");
    assertThrows(() => context.dispatch(graph, { x: input }, { y: output }), DOMException, "destroyed");
  });

  test("a destroyed graph finishes its queued runs, and cannot be dispatched", async (context) => {
    const graph = await build(context, (builder, x) => builder.add(x, x));
    const [input, output] = [await createTensor(context), await createTensor(context)];
    context.writeTensor(input, Float32Array.of(1, 2, 3, 4));
    context.dispatch(graph, { x: input }, { y: output });
    graph.destroy();
    graph.destroy();
    assertEquals(await read(context, output), [2, 4, 6, 8]);
    assertThrows(() => context.dispatch(graph, { x: input }, { y: output }), DOMException, "destroyed");
  });

  test("destroying the context rejects pending promises, and resolves lost", async (context) => {
    const graph = await build(context, (builder, x) => builder.relu(x));
    const [input, output] = [await createTensor(context), await createTensor(context)];
    context.dispatch(graph, { x: input }, { y: output });
    const building = build(context, (builder, x) => builder.add(x, x));
    const allocating = context.createTensor(FLOAT);
    const reading = context.readTensor(output);
    context.destroy();
    context.destroy();
    const states = await Promise.allSettled([building, allocating, reading]);
    for (const state of states) {
      // Promises of finished work may resolve.
      if (state.status === "rejected") assertEquals((state.reason as DOMException).name, "InvalidStateError");
    }
    assert((await context.lost).message.length > 0);
    await assertRejects(() => context.createTensor(FLOAT), DOMException);
    assertThrows(() => context.dispatch(graph, { x: input }, { y: output }), DOMException);
    assertThrows(() => new MLGraphBuilder(context), DOMException);
  });

  test("unsupported data types are rejected, and missing in the limits", async (context) => {
    const limits = context.opSupportLimits();
    for (const dataType of ["float32", "int32", "float16", "int64", "uint8"] as const) {
      const isSupported = limits.input.dataTypes.includes(dataType);
      const builder = new MLGraphBuilder(context);
      if (isSupported) builder.input("x", { dataType, shape: [1] });
      else assertThrows(() => builder.input("x", { dataType, shape: [1] }), TypeError, dataType);
    }
    await Promise.resolve();
  });
}

/** Resolves when the device is closed, which is the last step of the timeline. */
export function whenClosed(device: Device): Promise<void> {
  const close = device.close.bind(device);
  return new Promise((resolve) => {
    device.close = () => {
      close();
      resolve();
    };
  });
}

type Body = (builder: MLGraphBuilder, x: MLOperand) => MLOperand;

function build(context: MLContext, body: Body, descriptor: { dataType: "float32"; shape: readonly number[] } = FLOAT) {
  const builder = new MLGraphBuilder(context);
  return builder.build({ y: body(builder, builder.input("x", descriptor)) });
}

function createTensor(context: MLContext, shape: readonly number[] = SHAPE): Promise<MLTensor> {
  return context.createTensor({ dataType: "float32", shape, readable: true, writable: true });
}

async function run(
  context: MLContext,
  graph: Awaited<ReturnType<typeof build>>,
  data: readonly number[],
  shape: readonly number[] = SHAPE,
): Promise<number[]> {
  using input = await createTensor(context, shape);
  using output = await createTensor(context, shape);
  context.writeTensor(input, Float32Array.from(data));
  context.dispatch(graph, { x: input }, { y: output });
  return await read(context, output);
}

async function read(context: MLContext, tensor: MLTensor): Promise<number[]> {
  return [...new Float32Array(await context.readTensor(tensor))];
}

/** Asserts that a read resolves, or rejects with an InvalidStateError. */
async function assertDoneOrDestroyed(context: MLContext, tensor: MLTensor): Promise<void> {
  try {
    await context.readTensor(tensor);
  } catch (error) {
    assertEquals((error as DOMException).name, "InvalidStateError");
  }
}
