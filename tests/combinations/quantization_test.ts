/**
 * Chains with quantisation: engines must not quantise more than the program does, and not leave out a quantisation.
 *
 * @module
 */

import type { MLOperand } from "@webnn/deno";
import { testProgram, type Writer } from "./combinations.ts";

/** A column of int8 weights: 0, 1, 1, 1, ... */
function weights({ builder, k, f }: Writer, rows: number): MLOperand {
  const w = k("int8", [rows, 1], Array.from({ length: rows }, (_, i) => i === 0 ? 0 : 1));
  return builder.dequantizeLinear(w, f([1, 1], [1]), k("int8", [1, 1], [0]));
}

for (const rows of [16, 32, 256]) {
  testProgram(
    `a product of ${rows} float activations and int8 weights does not quantise the activations`,
    (writer) => {
      const x = writer.x([1, rows], Array.from({ length: rows }, (_, i) => i === 0 ? 1000 : 1));
      return writer.builder.matmul(x, weights(writer, rows));
    },
    [rows - 1],
  );
}

testProgram(
  "a product of float activations and 4-bit weights does not quantise the activations",
  ({ builder, x, k, f }) => {
    const input = x([1, 32], Array.from({ length: 32 }, (_, i) => i === 0 ? 1000 : 1));
    const w = k("uint4", [32, 1], Array.from({ length: 32 }, (_, i) => i === 0 ? 8 : 9));
    return builder.matmul(input, builder.dequantizeLinear(w, f([2, 1], [1, 2]), k("uint4", [2, 1], [8, 8])));
  },
  [15 + 32],
);

/** A chain: dequantises with a scale for each channel, applies an operator, and quantises. */
function chain(apply: (writer: Writer, d: MLOperand) => MLOperand, values = [4, 8]) {
  return (writer: Writer) => {
    const { builder, input, f, k } = writer;
    const d = builder.dequantizeLinear(
      input("int8", [1, 2, 1, 1], values),
      f([1, 2, 1, 1], [0.5, 0.25]),
      k("int8", [1, 2, 1, 1], [0, 0]),
    );
    return builder.quantizeLinear(apply(writer, d), f([1, 1, 1, 1], [0.5]), k("int8", [1, 1, 1, 1], [0]));
  };
}

testProgram("concat", chain(({ builder }, d) => builder.concat([d, d], 0)), [4, 4, 4, 4]);
testProgram("add", chain(({ builder }, d) => builder.add(d, d)), [8, 8]);
testProgram("mul", chain(({ builder }, d) => builder.mul(d, d)), [8, 8]);
testProgram("sigmoid", chain(({ builder }, d) => builder.sigmoid(d)), [2, 2]);
testProgram("leakyRelu", chain(({ builder }, d) => builder.leakyRelu(d, { alpha: 0.5 }), [-4, -8]), [-2, -2]);
testProgram("softmax", chain(({ builder }, d) => builder.softmax(d, 1), [0, 40]), [0, 2]);
testProgram("averagePool2d", chain(({ builder }, d) => builder.averagePool2d(d)), [4, 4]);
testProgram("maxPool2d", chain(({ builder }, d) => builder.maxPool2d(d)), [4, 4]);
testProgram("transpose", chain(({ builder }, d) => builder.transpose(d, { permutation: [1, 0, 3, 2] })), [4, 4]);
testProgram("conv2d", chain(({ builder, f }, d) => builder.conv2d(d, f([1, 2, 1, 1], [1, 2]))), [12]);
testProgram("matmul", chain(({ builder, f }, d) => builder.matmul(d, f([1, 1, 1, 2], [1, 2]))), [4, 8, 4, 8]);

testProgram(
  "a value that is quantised and dequantised twice is rounded twice",
  ({ builder, x, f, k }) => {
    const pair = (input: MLOperand, scale: number, zero: number) => {
      const parameters = [f([1], [scale]), k("int8", [1], [zero])] as const;
      return builder.dequantizeLinear(builder.quantizeLinear(input, ...parameters), ...parameters);
    };
    return pair(pair(x([2], [-3.78, 0.33]), 0.02, 100), 0.1, 5);
  },
  [-3.8, 0.3],
  { relative: 1e-6 },
);

/** An operator on a dequantised int32, such as a quantised bias. */
function afterInt32(shape: readonly number[], apply: (writer: Writer, d: MLOperand) => MLOperand) {
  return (writer: Writer) => {
    const { builder, input, f, k } = writer;
    const size = shape.reduce((product, dimension) => product * dimension, 1);
    const ones = shape.map(() => 1);
    const values = Array.from({ length: size }, (_, i) => 2 * i);
    return apply(
      writer,
      builder.dequantizeLinear(input("int32", shape, values), f(ones, [0.5]), k("int32", ones, [0])),
    );
  };
}

testProgram("int32 before reshape", afterInt32([2], ({ builder }, d) => builder.reshape(d, [2, 1])), [0, 1]);
testProgram("int32 before transpose", afterInt32([2, 2], ({ builder }, d) => builder.transpose(d)), [0, 2, 1, 3]);
testProgram("int32 before slice", afterInt32([3], ({ builder }, d) => builder.slice(d, [1], [2])), [1, 2]);
testProgram("int32 before reverse", afterInt32([3], ({ builder }, d) => builder.reverse(d)), [2, 1, 0]);
testProgram(
  "int32 before maxPool2d in NHWC",
  afterInt32([1, 2, 2, 1], ({ builder }, d) => builder.maxPool2d(d, { layout: "nhwc" })),
  [3],
);
testProgram(
  "int32 before conv2d in NHWC",
  afterInt32(
    [1, 1, 2, 2],
    ({ builder, f }, d) => builder.conv2d(d, f([1, 1, 1, 2], [1, 10]), { inputLayout: "nhwc", filterLayout: "ohwi" }),
  ),
  [10, 32],
  { not: { ggml: "the plug-in claims convolutions that it does not support" } },
);
