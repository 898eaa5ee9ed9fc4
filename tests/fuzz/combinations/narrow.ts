/**
 * Narrow patterns: formulas that optimisers change only under many conditions, and values for which they are wrong.
 *
 * @module
 */

import { activation, type Formula } from "./norms.ts";
import { DeadEnd, type Id, type Pen, smallShape } from "./pen.ts";
import { dequantized, pairOf, quantized } from "./quantized.ts";

/** A tensor of values up to about 2 to the `exponent`: far from 1. */
function far(pen: Pen, shape: readonly number[], exponent: number, constants: number): Id {
  if (pen.dataType === "float16") throw new DeadEnd("the numbers exceed float16");
  return pen.leaf(shape, { constants, domain: { float: [-(2 ** exponent), 2 ** exponent] } });
}

function exponentOf(pen: Pen): number {
  return pen.next.pick([-100, -70, 70, 100]);
}

/** A gelu by tanh, in the forms that optimisers recognise, with constants of any shape. */
const fastGelu: Formula = (pen) => {
  const x = pen.unary("abs", pen.leaf(smallShape(pen.next, pen.next.integer(0, 2))));
  const number = (value: number) => pen.number(value, x);
  const half = pen.binary("mul", x, number(0.5));
  const factor = pen.nearly(0.044715, 0.04471515, 0.0447);
  const scale = number(Math.sqrt(2 / Math.PI));
  const argument = pen.chance(0.5)
    ? pen.binary("mul", pen.binary("add", pen.binary("mul", pen.binary("pow", x, number(3)), number(factor)), x), scale)
    : pen.binary(
      "mul",
      pen.binary("mul", x, scale),
      pen.binary("add", pen.binary("mul", pen.binary("mul", x, number(factor)), x), number(1)),
    );
  const y = pen.binary("mul", half, pen.binary("add", pen.unary("tanh", argument), number(1)));
  return pen.unary("neg", y);
};

/** A product of matrices that were first scaled to about 1. */
const scaledProduct: Formula = (pen) => {
  const [rows, inner, columns] = [pen.next.integer(1, 3), pen.next.integer(1, 4), pen.next.integer(1, 3)];
  const scaled = (shape: readonly number[], constants: number) => {
    const exponent = exponentOf(pen);
    const value = far(pen, shape, exponent, constants);
    return pen.binary("mul", value, pen.number(2 ** -exponent, value));
  };
  return pen.call("matmul", { a: scaled([rows, inner], 0.1), b: scaled([inner, columns], 0.3) });
};

/** A convolution of large numbers with small weights, or the reverse. The weights times the factor exceed float32. */
const scaledConvolution: Formula = (pen) => {
  const [channels, outputs] = [pen.next.integer(1, 2), pen.next.integer(1, 3)];
  const exponent = pen.next.pick([-100, 100]);
  const input = far(pen, [1, channels, 3, 3], exponent, 0);
  const filter = far(pen, [outputs, channels, 2, 2], -0.75 * exponent, 1);
  const y = pen.call("conv2d", { input, filter });
  const factor = pen.leaf(pen.next.pick([[1, outputs, 1, 1], []]), {
    constants: 1,
    domain: { float: [2 ** (-0.65 * exponent - 1), 2 ** (-0.65 * exponent)] },
  });
  return pen.binary("mul", y, factor);
};

/** A convolution with a bias and a summand, the sum of which exceeds float32. */
const largeSums: Formula = (pen) => {
  if (pen.dataType === "float16") throw new DeadEnd("the numbers exceed float16");
  const input = pen.leaf([1, 1, 2, 2], { constants: 0, domain: { float: [-1.7e19, -1.6e19] } });
  const filter = pen.leaf([2, 1, 1, 1], { constants: 1, domain: { float: [1.6e19, 1.7e19] } });
  const large = (shape: readonly number[]) => pen.leaf(shape, { constants: 1, domain: { float: [2.2e38, 2.8e38] } });
  return pen.binary("add", pen.call("conv2d", { input, filter, bias: large([2]) }), large([1, 2, 1, 1]));
};

/** A sum with a skip connection, then a layer normalisation. The elements are often large and nearly equal. */
const skippedNorm: Formula = (pen) => {
  const shape = [1, pen.next.integer(1, 3), pen.next.integer(2, 6)];
  const offset = pen.nearly(1000, 0, 30);
  const x = pen.leaf(shape, { constants: 0, domain: { float: [offset, offset + 3] } });
  const y = pen.leaf(shape, { constants: 0 });
  const size = shape.slice(-1);
  const biased = pen.chance(0.5) ? pen.binary("add", y, pen.weight(size)) : y;
  const sum = pen.binary("add", x, biased);
  return pen.call("layerNormalization", { input: sum, scale: pen.weight(size), bias: pen.weight(size) }, {
    axes: [2],
    epsilon: 1e-5,
  });
};

/** A bias, then a gelu, also of values far below 0. */
const biasedGelu: Formula = (pen) => {
  const shape = smallShape(pen.next, pen.next.integer(2, 3));
  const x = pen.leaf(shape, { constants: 0, domain: { float: [-7, 4] } });
  return pen.unary("gelu", pen.binary("add", x, pen.weight(shape.slice(-1))));
};

/** All positions of an axis, or nearly all, each with a gather of its own. */
const gathered: Formula = (pen, x) => {
  const source = pen.shape(x).length > 0 && pen.shape(x).every((size) => size < 5)
    ? pen.unary("tanh", x)
    : pen.unary("tanh", pen.leaf(smallShape(pen.next, 2)));
  const shape = pen.shape(source);
  const axis = pen.next.integer(0, shape.length - 1);
  const rows = Array.from({ length: shape[axis]! }, (_, i) => {
    const indices = pen.given({ dataType: "int64", shape: [], data: [BigInt(pen.nearly(i, 0))] }, true);
    const row = pen.call("gather", { input: source, indices }, { axis });
    return pen.unary("reshape", activation(pen, row), { newShape: shape.with(axis, 1) });
  });
  return pen.call("concat", { inputs: rows }, { axis });
};

/** A relu or clamp, then a quantisation with the same range or another one. */
const clampedSteps: Formula = (pen, x) => {
  const [dataType, zero] = pen.next.pick([["uint8", 0], ["int8", -128], ["int8", 0], ["uint8", 3]] as const);
  const scale = pen.next.pick([0.0078125, 0.02, 0.5]);
  const cut = pen.chance(0.5)
    ? pen.unary("relu", x)
    : pen.unary("clamp", x, { minValue: pen.nearly(0, -1, 0.5), maxValue: pen.nearly(scale * 255, 1, 2, 600) });
  const ones = pen.shape(x).map(() => 1);
  const scales = pen.given({ dataType: pen.dataType, shape: ones, data: [scale] }, true);
  const zeroPoint = pen.given({ dataType, shape: ones, data: [zero] }, true);
  const steps = pen.call("quantizeLinear", { input: cut, scale: scales, zeroPoint });
  return pen.call("dequantizeLinear", { input: steps, scale: scales, zeroPoint });
};

/** Quantised values, an operator with weights that are not quantised, and a quantisation. */
const plainWeights: Formula = (pen) => {
  const [channels, outputs] = [pen.next.integer(1, 3), pen.next.integer(1, 3)];
  const isImage = pen.chance(0.6);
  const input = pairOf(pen, pen.leaf(isImage ? [1, channels, 3, 3] : [2, channels]));
  const bias = pen.weight([outputs]);
  const y = isImage
    ? pen.call("conv2d", { input, filter: pen.weight([outputs, channels, 2, 2]), bias })
    : pen.call("gemm", { a: input, b: pen.weight([channels, outputs]), c: bias });
  return dequantized(pen, quantized(pen, y));
};

/** `where` with quantised values and a number. */
const quantizedChoice: Formula = (pen, x) => {
  const condition = pen.leaf(pen.shape(x), { dataType: "uint8", domain: { float: [0, 0], integer: [0, 1] } });
  const [trueValue, falseValue] = [pairOf(pen, x), pen.number(0.3, x)];
  const y = pen.chance(0.5)
    ? pen.call("where", { condition, trueValue, falseValue })
    : pen.call("where", { condition, trueValue: falseValue, falseValue: trueValue });
  return pairOf(pen, y);
};

/** A gemm, then an activation or a transpose. */
const followedGemm: Formula = (pen) => {
  const [rows, inner, columns] = [pen.next.integer(1, 4), pen.next.integer(1, 5), pen.next.integer(1, 4)];
  const c = pen.chance(0.6) ? { c: pen.weight([columns]) } : {};
  const y = pen.call("gemm", { a: pen.leaf([rows, inner]), b: pen.weight([inner, columns]), ...c }, {
    alpha: pen.nearly(1, 0.5),
  });
  return pen.chance(0.6) ? activation(pen, y) : pen.unary("transpose", y, { permutation: [1, 0] });
};

/** The formulas of this file. */
export const NARROW: readonly Formula[] = [
  scaledProduct,
  scaledConvolution,
  largeSums,
  skippedNorm,
  biasedGelu,
  fastGelu,
  gathered,
  clampedSteps,
  plainWeights,
  quantizedChoice,
  followedGemm,
];
