/** A device made of several: which one runs a graph, why the others do not, and when tensors are copied. */
import { assertEquals, assertRejects } from "@std/assert";
import { graphInfo, MLGraphBuilder } from "@webnn/deno";
import { createMLContext, type MLContext } from "../../src/api/ml_context.ts";
import type { MLOperand } from "../../src/api/ml_operand.ts";
import { type LateDevice, openComposite } from "../../src/backends/composite.ts";
import { testBackend, whenClosed } from "../support/backend_contract.ts";
import { openSimulatedDevice } from "../support/simulated_device.ts";

const FLOAT = { dataType: "float32", shape: [2] } as const;

function open() {
  const preferred = openSimulatedDevice(1, "preferred", ["add", "relu"]);
  const fallback = openSimulatedDevice(2, "fallback");
  return {
    preferred,
    fallback,
    context: createMLContext(openComposite(preferred, { kind: "open", device: fallback })),
  };
}

async function build(context: MLContext, body: (builder: MLGraphBuilder, x: MLOperand) => MLOperand) {
  const builder = new MLGraphBuilder(context);
  return await builder.build({ y: body(builder, builder.input("x", FLOAT)) });
}

testBackend(
  "composite whose preferred device runs all graphs",
  () => openComposite(openSimulatedDevice(1), { kind: "open", device: openSimulatedDevice(2) }),
);
testBackend(
  "composite whose fallback runs some graphs",
  () => openComposite(openSimulatedDevice(1, "preferred", ["add"]), { kind: "open", device: openSimulatedDevice(2) }),
);

Deno.test("composite: one device runs the whole graph; graphInfo says which, and why the others do not", async () => {
  const { context } = open();
  const sum = await build(context, (builder, x) => builder.add(x, x));
  const mixed = await build(context, (builder, x) => builder.mul(builder.relu(x), x));
  assertEquals([graphInfo(sum).devices, graphInfo(mixed).devices], [["preferred"], ["fallback"]]);
  assertEquals([graphInfo(sum).provider, graphInfo(sum).refusals], ["preferred", []]);
  assertEquals(graphInfo(mixed), {
    backend: "fallback",
    provider: "fallback",
    devices: ["fallback"],
    elsewhere: [],
    refusals: [{ backend: "preferred", provider: "preferred", reason: "the operand a of mul cannot be float32" }],
  });
  context.destroy();
});

Deno.test("composite: a graph that the preferred device cannot compile goes to the fallback, and reports the error", async () => {
  const { preferred, context } = open();
  preferred.fail("compile", "no such operator after all");
  const graph = await build(context, (builder, x) => builder.add(x, builder.constant(FLOAT, Float32Array.of(1, 2))));
  assertEquals(graphInfo(graph).devices, ["fallback"]);
  assertEquals(graphInfo(graph).refusals.map(({ reason }) => reason), ["no such operator after all"]);
  context.destroy();
});

Deno.test("composite: constants are stored once, and the fallback gets them with the graph", async () => {
  const { preferred, fallback, context } = open();
  const builder = new MLGraphBuilder(context);
  const constants = [1, 2, 3].map((value) => builder.constant(FLOAT, Float32Array.of(value, value)));
  const y = constants.reduce((sum, constant) => builder.mul(sum, constant), builder.input("x", FLOAT));
  assertEquals([preferred.live.size, fallback.live.size], [3, 0]);
  const graph = await builder.build({ y });
  assertEquals([graphInfo(graph).devices, preferred.live.size, fallback.live.size], [["fallback"], 0, 1]);
  context.destroy();
});

Deno.test("composite: constants for which the fallback has no memory leave nothing behind", async () => {
  const { preferred, fallback, context } = open();
  const { store } = fallback;
  let count = 0;
  fallback.store = (bytes) => {
    if (++count === 2) fallback.fail("store", "no memory");
    return store(bytes);
  };
  const building = build(context, (builder, x) => {
    const constants = [1, 2, 3].map((value) => builder.constant(FLOAT, Float32Array.of(value, value)));
    return constants.reduce((product, constant) => builder.mul(product, constant), x);
  });
  await assertRejects(
    () => building,
    DOMException,
    "preferred: the operand a of mul cannot be float32; fallback: no memory",
  );
  assertEquals([preferred.live.size, fallback.live.size], [0, 0]);
  context.destroy();
});

Deno.test("composite: the error for a graph that no device can compile has every reason", async () => {
  const { preferred, fallback, context } = open();
  preferred.fail("compile", "not here");
  fallback.fail("compile", "nor there");
  await assertRejects(
    () => build(context, (builder, x) => builder.relu(x)),
    DOMException,
    "preferred: not here; fallback: nor there",
  );
  context.destroy();
});

/** A device that is opened when a graph needs it, and the number of attempts to open it. */
function late(openIt: () => Promise<ReturnType<typeof openSimulatedDevice>>) {
  const device: LateDevice & { attempts: number } = {
    kind: "late",
    engine: { backend: "late", provider: "late" },
    attempts: 0,
    open() {
      device.attempts++;
      return openIt();
    },
  };
  return device;
}

Deno.test("composite: a device in between is opened once, by its first graph, and closed", async () => {
  const between = openSimulatedDevice(3, "between", ["add", "mul"]);
  const [preferred, last] = [openSimulatedDevice(1, "preferred", ["add"]), openSimulatedDevice(2, "last")];
  const member = late(() => Promise.resolve(between));
  const context = createMLContext(openComposite(preferred, member, { kind: "open", device: last }));
  await build(context, (builder, x) => builder.add(x, x));
  assertEquals(member.attempts, 0);
  const [square, again, other] = await Promise.all([
    build(context, (builder, x) => builder.mul(x, x)),
    build(context, (builder, x) => builder.mul(x, builder.add(x, x))),
    build(context, (builder, x) => builder.relu(x)),
  ]);
  assertEquals([square, again, other].map((graph) => graphInfo(graph).devices), [["between"], ["between"], ["last"]]);
  assertEquals(graphInfo(other).refusals.map(({ backend }) => backend), ["preferred", "late"]);
  assertEquals(member.attempts, 1);
  const x = await context.createTensor({ ...FLOAT, writable: true });
  const y = await context.createTensor({ ...FLOAT, readable: true });
  context.writeTensor(x, Float32Array.of(3, 4));
  context.dispatch(square, { x }, { y });
  assertEquals([...new Float32Array(await context.readTensor(y))], [9, 16]);
  const released = Promise.all([preferred, between, last].map(whenClosed));
  context.destroy();
  await released;
  assertEquals([preferred.live.size, between.live.size, last.live.size], [0, 0, 0]);
});

Deno.test("composite: a device that cannot be opened is reported as a reason", async () => {
  const absent = late(() => Promise.reject(new Error("no library")));
  const context = createMLContext(openComposite(openSimulatedDevice(1, "preferred", ["add"]), absent));
  assertEquals(context.opSupportLimits().mul.a.dataTypes, []); // The limits are those of the open devices.
  const failing = openSimulatedDevice(1, "preferred", ["add"]);
  failing.fail("compile", "not today");
  const other = createMLContext(openComposite(failing, absent));
  await assertRejects(
    () => build(other, (builder, x) => builder.add(x, x)),
    DOMException,
    "preferred: not today; late: no library",
  );
  for (const each of [context, other]) each.destroy();
});

Deno.test("composite: if one device is lost, all are", async () => {
  for (const index of [0, 1]) {
    const { preferred, fallback, context } = open();
    [preferred, fallback][index]!.lose(`number ${index}`);
    assertEquals((await context.lost).message.includes(`number ${index}`), true);
  }
});

Deno.test("composite: contents are copied only when a graph of the other device needs them", async () => {
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
  assertEquals(count(fallback.log), 2); // x was copied to the fallback, y from it
  const released = Promise.all([preferred, fallback].map(whenClosed));
  context.destroy();
  await released;
  assertEquals([preferred.live.size, fallback.live.size], [0, 0]);
});

function count(log: readonly string[]): number {
  return log.filter((operation) => operation === "read" || operation === "write").length;
}
