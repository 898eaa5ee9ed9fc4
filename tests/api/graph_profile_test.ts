import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  createContext,
  describeGraph,
  type GraphProfile,
  graphProfile,
  type MLContext,
  type MLGraph,
  MLGraphBuilder,
} from "../../mod.ts";
import { sharedContext } from "../support/builder.ts";

const SHAPE = [1, 8, 24, 24];

/** Two convolutions with activations, which the engine fuses; a GELU as separate operators, which a rewrite fuses; and a constant. */
async function build(context: MLContext): Promise<MLGraph> {
  const b = new MLGraphBuilder(context);
  const float = (value: number) => b.constant("float32", value);
  const filter = b.constant({ dataType: "float32", shape: [8, 8, 3, 3] }, new Float32Array(576).fill(0.01));
  const x = b.input("x", { dataType: "float32", shape: SHAPE });
  const stem = b.relu(b.conv2d(x, filter, { padding: [1, 1, 1, 1], label: "stem" }));
  const y = b.relu(b.conv2d(stem, filter, { padding: [1, 1, 1, 1], label: "second" }));
  const erf = b.erf(b.mul(y, float(Math.SQRT1_2)));
  const gelu = b.mul(b.mul(y, b.add(erf, float(1))), float(0.5));
  return await b.build({ y: b.softmax(b.add(gelu, b.exp(float(0))), 1) });
}

async function run(context: MLContext, graph: MLGraph, times: number): Promise<void> {
  const x = await context.createTensor({ dataType: "float32", shape: SHAPE });
  const y = await context.createTensor({ dataType: "float32", shape: SHAPE, readable: true });
  for (let i = 0; i < times; i++) {
    context.dispatch(graph, { x }, { y });
    await context.readTensor(y);
  }
}

async function profile(times: number): Promise<{ graph: MLGraph; context: MLContext; measured: GraphProfile }> {
  const context = await createContext({ profile: true, threads: 1 });
  const graph = await build(context);
  await run(context, graph, times);
  return { context, graph, measured: await graphProfile(graph) };
}

Deno.test("operator times add up to the time of the run, and node times lie within it", async () => {
  const { context, measured } = await profile(6);
  const { nodes, operators, runs, time } = measured;
  assertEquals(runs, 6);
  const sum = operators.reduce((total, operator) => total + operator.time, 0);
  assert(time > 0 && Math.abs(sum - time) < 1e-9 * time, `${sum} of ${time} ms`);
  assert(Math.abs(operators.reduce((total, { share }) => total + share, 0) - 1) < 1e-9);
  assertEquals(operators.toSorted((a, b) => b.time - a.time), operators);
  for (const [i, node] of nodes.entries()) {
    assert(node.start >= 0 && node.time >= 0 && node.start + node.time <= time + 1e-3);
    assert(i === 0 || node.start >= nodes[i - 1]!.start);
  }
  context.destroy();
});

Deno.test("every operation belongs to the engine node that computes it", async () => {
  const { context, graph, measured } = await profile(2);
  const described = describeGraph(graph).nodes;
  const operatorAt = (i: number) => {
    const node = described[i]!;
    return node.kind === "operator" ? node.operator : node.kind;
  };
  const byOperator = new Map(measured.nodes.map(({ operator, nodes }) => [operator, nodes.map(operatorAt)]));
  const labelAt = (i: number) => {
    const node = described[i];
    return node?.kind === "operator" ? node.label || node.operator : "";
  };
  const labels = measured.nodes.filter(({ operator }) => operator === "conv2d").map(({ nodes }) => nodes.map(labelAt));
  assertEquals(labels, [["stem", "relu"], ["second", "relu"]]);
  assertEquals(byOperator.get("gelu")?.toSorted(), ["add", "erf", "mul", "mul", "mul"]);
  assertEquals(byOperator.get("softmax"), ["softmax"]);
  // Operations that depend only on constants are computed during the build.
  const exp = described.findIndex((node) => node.kind === "operator" && node.operator === "exp");
  assert(measured.nodes.every(({ nodes }) => !nodes.includes(exp)));
  const stem = measured.nodes.find(({ operator }) => operator === "conv2d");
  assert(stem !== undefined && stem.kernel.endsWith("Conv"), stem?.kernel);
  assertEquals(stem.provider, "CPUExecutionProvider");
  assertEquals(stem.outputBytes, 4 * 8 * 24 * 24);
  assert(measured.peakBytes >= 2 * 4 * 8 * 24 * 24);
  context.destroy();
});

Deno.test("the first call of graphProfile ends the measurement", async () => {
  const { context, graph, measured } = await profile(2);
  await run(context, graph, 1);
  assertEquals(await graphProfile(graph), measured);
  context.destroy();
});

Deno.test("graphProfile rejects graphs that are not profiled, have not run or are destroyed", async () => {
  const plain = await build(await sharedContext());
  const cases: [() => Promise<GraphProfile>, string][] = [[
    () => graphProfile(plain),
    "create its context with the option profile: true",
  ]];
  const context = await createContext({ profile: true });
  const idle = await build(context);
  cases.push([() => graphProfile(idle), "has not run yet"]);
  const gone = await build(context);
  gone.destroy();
  cases.push([() => graphProfile(gone), "is destroyed"]);
  for (const [call, message] of cases) {
    assertEquals((await assertRejects(call, DOMException, message)).name, "InvalidStateError");
  }
  await assertRejects(() => graphProfile({} as MLGraph), TypeError, "graphProfile: graph");
  context.destroy();
  plain.destroy();
});

Deno.test("the engine's profile files are deleted", async () => {
  const folder = await Deno.makeTempDir();
  const before = Deno.env.get("TMPDIR");
  Deno.env.set("TMPDIR", folder);
  try {
    const { context, graph } = await profile(2);
    const unread = await build(context);
    await run(context, unread, 1);
    assertEquals([...Deno.readDirSync(folder)].length, Deno.build.os === "windows" ? 0 : 2);
    await graph[Symbol.asyncDispose]();
    await unread[Symbol.asyncDispose]();
    context.destroy();
    assertEquals([...Deno.readDirSync(folder)], []);
  } finally {
    if (before === undefined) Deno.env.delete("TMPDIR");
    else Deno.env.set("TMPDIR", before);
    await Deno.remove(folder, { recursive: true });
  }
});
