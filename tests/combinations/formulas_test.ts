/**
 * Formulas that an optimiser may mistake for other formulas.
 *
 * @module
 */

import type { MLOperand } from "@webnn/deno";
import { testProgram, type Writer } from "./combinations.ts";

const NEAR = { relative: 2e-6, absolute: 2e-6 };
const ROW = [1, 2, 6];

const OWN_LAYER_NORM = { ggml: "the plug-in fuses the formula into a layer norm, and then rejects its scale" };

/** The mean over the last dimension. */
function mean({ builder }: Writer, input: MLOperand): MLOperand {
  return builder.reduceMean(input, { axes: [1], keepDimensions: true });
}

/** `2 · m / sqrt(mean(m ^ exponent) + epsilon) + 1` of centred values. */
function norm(writer: Writer, centred: MLOperand, exponent: number, epsilon: MLOperand): MLOperand {
  const { builder, f } = writer;
  const spread = builder.sqrt(builder.add(mean(writer, builder.pow(centred, f([], [exponent]))), epsilon));
  return builder.add(builder.mul(f([], [2]), builder.div(centred, spread)), f([], [1]));
}

function normOf(exponent: number, epsilon: (writer: Writer) => MLOperand, isReversed = false) {
  return (writer: Writer) => {
    const x = writer.x([1, 3], ROW);
    const m = isReversed ? writer.builder.sub(mean(writer, x), x) : writer.builder.sub(x, mean(writer, x));
    return norm(writer, m, exponent, epsilon(writer));
  };
}

testProgram("a norm by the fourth power", normOf(4, ({ f }) => f([], [3])), [0.3302253, 0.6651127, 2.004662], NEAR);
testProgram(
  "a layer norm whose epsilon is an input",
  normOf(2, ({ x }) => x([1], [3])),
  [-0.4446302, 0.2776849, 3.1669454],
  NEAR,
);
testProgram(
  "a layer norm whose epsilon is a constant",
  normOf(2, ({ f }) => f([], [3])),
  [-0.4446302, 0.2776849, 3.1669454],
  NEAR,
);
testProgram(
  "a layer norm of mean(x) - x",
  normOf(2, ({ f }) => f([], [3]), true),
  [2.4446302, 1.7223151, -1.1669454],
  NEAR,
);

/** `x / sqrt(mean(x²) + epsilon)`. */
function rmsNorm(writer: Writer, x: MLOperand, epsilon: MLOperand): MLOperand {
  const { builder, f } = writer;
  return builder.div(x, builder.sqrt(builder.add(mean(writer, builder.pow(x, f([], [2]))), epsilon)));
}

testProgram(
  "an RMS norm whose epsilon is an input",
  (writer) => writer.builder.mul(rmsNorm(writer, writer.x([1, 3], ROW), writer.x([1], [3])), writer.f([3], [1, 1, 1])),
  [1, 2, 6].map((value) => value / Math.sqrt(41 / 3 + 3)),
  NEAR,
);
testProgram(
  "an RMS norm of one element times two",
  (writer) => writer.builder.mul(rmsNorm(writer, writer.x([1, 1], [3]), writer.f([], [7])), writer.f([2], [1, 2])),
  [0.75, 1.5],
  NEAR,
);
testProgram(
  "a layer norm of one element times two",
  (writer) => {
    const { builder, f } = writer;
    const x = writer.x([1, 1], [3]);
    const m = builder.sub(x, mean(writer, x));
    const spread = builder.sqrt(builder.add(mean(writer, builder.pow(m, f([], [2]))), f([], [1])));
    return builder.add(builder.mul(builder.div(m, spread), f([2], [1, 2])), f([2], [3, 4]));
  },
  [3, 4],
  { ...NEAR, not: OWN_LAYER_NORM },
);
testProgram(
  "a layer norm whose epsilon has four dimensions",
  normOf(2, ({ f }) => f([1, 1, 1, 1], [3])),
  [-0.4446302, 0.2776849, 3.1669454],
  { ...NEAR, not: OWN_LAYER_NORM },
);
testProgram(
  "an RMS norm whose epsilon has four dimensions",
  (writer) =>
    writer.builder.mul(rmsNorm(writer, writer.x([1, 1], [3]), writer.f([1, 1, 1, 1], [7])), writer.f([1], [2])),
  [1.5],
  NEAR,
);

/** The plug-in's fusion ignores the dimension of constants. */
const LOSES_SHAPE = { ggml: "the plug-in's fusion returns a scalar" };
const SCALARS = [["a scalar", [], LOSES_SHAPE], ["two dimensions", [1, 1], {}]] as const;

for (const [name, shape, not] of SCALARS) {
  testProgram(
    `gelu by erf of ${name} with constants of one dimension`,
    ({ builder, f, x: input }) => {
      const x = input(shape, [0.5]);
      const inner = builder.add(f([1], [1]), builder.erf(builder.div(x, f([1], [Math.SQRT2]))));
      return builder.mul(builder.mul(x, f([1], [0.5])), inner);
    },
    [0.3457312],
    { ...NEAR, not },
  );
  testProgram(
    `x · sigmoid(1.702 x) of ${name} with constants of one dimension`,
    ({ builder, f, x: input }) => {
      const x = input(shape, [0.5]);
      return builder.mul(x, builder.sigmoid(builder.mul(x, f([1], [1.702]))));
    },
    [0.3503884],
    { ...NEAR, not },
  );
}
testProgram(
  "gelu by erf with another factor",
  ({ builder, f, x: input }) => {
    const x = input([1], [0.5]);
    const inner = builder.add(f([], [1]), builder.erf(builder.div(x, f([], [1.4]))));
    return builder.mul(builder.mul(x, f([], [0.5])), inner);
  },
  [0.3466237],
  { ...NEAR, not: { ggml: "the plug-in's erf has an error of 1e-5" } },
);
testProgram(
  "x · sigmoid(1.702 · y) with another input y",
  ({ builder, f, x: input }) => {
    const [x, y] = [input([1], [2]), input([1], [0])];
    return builder.mul(x, builder.sigmoid(builder.mul(y, f([], [1.702]))));
  },
  [1],
  NEAR,
);

for (const layout of ["nchw", "nhwc"] as const) {
  testProgram(
    `two activations after a convolution, ${layout}`,
    ({ builder, f, x }) => {
      const image = x(layout === "nchw" ? [1, 1, 2, 2] : [1, 2, 2, 1], [-2, 0.5, 3, -4]);
      const y = builder.conv2d(image, f([1, 1, 1, 1], [2]), { inputLayout: layout });
      return builder.tanh(builder.leakyRelu(y, { alpha: -0.25 }));
    },
    [1, 1, 6, 2].map(Math.tanh),
    { ...NEAR, not: { ggml: "the plug-in claims 2-D convolutions, but then rejects them" } },
  );
}
