/**
 * The programs that the lowering writes. For the numbers that they compute, see operators_test.ts and
 * wpt_cases_test.ts.
 */

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { MLGraphBuilder, type MLOperand } from "../../mod.ts";
import { createMLContext } from "../../src/api/ml_context.ts";
import { ConstantBlock } from "../../src/backends/coreml/constant_block.ts";
import { lower, type LoweredProgram, lowerings, type LowerOptions } from "../../src/backends/coreml/lower.ts";
import type { MilConstant, MilOperation } from "../../src/backends/coreml/mil.ts";
import type { Block, Executable } from "../../src/backends/backend.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { operators } from "../../src/ops/operators.ts";
import { openInterpretedDevice } from "./interpreted_device.ts";

const VERSION_8: LowerOptions = { specificationVersion: 8, float16: false };
const FLOAT = { dataType: "float32", shape: [1, 2, 4, 4] } as const;

/** The graph that `describe` builds, and the blocks of its constants. */
async function graphOf(
  describe: (builder: MLGraphBuilder) => Readonly<Record<string, MLOperand>>,
): Promise<Graph<ConstantBlock>> {
  let captured: Graph<Block> | undefined;
  const device = {
    ...openInterpretedDevice(VERSION_8),
    compile(graph: Graph<Block>): Executable {
      captured = graph;
      return { devices: [], release() {}, run() {} };
    },
  };
  const context = createMLContext(device);
  const builder = new MLGraphBuilder(context);
  await builder.build(describe(builder));
  return captured as Graph<ConstantBlock>;
}

async function lowered(
  describe: (builder: MLGraphBuilder) => Readonly<Record<string, MLOperand>>,
  options: LowerOptions = VERSION_8,
): Promise<LoweredProgram> {
  return lower(await graphOf(describe), options);
}

function types({ program }: LoweredProgram): string[] {
  return program.operations.map(({ type }) => type);
}

function operation({ program }: LoweredProgram, type: string): MilOperation {
  return program.operations.find((operation) => operation.type === type)!;
}

Deno.test("a missing lowering does not compile", () => {
  const { add: _, ...incomplete } = lowerings;
  // @ts-expect-error -- the lowering of add is missing
  incomplete satisfies typeof lowerings;
  assertEquals(Object.keys(lowerings).sort(), Object.keys(operators).sort());
});

Deno.test("names consist of letters, digits and _, are unique, and always the same for a graph", async () => {
  const describe = (builder: MLGraphBuilder) => {
    const [x, y] = [builder.input("a/ä 🙂", FLOAT), builder.input("a.b", FLOAT)];
    const sum = builder.add(x, y, { label: "1st\u0000 sum" });
    return { "o u t": builder.relu(builder.add(sum, sum, { label: "1st sum" })) };
  };
  const first = await lowered(describe);
  const { inputs, constants, operations, outputs } = first.program;
  const values = [...inputs, ...constants, ...operations.flatMap(({ outputs }) => outputs)].map(({ name }) => name);
  const names = [...values, ...operations.map(({ name }) => name)];
  for (const name of names) assertMatch(name, /^[A-Za-z_][A-Za-z0-9_]*$/);
  assertEquals(new Set(names).size, names.length);
  assertEquals(inputs.map(({ name }) => name), ["input_a__0", "input_a_b_1"]);
  assertEquals(operations.map(({ name }) => name), ["add_1st_sum_0_op", "add_1st_sum_1_op", "relu_2_op"]);
  assertEquals(outputs.map(({ name }) => name), ["relu_2"]);
  assertEquals((await lowered(describe)).program, first.program);
});

Deno.test("as inputs and outputs, scalars have one dimension, and 8-bit integers are int32", async () => {
  const { inputs, outputs } = await lowered((builder) => {
    const x = builder.input("x", { dataType: "uint8", shape: [] });
    const y = builder.input("y", { dataType: "int8", shape: [3] });
    return { truth: builder.logicalNot(x), negated: builder.neg(y) };
  });
  assertEquals(inputs.map(({ descriptor }) => descriptor), [
    { dataType: "uint8", shape: [] },
    { dataType: "int8", shape: [3] },
  ]);
  const features = [...inputs, ...outputs].map(({ feature: { dataType, shape } }) => `${dataType} [${shape}]`);
  assertEquals(features, ["int32 [1]", "int32 [3]", "int32 [1]", "int32 [3]"]);
});

Deno.test("booleans between operations are not converted to integers", async () => {
  const program = await lowered((builder) => {
    const [a, b] = [builder.input("a", FLOAT), builder.input("b", FLOAT)];
    return { y: builder.where(builder.logicalNot(builder.greater(a, b)), a, b) };
  });
  assertEquals(types(program), ["greater", "logical_not", "select"]);
});

Deno.test("a graph without inputs gets a dummy input", async () => {
  const program = await lowered((builder) => ({ y: builder.neg(builder.constant(FLOAT, new Float32Array(32))) }));
  assertEquals(program.inputs, []);
  assertEquals(program.program.inputs, [program.placeholder!]);
  assert(program.program.operations.some(({ inputs }) => Object.values(inputs).includes(program.placeholder!)));
});

Deno.test("an output that is an input, or has two names, is a copy", async () => {
  const program = await lowered((builder) => {
    const x = builder.input("x", FLOAT);
    const y = builder.relu(x);
    return { x: builder.identity(x), y, again: y, kept: builder.concat([y], 1) };
  });
  assertEquals(types(program), ["relu", "identity", "identity", "identity"]);
  assertEquals(new Set(program.outputs.map(({ feature }) => feature.name)).size, 4);
});

Deno.test("constants are not copied unless their elements need another order", async () => {
  const graph = await graphOf((builder) => {
    const x = builder.input("x", FLOAT);
    const bytes = new Float32Array(3 * 2 * 2 * 2).map((_, i) => i);
    const inOrder = builder.constant({ dataType: "float32", shape: [3, 2, 2, 2] }, bytes);
    const reordered = builder.constant({ dataType: "float32", shape: [2, 2, 2, 3] }, bytes);
    return { a: builder.conv2d(x, inOrder), b: builder.conv2d(x, reordered, { filterLayout: "hwio" }) };
  });
  const { program } = lower(graph, VERSION_8);
  const weights = program.constants.filter(({ shape }) => shape.length === 4);
  assertEquals(weights.map(({ shape }) => shape), [[3, 2, 2, 2], [3, 2, 2, 2]]);
  const buffers = graph.constants.map(({ block }) => block.bytes.buffer);
  assertEquals(weights.map(({ data }) => buffers.includes((data as Uint8Array<ArrayBuffer>).buffer)), [true, false]);
  const elements = new Float32Array((weights[1]!.data as Uint8Array).buffer);
  // hwio [h, w, i, o] to oihw: the element of output 1, input 1, row 0, column 1 was at ((0·2 + 1)·2 + 1)·3 + 1.
  assertEquals(elements[((1 * 2 + 1) * 2 + 0) * 2 + 1], 10);
});

Deno.test("small equal constants are shared", async () => {
  const { program } = await lowered((builder) => {
    const x = builder.input("x", FLOAT);
    return { y: builder.transpose(builder.softmax(builder.softmax(x, 1), 1)) };
  });
  const axes = program.operations.filter(({ type }) => type === "softmax").map(({ inputs }) => inputs.axis);
  assert(axes[0] === axes[1]);
});

Deno.test("weights stay quantised: as blocks of int4 in version 9, as channels of int8 in version 8", async () => {
  const describe = (builder: MLGraphBuilder) => {
    const x = builder.input("x", { dataType: "float32", shape: [1, 4] });
    const four = { dataType: "int4", shape: [4, 6] } as never;
    const weight = builder.constant(four, new Uint8Array(12).fill(0x7f));
    const scale = builder.constant({ dataType: "float32", shape: [1, 6] }, new Float32Array(6).fill(0.5));
    const zero = builder.constant({ dataType: "int4", shape: [1, 6] } as never, new Uint8Array(3));
    return { y: builder.matmul(x, builder.dequantizeLinear(weight, scale, zero)) };
  };
  const blocks = operation(
    await lowered(describe, { ...VERSION_8, specificationVersion: 9 }),
    "constexpr_blockwise_shift_scale",
  );
  assertEquals(blocks.attributes!.data!.dataType, "int4");
  const channels = operation(await lowered(describe), "constexpr_affine_dequantize").attributes!;
  assertEquals([channels.quantized_data!.dataType, channels.scale!.shape], ["int8", [6]]);
  const bytes = channels.quantized_data!.data as Uint8Array;
  assertEquals([...new Int8Array(bytes.buffer)].slice(0, 3), [-1, 7, -1]);
});

Deno.test("quantised values between operations are 8-bit integers", async () => {
  const program = await lowered((builder) => {
    const x = builder.input("x", { dataType: "float32", shape: [2, 3] });
    const scale = builder.constant({ dataType: "float32", shape: [1, 1] }, Float32Array.of(0.5));
    const zero = builder.constant({ dataType: "uint8", shape: [1, 1] }, Uint8Array.of(128));
    return { y: builder.dequantizeLinear(builder.quantizeLinear(x, scale, zero), scale, zero) };
  });
  assertEquals(types(program), ["quantize", "dequantize"]);
});

Deno.test("constant weights without peepholes are lowered to MIL's lstm, one for each direction", async () => {
  const describe = (peepholes: boolean) => (builder: MLGraphBuilder) => {
    const constant = (shape: number[]) =>
      builder.constant({ dataType: "float32", shape }, new Float32Array(shape.reduce((a, b) => a * b)));
    const x = builder.input("x", { dataType: "float32", shape: [5, 1, 3] });
    const [y] = builder.lstm(x, constant([2, 8, 3]), constant([2, 8, 2]), 5, 2, {
      direction: "both",
      ...(peepholes && { peepholeWeight: constant([2, 6]) }),
    });
    return { y: y! };
  };
  assertEquals(types(await lowered(describe(false))).filter((type) => type === "lstm").length, 2);
  assertEquals(types(await lowered(describe(true))).filter((type) => type === "lstm").length, 0);
});

Deno.test("resample2d is lowered to MIL's upsampling for integer factors, otherwise to gathers", async () => {
  const resampled = (sizes: [number, number], mode: "linear" | "nearest-neighbor" = "linear") =>
    lowered((builder) => ({ y: builder.resample2d(builder.input("x", FLOAT), { sizes, mode }) }));
  const { inputs } = operation(await resampled([8, 4]), "upsample_bilinear");
  const scales = [inputs.scale_factor_height, inputs.scale_factor_width].map((scale) => {
    const { data } = scale as MilConstant;
    return new Float32Array((data as Uint8Array).buffer)[0];
  });
  assertEquals(scales, [2, 1]);
  const between = ["gather", "mul", "gather", "mul", "add"];
  assertEquals(types(await resampled([8, 6])), [...between, ...between]);
  assertEquals(types(await resampled([6, 4])), between);
  assertEquals(types(await resampled([4, 4])), ["identity"]);
  assertEquals(types(await resampled([8, 8], "nearest-neighbor")), ["gather", "gather"]);
});

Deno.test("reductions of float16 compute in float32 if intermediate sums may overflow", async () => {
  const half = { dataType: "float16", shape: [1, 2, 4, 4] } as const;
  const wide = ["cast", "cast"];
  const narrow: string[] = [];
  const cases: Record<string, [around: string[], (builder: MLGraphBuilder, x: MLOperand) => MLOperand]> = {
    reduce_l1_norm: [wide, (builder, x) => builder.reduceL1(x)],
    reduce_l2_norm: [wide, (builder, x) => builder.reduceL2(x)],
    reduce_log_sum: [wide, (builder, x) => builder.reduceLogSum(x)],
    reduce_log_sum_exp: [wide, (builder, x) => builder.reduceLogSumExp(x)],
    reduce_prod: [wide, (builder, x) => builder.reduceProduct(x)],
    reduce_sum: [wide, (builder, x) => builder.reduceSum(x)],
    reduce_sum_square: [wide, (builder, x) => builder.reduceSumSquare(x)],
    cumsum: [wide, (builder, x) => builder.cumulativeSum(x, 1)],
    l2_pool: [wide, (builder, x) => builder.l2Pool2d(x, { windowDimensions: [2, 2] })],
    reduce_max: [narrow, (builder, x) => builder.reduceMax(x)],
    reduce_min: [narrow, (builder, x) => builder.reduceMin(x)],
    reduce_mean: [narrow, (builder, x) => builder.reduceMean(x)],
  };
  for (const [type, [around, build]] of Object.entries(cases)) {
    const program = await lowered((builder) => ({ y: build(builder, builder.input("x", half)) }));
    assertEquals(types(program).filter((other) => other === "cast"), around, type);
    assertEquals(operation(program, type).outputs[0]!.dataType, around === wide ? "fp32" : "fp16", type);
    assertEquals(program.outputs[0]!.feature.dataType, "fp16", type);
  }
  const global = await lowered((builder) => ({ y: builder.l2Pool2d(builder.input("x", half)) }));
  assertEquals(types(global), ["cast", "reduce_l2_norm", "cast"]);
});

Deno.test("computing in float16 leaves inputs and outputs float32", async () => {
  const program = await lowered((builder) => {
    const x = builder.input("x", FLOAT);
    const filter = builder.constant({ dataType: "float32", shape: [2, 2, 1, 1] }, Float32Array.of(1, 2, 3, 1e9));
    return { y: builder.leakyRelu(builder.conv2d(x, filter)) };
  }, { specificationVersion: 8, float16: true });
  assertEquals(types(program), ["cast", "conv", "leaky_relu", "cast"]);
  assertEquals([...program.inputs, ...program.outputs].map(({ feature }) => feature.dataType), ["fp32", "fp32"]);
  const filter = program.program.constants.find(({ shape }) => shape.length === 4)!;
  assertEquals(filter.dataType, "fp16");
  assertEquals([...new Float16Array((filter.data as Uint8Array).buffer)], [1, 2, 3, Infinity]);
  assertEquals(
    program.program.operations.slice(0, 3).flatMap(({ outputs }) => outputs[0]!.dataType),
    Array(3).fill("fp16"),
  );
});

Deno.test("an error names a tensor that is too large for Core ML", async () => {
  const graph = await graphOf((builder) => {
    const x = builder.input("x", { dataType: "uint8", shape: [1] });
    return { y: builder.reshape(builder.expand(x, [2 ** 30], { label: "wide" }), [2 ** 15, 2 ** 15]) };
  });
  assertThrows(() => lower(graph, VERSION_8), RangeError, "expand_wide");
});

Deno.test("a block is freed when its last user releases it", () => {
  const source = Uint8Array.of(1, 2, 3);
  const block = new ConstantBlock(source);
  source.fill(0);
  block.retain();
  block.release();
  assertEquals([...block.bytes], [1, 2, 3]);
  block.release();
  block.release();
  assertEquals(block.bytes.length, 0);
});

Deno.test("the builder rejects a result of a data type that Core ML does not support", () => {
  const context = createMLContext(openInterpretedDevice(VERSION_8));
  const builder = new MLGraphBuilder(context);
  const x = builder.input("x", { dataType: "float32", shape: [2] });
  assertThrows(() => builder.cast(x, "int64"), TypeError, "the output would be int64");
  context.destroy();
});
