/**
 * Operators on extreme values: very large, very small, infinite, NaN, or nearly equal.
 *
 * @module
 */

import { createContext } from "@webnn/deno";
import { cpu, openvino, testOn } from "../support/devices.ts";
import { assertNear, compute, NO_FLOAT16, type Program, testProgram, type Writer } from "./combinations.ts";

const NEAR = { relative: 2e-6 };

testProgram(
  "sigmoid of large negative numbers",
  ({ builder, x }) => builder.sigmoid(x([6], [-6, -16, -20, -50, -80, 0])),
  [-6, -16, -20, -50, -80, 0].map((value) => Math.exp(value) / (1 + Math.exp(value))),
  NEAR,
);
testProgram(
  "sigmoid of NaN, infinities and large positive numbers",
  ({ builder, x }) => builder.sigmoid(x([6], [NaN, Infinity, -Infinity, 40, 100, 3e38])),
  [NaN, 1, 0, 1, 1, 1],
  { not: { webgpu: "shaders may assume that there is no NaN" } },
);
testProgram(
  "the logarithm of the sigmoid of large negative numbers",
  ({ builder, x }) => builder.log(builder.sigmoid(x([2], [-20, -60]))),
  [-20, -60],
  NEAR,
);

// The tolerance is absolute, because gates are multiplied by values of about 1.
for (const gate of [-16, -20, 0]) {
  const open = 1 / (1 + Math.exp(-gate));
  testProgram(
    `an LSTM whose gates are the sigmoid of ${gate}`,
    ({ builder, f, x }) => {
      const weights = f([1, 4, 1], [gate, gate, gate, 1]);
      const recurrent = f([1, 4, 1], [0, 0, 0, 0]);
      const states = { initialHiddenState: f([1, 1, 1], [0]), initialCellState: f([1, 1, 1], [0.5]) };
      return builder.lstm(x([1, 1, 1], [1]), weights, recurrent, 1, 1, states);
    },
    [open * Math.tanh(open * (0.5 + Math.tanh(1))), open * (0.5 + Math.tanh(1))],
    { absolute: 2e-7, not: { ggml: "the plug-in claims an LSTM, but rejects its attributes" } },
  );
  testProgram(
    `a GRU whose gates are the sigmoid of ${gate}`,
    ({ builder, f, x }) => {
      const weights = f([1, 3, 1], [gate, gate, 1]);
      const state = { initialHiddenState: f([1, 1, 1], [0]) };
      return builder.gru(x([1, 1, 1], [1]), weights, f([1, 3, 1], [0, 0, 0]), 1, 1, state);
    },
    [(1 - open) * Math.tanh(1)],
    { absolute: 2e-7, not: { ggml: "the plug-in claims a GRU, but rejects its attributes" } },
  );
}

// WebGPU's kernel does not support some of these shapes.
for (
  const [base, exponent] of [[[1, 4], [1, 1]], [[2, 4], [2, 1]], [[1, 1], [1, 4]], [[4], [1, 1]], [[1, 4], [2, 1]], [
    [4],
    [1],
  ]] as const
) {
  const rows = Math.max(base.length > 1 ? base[0]! : 1, exponent.length > 1 ? exponent[0]! : 1);
  const size = (shape: readonly number[]) => shape.reduce((product, dimension) => product * dimension, 1);
  testProgram(
    `pow of [${base}] and [${exponent}]`,
    ({ builder, x }) =>
      builder.pow(x(base, new Array(size(base)).fill(1.5)), x(exponent, new Array(size(exponent)).fill(3))),
    new Array(4 * rows).fill(3.375),
    NEAR,
  );
}

const OFFSET = [100001, 100002, 100003, 100004];
const NORMALISED = [-1.341636, -0.447212, 0.447212, 1.341636];
testProgram(
  "instanceNormalization of values with a large offset",
  ({ builder, x }) => builder.instanceNormalization(x([1, 1, 2, 2], OFFSET)),
  NORMALISED,
  { relative: 3e-6 },
);
testProgram(
  "instanceNormalization in NHWC of values with a large offset, with scale and bias",
  ({ builder, f, x }) =>
    builder.instanceNormalization(x([1, 2, 2, 1], OFFSET), { scale: f([1], [2]), bias: f([1], [1]), layout: "nhwc" }),
  NORMALISED.map((value) => 2 * value + 1),
  { relative: 1e-5 },
);
testProgram(
  "layerNormalization of values with a large offset",
  ({ builder, x }) => builder.layerNormalization(x([1, 4], OFFSET), { axes: [1] }),
  NORMALISED,
  { relative: 3e-6 },
);

const POOL = { windowDimensions: [2, 2] };
testProgram(
  "maxPool2d of windows that contain only -Infinity",
  ({ builder, x }) =>
    builder.maxPool2d(
      x(
        [1, 1, 2, 4],
        [-Infinity, -Infinity, -3.4028234663852886e38, 1]
          .concat([-Infinity, -Infinity, -Infinity, -2]),
      ),
      POOL,
    ),
  [-Infinity, -3.4028234663852886e38, 1],
);
testProgram(
  "maxPool2d of a whole image that contains only -Infinity",
  ({ builder, x }) => builder.maxPool2d(x([1, 2, 1, 2], [-Infinity, -Infinity, -Infinity, -7])),
  [-Infinity, -7],
);
testProgram(
  "maxPool2d with padding of an image that contains only -Infinity",
  ({ builder, x }) => builder.maxPool2d(x([1, 1, 1, 1], [-Infinity]), { ...POOL, padding: [1, 0, 1, 0] }),
  [-Infinity],
);

for (
  const [name, input, expected] of [
    ["with NaN at the end", [1, 2, NaN], [NaN]],
    ["with NaN in the middle", [1, NaN, -2], [NaN]],
    ["without NaN", [1, 3, -2], undefined],
  ] as const
) {
  for (const axes of [[0], [0, 1], undefined]) {
    const options = axes ? { axes } : {};
    testProgram(
      `reduceMax and reduceMin ${name}, over ${axes ? `the axes ${axes}` : "all axes"}`,
      ({ builder, x }) => {
        const value = x([3, 1], input);
        return [builder.reduceMax(value, options), builder.reduceMin(value, options)];
      },
      expected ? [...expected, ...expected] : [3, -2],
    );
  }
}
testProgram(
  "reduceMax and reduceMin of infinities",
  ({ builder, x }) => {
    const value = x([2, 2], [-Infinity, -Infinity, Infinity, 4]);
    return [builder.reduceMax(value, { axes: [1] }), builder.reduceMin(value, { axes: [1] })];
  },
  [-Infinity, Infinity, -Infinity, 4],
  { not: { openvino: "OpenVINO's maximum of only -Infinity is the smallest finite number" } },
);

/** A convolution that multiplies one number by `filter`, and adds `bias`. */
const convolved = ({ builder, f, x }: Writer, value: number, filter: number, bias: number) =>
  builder.conv2d(x([1, 1, 1, 1], [value]), f([1, 1, 1, 1], [filter]), { bias: f([1], [bias]) });

const NO_CONVOLUTIONS = { not: { ggml: "the plug-in claims 2-D convolutions, but then rejects them" } };

testProgram(
  "factors after a convolution that its filter cannot hold",
  (writer) => {
    const { builder, f } = writer;
    const large = builder.mul(convolved(writer, 2 ** -100, 2 ** 70, 0), f([], [2 ** 60]));
    const small = builder.mul(convolved(writer, 2 ** 100, 2 ** -80, 0), f([1, 1, 1, 1], [2 ** -70]));
    return [large, small, builder.div(convolved(writer, 2 ** 100, 2 ** -80, 0), f([], [2 ** 70]))];
  },
  [2 ** 30, 2 ** -50, 2 ** -50],
  NO_CONVOLUTIONS,
);
testProgram(
  "a summand after a convolution that its bias cannot hold",
  (writer) => writer.builder.add(convolved(writer, -(2 ** 64), 2 ** 63, 2 ** 127), writer.f([1, 1, 1, 1], [2 ** 127])),
  [2 ** 127],
  NO_CONVOLUTIONS,
);

for (const size of [2, 8, 4, 33]) {
  testProgram(`dequantizeLinear of ${size} elements with one scale`, ({ builder, input, f, k }) => {
    const values = new Array(size).fill(7);
    return builder.dequantizeLinear(input("uint8", [size], values), f([1], [1]), k("uint8", [1], [0]));
  }, new Array(size).fill(7));
}

const NO_AXES: Readonly<Record<string, readonly number[]>> = {
  reduceL1: [2, 3],
  reduceL2: [2, 3],
  reduceLogSumExp: [-2, 3],
  reduceMax: [-2, 3],
  reduceMean: [-2, 3],
  reduceMin: [-2, 3],
  reduceProduct: [-2, 3],
  reduceSum: [-2, 3],
  reduceSumSquare: [4, 9],
};
// Without negative numbers: WGSL does not define their logarithm.
testProgram(
  "reduceLogSum over no axes",
  ({ builder, x }) => builder.reduceLogSum(x([2], [2, 3]), { axes: [] }),
  [Math.log(2), Math.log(3)],
  NEAR,
);
for (const [name, expected] of Object.entries(NO_AXES)) {
  const program: Program = ({ builder, x }) => {
    const methods = builder as unknown as Record<string, typeof builder.reduceSum>;
    return methods[name]!.call(builder, x([2], [-2, 3]), { axes: [] });
  };
  testProgram(`${name} over no axes`, program, expected, NEAR);
}

// With two threads, each would do some of the updates of the same element.
for (const device of [cpu, openvino]) {
  for (const [rows, width, count] of [[4, 1, 100_000], [4, 64, 10_000], [3, 4096, 200], [5, 8, 1]] as const) {
    testOn(
      device,
      `scatterND with ${count} updates of ${width} elements for ${rows} indices: the last update of each index remains`,
      async () => {
        const context = await createContext({ ...device.options, threads: 2 });
        const updates = Float32Array.from({ length: count * width }, (_, i) => 1 + Math.floor(i / width));
        const indices = Int32Array.from({ length: count }, (_, i) => i % 2 === 0 ? i % rows : i % rows - rows);
        const program: Program = ({ builder, x, input }) =>
          builder.scatterND(
            x([rows, width], new Array(rows * width).fill(0)),
            input("int32", [count, 1], [...indices]),
            x([count, width], [...updates]),
          );
        const last = (row: number) => indices.findLastIndex((index) => (index + rows) % rows === row) + 1;
        const expected = Array.from({ length: rows * width }, (_, i) => last(Math.floor(i / width)));
        for (let run = 0; run < 5; run++) assertNear(await compute(context, program), expected);
        context.destroy();
      },
    );
  }
}
testProgram(
  "scatterND with indices in two dimensions, some of them negative",
  ({ builder, x, input }) =>
    builder.scatterND(
      x([2, 3], [0, 0, 0, 0, 0, 0]),
      input("int32", [5, 2], [0, 1, -1, -1, 0, 1, 1, 2, -2, 0]),
      x([5], [1, 2, 3, 4, 5]),
    ),
  [5, 3, 0, 0, 0, 4],
  { not: { webgpu: "WebGPU does not determine which of several updates of one element remains" } },
);
testProgram(
  "scatterElements with the same index: the last update remains",
  ({ builder, x, input }) =>
    builder.scatterElements(x([3], [0, 0, 0]), input("int32", [4], [1, 1, -2, 2]), x([4], [1, 2, 3, 4]), { axis: 0 }),
  [0, 3, 4],
  { not: { webgpu: "WebGPU does not determine which of several updates of one element remains" } },
);
testProgram(
  "abs of a concat that is an output too: only the result of abs is positive",
  ({ builder, x }) => {
    const joined = builder.concat([x([2], [-1, 2]), x([1], [-3])], 0);
    return [joined, builder.abs(joined)];
  },
  [-1, 2, -3, 1, 2, 3],
);
testProgram(
  "reductions to a single number that meets the values it was computed from",
  ({ builder, x }) => {
    const values = builder.mul(x([3], [1, 2, 6]), x([1], [1]));
    const total = builder.reduceSum(values);
    const last = builder.cast(builder.argMax(values, 0), "float32");
    return [builder.sub(values, total), builder.sub(values, builder.sqrt(total)), builder.sub(values, last)];
  },
  [-8, -7, -3, -2, -1, 3, -1, 0, 4],
);
// Each of the two heads has its own keys and values; queries of 100 select one key.
const HEADS = [1, 2, 2, 2];
testProgram(
  "attention with constant keys",
  ({ builder, f, x }) => {
    const keys = builder.transpose(f(HEADS, [1, 0, 0, 1, 0, 1, 1, 0]), { permutation: [0, 1, 3, 2] });
    const scores = builder.matmul(x(HEADS, [100, 0, 0, 100, 100, 0, 0, 100]), keys);
    return builder.matmul(builder.softmax(scores, 3), x(HEADS, [1, 2, 3, 4, 5, 6, 7, 8]));
  },
  [1, 2, 3, 4, 7, 8, 5, 6],
  { absolute: 1e-6 },
);
testProgram(
  "attention with constant values",
  ({ builder, f, x }) => {
    const scores = builder.matmul(x(HEADS, [0, 0, 0, 0, 0, 0, 0, 0]), x(HEADS, [1, 2, 3, 4, 5, 6, 7, 8]));
    return builder.matmul(builder.softmax(scores, 3), f(HEADS, [1, 2, 3, 4, 5, 6, 7, 8]));
  },
  [2, 3, 2, 3, 6, 7, 6, 7],
  { absolute: 1e-6 },
);
testProgram(
  "a product with constants of six dimensions",
  ({ builder, f, x }) => builder.matmul(x([1, 1, 1, 1, 1, 2], [1, 2]), f([2, 1, 1, 1, 2, 1], [1, 2, 3, 4])),
  [5, 11],
);
testProgram(
  "a float16 product of constants beside the dequantisation of 32-bit integers",
  ({ builder, input, k }) => [
    builder.dequantizeLinear(
      input("int32", [2], [5, -7]),
      k("float16", [1], [0.5]),
      k("int32", [1], [1]),
    ),
    builder.matmul(k("float16", [2, 2], [1, 2, 3, 4]), k("float16", [2, 2], [1, 0, 0, 1])),
  ],
  [2, -4, 1, 2, 3, 4],
  NO_FLOAT16,
);
testProgram(
  "a constant for each channel after reductions of three dimensions",
  ({ builder, f, x }) => {
    const values = x([2, 3, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    const channels = f([1, 3, 1], [100, 200, 300]);
    const sum = (axis: number) => builder.reduceSum(values, { axes: [axis], keepDimensions: true });
    return [builder.add(sum(2), channels), builder.add(sum(0), channels)];
  },
  [103, 207, 311, 115, 219, 323, 108, 110, 212, 214, 316, 318],
);
testProgram(
  "integers that equal the zero point become exactly 0",
  ({ builder, f, input, k }) => {
    const quantized = input("int32", [3], [5, 6, 5]);
    return builder.dequantizeLinear(quantized, f([1], [0.33443862199783325]), k("int32", [1], [5]));
  },
  [0, Math.fround(0.33443862199783325), 0],
);
