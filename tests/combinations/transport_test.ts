/**
 * Casts that round, moves that keep every bit, and sums beyond the range of float16: what the web platform tests added
 * in the autumn of 2026, in our own cases.
 *
 * @module
 */

import type { MLOperand } from "@webnn/deno";
import { NO_FLOAT16, type TestOptions, testProgram, type Writer } from "./combinations.ts";

/** Engines that skip the rounding to float16. */
const KEEPS_FLOAT32: TestOptions = {
  not: {
    ...NO_FLOAT16.not,
    openvino: "OpenVINO removes casts to float16 and back",
    ggml: "the plug-in removes casts to float16 and back",
  },
};

/** Casts to float16 and back. */
function throughFloat16({ builder }: Writer, x: MLOperand): MLOperand {
  return builder.cast(builder.cast(x, "float16"), "float32");
}

const WIDE = [1.0001, 1 + 2 ** -11, 1 + 3 * 2 ** -11, 65519, 65520, 1e-8, 2 ** -24, -(2 ** -26), 3e38];
const NARROW = [1, 1, 1 + 2 ** -9, 65504, Infinity, 0, 2 ** -24, -0, Infinity];

testProgram(
  "casts to float16 and back round to the nearest number, ties to even",
  (writer) => throughFloat16(writer, writer.x([9], WIDE)),
  NARROW,
  KEEPS_FLOAT32,
);
testProgram(
  "casts to float16 and back round each time, with or without an operator between them",
  (writer) => {
    const { builder, f } = writer;
    const x = throughFloat16(writer, throughFloat16(writer, writer.x([2], [2049, 1 + 2 ** -11])));
    return throughFloat16(writer, builder.add(x, f([], [1])));
  },
  [2048, 2],
  KEEPS_FLOAT32,
);
testProgram(
  "a sum is rounded to float16 before the next addition",
  (writer) => {
    const { builder, f, input } = writer;
    const x = input("float16", [1], [2048]);
    const half = builder.cast(builder.add(builder.cast(x, "float32"), f([], [1])), "float16");
    return builder.add(builder.cast(half, "float32"), f([], [1]));
  },
  [2049],
  KEEPS_FLOAT32,
);
testProgram(
  "casts to integers round towards 0",
  ({ builder, x }) => {
    const value = x([4], [1.9, -1.9, 0.5, -0.5]);
    return [builder.cast(value, "int32"), builder.cast(value, "int8")];
  },
  [1, -1, 0, 0, 1, -1, 0, 0],
);

/** Subnormal numbers, -0, the smallest number and the infinities of float16. */
const HALVES = [2 ** -24, -0, -(2 ** -24), 1023 * 2 ** -24, -65504, Infinity, -Infinity, 0];

const WHERE = { ggml: "the plug-in computes where as a sum of products with 0 and 1" };

const MOVES: Readonly<Record<string, (writer: Writer, x: MLOperand) => MLOperand>> = {
  reshape: ({ builder }, x) => builder.reshape(x, [8]),
  transpose: ({ builder }, x) => builder.transpose(builder.transpose(x)),
  reverse: ({ builder }, x) => builder.reverse(builder.reverse(x)),
  slice: ({ builder }, x) => builder.slice(x, [0, 0], [2, 4]),
  split: ({ builder }, x) => builder.concat(builder.split(x, 2), 0),
  gather: ({ builder, k }, x) => builder.gather(x, k("int32", [2], [0, 1])),
  pad: ({ builder }, x) => builder.slice(builder.pad(x, [1, 1], [0, 0], { value: -0 }), [1, 1], [2, 4]),
  expand: ({ builder }, x) =>
    builder.slice(builder.expand(builder.reshape(x, [1, 2, 4]), [2, 2, 4]), [1, 0, 0], [1, 2, 4]),
  tile: ({ builder }, x) => builder.slice(builder.tile(x, [2, 1]), [2, 0], [2, 4]),
  where: ({ builder, k }, x) => builder.where(k("uint8", [1], [1]), x, k("float16", [1], [NaN])),
  identity: ({ builder }, x) => builder.identity(x),
};
for (const [name, move] of Object.entries(MOVES)) {
  testProgram(
    `${name} keeps the bits of float16`,
    (writer) => move(writer, writer.input("float16", [2, 4], HALVES)),
    HALVES,
    { isExact: true, not: { ...NO_FLOAT16.not, ...name === "where" ? WHERE : {} } },
  );
}
testProgram(
  "moves keep the bits of float32",
  (writer) => MOVES.transpose!(writer, writer.x([2, 4], [2 ** -149, -0, -(2 ** -149), 3.4e38, 1, 0, -1, 2])),
  [2 ** -149, -0, -(2 ** -149), Math.fround(3.4e38), 1, 0, -1, 2],
  { isExact: true },
);

testProgram(
  "where ignores NaN and infinities in elements that it does not select",
  ({ builder, f, x }) => {
    const value = x([4], [1, -1, NaN, -0]);
    return builder.where(builder.greater(value, f([], [0])), builder.log(value), f([4], [5, 6, 7, 8]));
  },
  [0, 6, 7, 8],
  { not: WHERE },
);

testProgram(
  "reduceLogSum of float16 numbers whose sum overflows float16",
  ({ builder, input }) => builder.cast(builder.reduceLogSum(input("float16", [4], [6e4, 6e4, 6e4, 6e4])), "float32"),
  [Math.log(24e4)],
  { ...NO_FLOAT16, absolute: 0.01 },
);
testProgram(
  "reduceLogSum of very small numbers",
  ({ builder, x }) => builder.reduceLogSum(x([3], [1e-30, 2e-30, 1e-30])),
  [Math.log(4e-30)],
  { relative: 1e-6 },
);

const CHANNELS = [1, 10, 3, 30, 5, 50, 7, 70];
const UNIT = [-1.3416407, -0.4472136, 0.4472136, 1.3416407];
testProgram(
  "instanceNormalization in NHWC with a scale and a bias for each channel, and no epsilon",
  ({ builder, f, x }) =>
    builder.instanceNormalization(x([1, 2, 2, 2], CHANNELS), {
      layout: "nhwc",
      scale: f([2], [2, 3]),
      bias: f([2], [1, -1]),
      epsilon: 0,
    }),
  UNIT.flatMap((value) => [2 * value + 1, 3 * value - 1]),
  { relative: 3e-6 },
);

testProgram(
  "nearest-neighbour resampling selects the first of two equally near pixels",
  ({ builder, x }) => builder.resample2d(x([1, 1, 1, 4], [1, 2, 3, 4]), { sizes: [1, 6] }),
  [1, 1, 2, 3, 3, 4],
);

testProgram(
  "a quantised chain of two steps",
  ({ builder, f, k, x }) => {
    const [scale, zero] = [f([1], [0.5]), k("uint8", [1], [128])];
    const quantize = (value: MLOperand) => builder.quantizeLinear(value, scale, zero);
    const dequantize = (value: MLOperand) => builder.dequantizeLinear(value, scale, zero);
    const sum = builder.add(dequantize(quantize(x([3], [0.3, -1.2, 100]))), f([], [0.25]));
    return quantize(sum);
  },
  [130, 126, 255],
);
