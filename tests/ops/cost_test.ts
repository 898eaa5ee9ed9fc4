/** The costs in the rows of the operators, and in the nodes of graphs. */

import { assert, assertEquals } from "@std/assert";
import { MLGraphBuilder, type MLOperand, type MLOperandDataType } from "../../mod.ts";
import { builderSlot } from "../../src/api/state.ts";
import { estimateMicroseconds } from "../../src/backends/onnxruntime/cost.ts";
import type { Node } from "../../src/graph/graph.ts";
import { type AnyOperator, FLOATS, one, operator, tensor } from "../../src/ops/operator.ts";
import { costByRow, type OperatorName, operators } from "../../src/ops/operators.ts";
import { sharedContext } from "../support/builder.ts";
import { SAMPLES } from "../support/operator_samples.ts";
import { callOperator } from "../support/run_operator.ts";

type Shapes = Readonly<Record<string, readonly number[] | readonly (readonly number[])[]>>;

/** The data type for an operand: float32 if it is allowed. */
function typeOf(row: AnyOperator, operand: string): MLOperandDataType {
  const { types } = row.operands[operand]!;
  if ("sameAs" in types) return typeOf(row, types.sameAs);
  return types.includes("float32") ? "float32" : types[0]!;
}

/** The node of a call, with operands of float32 where that is allowed. */
async function nodeOf(name: OperatorName, shapes: Shapes, attributes = {}): Promise<Node> {
  const builder = new MLGraphBuilder(await sharedContext());
  let inputs = 0;
  const input = (operand: string, shape: readonly number[]): MLOperand =>
    builder.input(`input${inputs++}`, { dataType: typeOf(operators[name], operand), shape: [...shape] });
  const operands = Object.fromEntries(
    Object.entries(shapes).map(([operand, shape]) => [
      operand,
      Array.isArray(shape[0])
        ? (shape as readonly (readonly number[])[]).map((item) => input(operand, item))
        : input(operand, shape as readonly number[]),
    ]),
  );
  callOperator(builder, name, operands, attributes);
  return builderSlot.get(builder).nodes.at(-1)!;
}

async function multiplyAddsOf(name: OperatorName, shapes: Shapes, attributes = {}): Promise<number> {
  return costByRow(await nodeOf(name, shapes, attributes)).multiplyAdds;
}

Deno.test("the cost of a matrix product is its multiply-adds", async () => {
  assertEquals(await multiplyAddsOf("matmul", { a: [5, 2, 3], b: [3, 4] }), 5 * 2 * 4 * 3);
  const transposed = { aTranspose: true, bTranspose: true };
  assertEquals(await multiplyAddsOf("gemm", { a: [3, 2], b: [4, 3] }, transposed), 2 * 4 * 3);
  assertEquals(await multiplyAddsOf("gemm", { a: [2, 3], b: [3, 4], c: [4] }), 2 * 4 * 3 + 2 * 4 / 2);
});

Deno.test("the cost of a convolution is the filter of one group for each position", async () => {
  const plain = { input: [2, 4, 5, 5], filter: [6, 4, 3, 3] };
  assertEquals(await multiplyAddsOf("conv2d", plain), 2 * 6 * 3 * 3 * (4 * 3 * 3));
  const grouped = { input: [2, 4, 5, 5], filter: [6, 2, 3, 3], bias: [6] };
  assertEquals(await multiplyAddsOf("conv2d", grouped, { groups: 2 }), 2 * 6 * 3 * 3 * (2 * 3 * 3 + 1 / 2));
  const last = { input: [2, 5, 5, 4], filter: [6, 3, 3, 2] };
  const layouts = { groups: 2, inputLayout: "nhwc", filterLayout: "ohwi" };
  assertEquals(await multiplyAddsOf("conv2d", last, layouts), 2 * 6 * 3 * 3 * (2 * 3 * 3));
  const transposed = { input: [2, 4, 5, 5], filter: [4, 3, 2, 2] };
  assertEquals(await multiplyAddsOf("convTranspose2d", transposed, { groups: 2 }), 2 * 4 * 5 * 5 * (3 * 2 * 2));
});

Deno.test("the cost of a recurrent network is its cell's for each step", async () => {
  const [steps, batch, inputSize, hiddenSize] = [7, 2, 3, 5];
  for (const [network, cell, gates] of [["gru", "gruCell", 3], ["lstm", "lstmCell", 4]] as const) {
    const state = [batch, hiddenSize];
    const weights = { weight: [gates * hiddenSize, inputSize], recurrentWeight: [gates * hiddenSize, hiddenSize] };
    const states = cell === "lstmCell" ? { hiddenState: state, cellState: state } : { hiddenState: state };
    const step = await multiplyAddsOf(cell, { input: [batch, inputSize], ...weights, ...states }, { hiddenSize });
    assertEquals(step, batch * gates * hiddenSize * (inputSize + hiddenSize));
    for (const [direction, count] of [["forward", 1], ["both", 2]] as const) {
      const shapes = {
        input: [steps, batch, inputSize],
        weight: [count, ...weights.weight],
        recurrentWeight: [count, ...weights.recurrentWeight],
      };
      const whole = await multiplyAddsOf(network, shapes, { steps, hiddenSize, direction });
      assertEquals(whole, count * steps * step, `${network}, ${direction}`);
    }
  }
});

Deno.test("the multiply-adds of pools depend on windows, those of reductions on the input; data movement has none", async () => {
  const input = [1, 2, 6, 6];
  const window = { windowDimensions: [3, 2], strides: [3, 2] };
  assertEquals(await multiplyAddsOf("maxPool2d", { input }, window), 2 * 2 * 3 * (3 * 2) / 2);
  assertEquals(await multiplyAddsOf("averagePool2d", { input }), 2 * 36 / 2);
  assertEquals(await multiplyAddsOf("reduceSum", { input }), 72 / 2);
  assertEquals(await multiplyAddsOf("transpose", { input }), 0);
});

Deno.test("the bytes of a node are those of its outputs and operands, or of the parts of operands that it reads", async () => {
  assertEquals(costByRow(await nodeOf("add", { a: [2, 3], b: [3] })).bytes, 4 * (6 + 3 + 6));
  assertEquals(costByRow(await nodeOf("concat", { inputs: [[2], [3]] }, { axis: 0 })).bytes, 4 * (2 + 3 + 5));
  assertEquals(costByRow(await nodeOf("gather", { input: [1000, 4], indices: [2] })).bytes, 4 * (2 + 8 + 8));
  assertEquals(costByRow(await nodeOf("slice", { input: [1000] }, { starts: [5], sizes: [3] })).bytes, 4 * (3 + 3));
  const builder = new MLGraphBuilder(await sharedContext());
  const x = builder.input("x", { dataType: "float16", shape: [8] });
  builder.mul(x, x);
  assertEquals(costByRow(builderSlot.get(builder).nodes[0]!).bytes, 2 * (8 + 8));
});

Deno.test("every operator has a cost for every sample", async () => {
  for (const name of Object.keys(operators) as OperatorName[]) {
    const samples = [1, 2, 3, 4].flatMap((rank) => SAMPLES[name]!(rank));
    assert(samples.length > 0);
    for (const { shapes, attributes } of samples) {
      const cost = costByRow(await nodeOf(name, shapes, attributes));
      assert(cost.bytes > 0 && cost.multiplyAdds >= 0, `${name}: ${JSON.stringify(cost)}`);
    }
  }
});

Deno.test("a row without a cost does not compile", () => {
  // @ts-expect-error -- cost is missing
  const row = operator({
    name: "free",
    operands: { input: one(FLOATS) },
    outputs: { output: tensor(FLOATS) },
    resolve: ({ input }) => ({ attributes: {}, outputs: [input] }),
  });
  assertEquals(row.cost, undefined);
});

Deno.test("the estimated time of a graph is computed from the costs of its nodes", async () => {
  const nodes = [
    await nodeOf("matmul", { a: [100, 100], b: [100, 100] }),
    await nodeOf("relu", { input: [1000] }),
  ];
  const graph = { inputs: [], constants: [], nodes, outputs: [] };
  assertEquals(estimateMicroseconds(graph), 2 * 0.5 + (12e4 + 8e3) / 4000 + (1e6 + 500) / 5000);
});
