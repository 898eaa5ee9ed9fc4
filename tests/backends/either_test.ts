/** A device made of two: which of them takes a graph, and how tensors follow. */
import { assertEquals, assertRejects } from "@std/assert";
import { MLGraphBuilder } from "@webnn/deno";
import { createMLContext, type MLContext } from "../../src/api/ml_context.ts";
import type { MLOperand } from "../../src/api/ml_operand.ts";
import { openEither } from "../../src/backends/either.ts";
import { testBackend, whenClosed } from "../support/backend_contract.ts";
import { openSimulatedDevice } from "../support/simulated_device.ts";

const FLOAT = { dataType: "float32", shape: [2] } as const;

function open() {
  const preferred = openSimulatedDevice(1, "preferred", ["add", "relu"]);
  const fallback = openSimulatedDevice(2, "fallback");
  return { preferred, fallback, context: createMLContext(openEither(preferred, fallback)) };
}

async function build(context: MLContext, body: (builder: MLGraphBuilder, x: MLOperand) => MLOperand) {
  const builder = new MLGraphBuilder(context);
  return await builder.build({ y: body(builder, builder.input("x", FLOAT)) });
}

testBackend(
  "either, where all goes to the preferred device",
  () => openEither(openSimulatedDevice(1), openSimulatedDevice(2)),
);
testBackend(
  "either, where some goes to the fallback",
  () => openEither(openSimulatedDevice(1, "preferred", ["add"]), openSimulatedDevice(2)),
);

Deno.test("either: a graph goes as a whole, and says where", async () => {
  const { context } = open();
  const sum = await build(context, (builder, x) => builder.add(x, x));
  const mixed = await build(context, (builder, x) => builder.mul(builder.relu(x), x));
  assertEquals([sum.devices, mixed.devices], [["preferred"], ["fallback"]]);
  context.destroy();
});

Deno.test("either: a graph that the preferred device cannot compile goes to the fallback", async () => {
  const { preferred, context } = open();
  preferred.fail("compile", "no such operator after all");
  const graph = await build(context, (builder, x) => builder.add(x, builder.constant(FLOAT, Float32Array.of(1, 2))));
  assertEquals(graph.devices, ["fallback"]);
  context.destroy();
});

Deno.test("either: a graph that neither can compile is an error", async () => {
  const { preferred, fallback, context } = open();
  preferred.fail("compile", "not here");
  fallback.fail("compile", "nor there");
  await assertRejects(() => build(context, (builder, x) => builder.relu(x)), DOMException, "nor there");
  context.destroy();
});

Deno.test("either: contents move only when a graph of the other device needs them", async () => {
  const { preferred, fallback, context } = open();
  const sum = await build(context, (builder, x) => builder.add(x, x));
  const square = await build(context, (builder, x) => builder.mul(x, x));
  const x = await context.createTensor({ ...FLOAT, writable: true, readable: true });
  const y = await context.createTensor({ ...FLOAT, readable: true });
  context.writeTensor(x, Float32Array.of(1, 2));
  context.dispatch(sum, { x }, { y });
  context.dispatch(sum, { x: y }, { y: x });
  assertEquals([...new Float32Array(await context.readTensor(x))], [4, 8]);
  assertEquals(count(fallback.log), 0);
  context.dispatch(square, { x }, { y });
  context.dispatch(sum, { x: y }, { y: x });
  assertEquals([...new Float32Array(await context.readTensor(x))], [32, 128]);
  assertEquals([...new Float32Array(await context.readTensor(y))], [16, 64]);
  assertEquals(count(fallback.log), 2); // x came, y went
  const released = Promise.all([preferred, fallback].map(whenClosed));
  context.destroy();
  await released;
  assertEquals([preferred.live.size, fallback.live.size], [0, 0]);
});

function count(log: readonly string[]): number {
  return log.filter((operation) => operation === "read" || operation === "write").length;
}
