import { assert, assertEquals, assertThrows } from "@std/assert";
import { describeGraph, type MLGraph, MLGraphBuilder } from "../../mod.ts";
import { testOn, webgpu } from "../support/devices.ts";
import { createContext, graphInfo } from "../../mod.ts";
import { newBuilder } from "../support/builder.ts";

const FLOAT = { dataType: "float32", shape: [1, 2, 4, 4] } as const;

async function network(builder: MLGraphBuilder): Promise<MLGraph> {
  const x = builder.input("x", FLOAT);
  const filter = builder.constant({ dataType: "float32", shape: [3, 2, 1, 1] }, new Float32Array(6).fill(1));
  const stem = builder.conv2d(x, filter, { label: "stem", strides: [2, 2] });
  const [left, right] = builder.split(stem, [1, 2], { axis: 1 });
  return await builder.build({ joined: builder.concat([right!, left!], 1), left: builder.relu(left!) });
}

Deno.test("a graph is described by its inputs, constants, operations, outputs and edges", async () => {
  const graph = await network(await newBuilder());
  const { nodes, edges, peakBytes } = describeGraph(graph);
  assertEquals(nodes.map((node) => node.kind === "operator" ? node.operator : node.kind), [
    ...["input", "constant", "conv2d", "split", "concat", "relu", "output", "output"],
  ]);
  assertEquals(nodes[0], { kind: "input", name: "x", ...FLOAT, shape: [...FLOAT.shape] });
  assertEquals(nodes[1], { kind: "constant", dataType: "float32", shape: [3, 2, 1, 1] });
  assertEquals(nodes.slice(6).map((node) => node.kind === "output" && node.name), ["joined", "left"]);
  assertEquals(edges.map(({ from, output, to, operand }) => [from, output, to, operand]), [
    [0, 0, 2, "input"],
    [1, 0, 2, "filter"],
    [2, 0, 3, "input"],
    [3, 1, 4, "inputs[0]"],
    [3, 0, 4, "inputs[1]"],
    [3, 0, 5, "input"],
    [4, 0, 6, ""],
    [5, 0, 7, ""],
  ]);
  assertEquals(edges[3]?.shape, [1, 2, 2, 2]);
  // Both parts of the stem, and also the stem or the result of the concatenation.
  assertEquals(peakBytes, 2 * 4 * 3 * 2 * 2);
  graph.destroy();
});

Deno.test("an operation has its label, its complete attributes, its outputs and its device", async () => {
  const graph = await network(await newBuilder());
  const stem = describeGraph(graph).nodes[2];
  assert(stem?.kind === "operator");
  assertEquals([stem.label, stem.device], ["stem", "cpu"]);
  assertEquals(stem.attributes.strides, [2, 2]);
  assertEquals(stem.attributes.dilations, [1, 1]);
  assertEquals(stem.outputs, [{ dataType: "float32", shape: [1, 3, 2, 2] }]);
  assertEquals(stem.multiplyAdds, 3 * 2 * 2 * 2);
  graph.destroy();
});

Deno.test("changing a description does not change the graph", async () => {
  const graph = await network(await newBuilder());
  const stem = describeGraph(graph).nodes[2];
  assert(stem?.kind === "operator");
  (stem.attributes.strides as number[])[0] = 7;
  (stem.outputs[0]!.shape as number[])[0] = 7;
  const again = describeGraph(graph).nodes[2];
  assert(again?.kind === "operator");
  assertEquals(again.attributes.strides, [2, 2]);
  assertEquals(again.outputs[0]?.shape[0], 1);
  graph.destroy();
});

Deno.test("a destroyed graph can still be described", async () => {
  const graph = await network(await newBuilder());
  const before = describeGraph(graph);
  graph.destroy();
  assertEquals(describeGraph(graph), before);
});

Deno.test("anything but an MLGraph is a TypeError", () => {
  assertThrows(() => describeGraph({} as MLGraph), TypeError, "describeGraph: graph");
});

testOn(webgpu, "an operation that the device does not support is on the CPU", async () => {
  await using context = await createContext(webgpu.options);
  const builder = new MLGraphBuilder(context);
  const x = builder.input("x", { dataType: "float32", shape: [4, 4] });
  const sum = builder.cumulativeSum(builder.cast(builder.relu(x), "int64"), 0);
  const graph = await builder.build({ y: builder.cast(sum, "float32") });
  const names = graphInfo(graph).elsewhere.map(({ node }) => node.split(" ")[0]);
  const onCpu = describeGraph(graph).nodes.flatMap((node) =>
    node.kind === "operator" && node.device === "cpu" ? [node.operator] : []
  );
  assertEquals(new Set<string | undefined>(onCpu), new Set(names));
  assert(names.includes("cumulativeSum"));
});
