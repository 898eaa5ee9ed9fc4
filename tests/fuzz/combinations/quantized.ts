/**
 * Chains of operators on quantised values: dequantise, compute, quantise again.
 *
 * @module
 */

import { sizeOf } from "../../reference/mod.ts";
import type { Domain } from "../../support/operand_values.ts";
import { activation, type Formula } from "./norms.ts";
import { type Id, type Pen, shuffled, smallShape } from "./pen.ts";

type QuantizedType = "int8" | "uint8" | "int32" | "int4" | "uint4";

const SCALES: Domain = { float: [0.02, 0.5] };
const DATA: Readonly<Record<QuantizedType, Domain>> = {
  int8: { float: [0, 0] },
  uint8: { float: [0, 0] },
  int32: { float: [0, 0], integer: [-1000, 1000] },
  int4: { float: [0, 0] },
  uint4: { float: [0, 0] },
};

function typeOf(pen: Pen, ...others: readonly QuantizedType[]): QuantizedType {
  return pen.chance(0.75) ? pen.next.pick(["int8", "uint8"]) : pen.next.pick(others);
}

/** A scale and a zero point: for the whole tensor, for each position of an axis, or for blocks. */
function parameters(pen: Pen, shape: readonly number[], type: QuantizedType) {
  const ones = shape.map(() => 1);
  const axis = pen.next.integer(0, Math.max(0, shape.length - 1));
  const pick = pen.next();
  const blocks = pick < 0.5 || shape.length === 0
    ? ones
    : pick < 0.85
    ? ones.with(axis, shape[axis]!)
    : halves(shape, axis);
  const zero: Domain = pen.chance(0.4) ? { float: [0, 0], integer: [0, 0] } : { float: [0, 0], integer: [0, 7] };
  const scale = pen.chance(0.1)
    ? pen.number(0.5, pen.leaf(blocks))
    : pen.leaf(blocks, { constants: 0.85, domain: SCALES });
  return {
    scale: sizeOf(pen.shape(scale)) === sizeOf(blocks)
      ? pen.unary("reshape", scale, { newShape: blocks })
      : pen.weight(blocks, SCALES),
    zeroPoint: pen.leaf(blocks, { constants: 0.85, dataType: type, domain: zero }),
  };
}

function halves(shape: readonly number[], axis: number): number[] {
  return shape.map((size, i) => i === axis && size % 2 === 0 ? size / 2 : 1);
}

/** Quantises. */
export function quantized(pen: Pen, input: Id, type: QuantizedType = typeOf(pen, "int32")): Id {
  return pen.call("quantizeLinear", { input, ...parameters(pen, pen.shape(input), type) });
}

/** Dequantises. */
export function dequantized(pen: Pen, input: Id): Id {
  const type = pen.tensor(input).dataType as QuantizedType;
  return pen.call("dequantizeLinear", { input, ...parameters(pen, pen.shape(input), type) });
}

/** Quantises and dequantises with the same scale and zero point. */
export function pairOf(pen: Pen, input: Id): Id {
  const type = typeOf(pen, "int32");
  const steps = parameters(pen, pen.shape(input), type);
  return pen.call("dequantizeLinear", { input: pen.call("quantizeLinear", { input, ...steps }), ...steps });
}

/** A dequantised value: of new data, or of `x` quantised. */
function source(pen: Pen, x: Id, shape = pen.shape(x)): Id {
  const isSame = `${shape}` === `${pen.shape(x)}`;
  if (isSame && pen.chance(0.5)) return pen.chance(0.5) ? pairOf(pen, x) : dequantized(pen, quantized(pen, x));
  const dataType = typeOf(pen, "int32", "int4", "uint4");
  return dequantized(pen, pen.leaf(shape, { dataType, domain: DATA[dataType], constants: 0.3 }));
}

/** An operation past which engines move a quantisation, or which they execute on the quantised values. */
function between(pen: Pen, x: Id): Id {
  const shape = pen.shape(x);
  const rank = shape.length;
  switch (pen.next.integer(0, 15)) {
    case 0:
      return pen.unary("reshape", x, { newShape: shuffled(pen.next, rank).map((axis) => shape[axis]!) });
    case 1:
      return pen.unary("transpose", x, { permutation: shuffled(pen.next, rank) });
    case 2:
      return rank === 0
        ? x
        : pen.call("concat", { inputs: pen.chance(0.5) ? [x, x] : [x, source(pen, x, shape)] }, { axis: 0 });
    case 3:
      return pen.unary("slice", x, { starts: shape.map(() => 0), sizes: shape.map((size) => Math.ceil(size / 2)) });
    case 4:
      return rank === 0 ? x : pen.unary("softmax", x, { axis: rank - 1 });
    case 5:
      return activation(pen, x);
    case 6:
      return pen.binary(
        pen.next.pick(["add", "mul", "max", "min"]),
        x,
        source(pen, x, pen.chance(0.7) ? shape : shape.slice(-1)),
      );
    case 7:
      return pen.directed(pen.next.pick(["sub", "div"]), x, pen.number(2, x));
    case 8:
      return pen.unary("pad", x, { beginningPadding: shape.map(() => 1), endingPadding: shape.map(() => 0), value: 0 });
    case 9:
      return rank === 0 ? x : pen.unary("reduceMean", x, { axes: [rank - 1], keepDimensions: pen.chance(0.5) });
    case 10:
      return rank === 0 ? x : pen.calls("split", { input: x }, { splits: parts(shape[0]!), axis: 0 })[0]!;
    case 11:
      return rank === 0 ? x : pen.call("gather", {
        input: x,
        indices: pen.given({ dataType: "int32", shape: [2], data: [0, shape[0]! - 1] }, true),
      }, { axis: 0 });
    case 12:
      return pen.unary("expand", x, { newShape: [2, ...shape] });
    case 13: {
      const condition = pen.leaf(shape, { dataType: "uint8", domain: { float: [0, 0], integer: [0, 1] } });
      return pen.call("where", {
        condition,
        trueValue: x,
        falseValue: pen.chance(0.5) ? pen.number(0.5, x) : source(pen, x, shape),
      });
    }
    case 14:
      return pen.unary("clamp", pen.unary("relu", x), { minValue: pen.nearly(0, -1, 0.3), maxValue: pen.nearly(6, 1) });
    default:
      return pool(pen, x);
  }
}

function parts(size: number): number[] {
  return size === 1 ? [1] : [1, size - 1];
}

function pool(pen: Pen, x: Id): Id {
  const shape = pen.shape(x);
  if (shape.length !== 4) return pen.unary("sigmoid", x);
  const name = pen.next.pick(["maxPool2d", "averagePool2d"] as const);
  return pen.unary(name, x, { windowDimensions: shape.slice(2).map((size) => Math.min(2, size)) });
}

/** Dequantise, compute, quantise. */
const chain: Formula = (pen, x) => {
  let y = source(pen, x);
  for (let count = pen.next.integer(1, 2); count > 0; count--) y = between(pen, pen.disguised(y));
  return pen.chance(0.8) ? finish(pen, quantized(pen, y)) : y;
};

/** The quantised value as floats again, sometimes after data movement. */
function finish(pen: Pen, id: Id): Id {
  if (pen.chance(0.3)) {
    return dequantized(pen, pen.unary("transpose", id, { permutation: shuffled(pen.next, pen.shape(id).length) }));
  }
  if (pen.chance(0.2)) return dequantized(pen, pen.unary("identity", id));
  return dequantized(pen, id);
}

/** Several pairs of a quantisation and a dequantisation. */
const pairs: Formula = (pen, x) => {
  let y = x;
  for (let count = pen.next.integer(2, 3); count > 0; count--) {
    y = pen.chance(0.6) ? pairOf(pen, y) : dequantized(pen, quantized(pen, y));
    if (pen.chance(0.3)) y = pen.disguised(y);
  }
  return y;
};

/** A convolution of dequantised values. */
const convolution: Formula = (pen) => {
  const [channels, outputs] = [pen.next.integer(1, 3), pen.next.integer(1, 3)];
  const x = pen.leaf([1, channels, 4, 4]);
  const filterType = pen.next.pick(["int8", "uint8"] as const);
  const filter = dequantized(
    pen,
    pen.leaf([outputs, channels, 2, 2], { dataType: filterType, domain: DATA[filterType], constants: 0.9 }),
  );
  const bias = pen.chance(0.5)
    ? { bias: dequantized(pen, pen.leaf([outputs], { dataType: "int32", domain: DATA.int32, constants: 0.9 })) }
    : {};
  const conv = pen.call("conv2d", { input: pen.chance(0.7) ? source(pen, x) : x, filter, ...bias });
  const y = pen.chance(0.5) ? activation(pen, conv) : conv;
  return pen.chance(0.7) ? dequantized(pen, quantized(pen, y)) : y;
};

/** A product with quantised weights, in the forms that programs use. */
const product: Formula = (pen) => {
  const blockSize = pen.next.pick([8, 16, 16, 32]);
  const [rows, inner, columns] = [
    pen.next.integer(1, 3),
    blockSize * (blockSize === 32 ? 1 : pen.next.integer(1, 2)),
    pen.next.integer(1, 4),
  ];
  const dataType = pen.next.pick(["int4", "uint4", "int8", "uint8"] as const);
  const x = pen.leaf([rows, inner]);
  const a = pen.chance(0.2) ? source(pen, x) : x;
  const domain = DATA[dataType];
  const zero: Domain = pen.chance(0.5) ? { float: [0, 0], integer: [0, 0] } : { float: [0, 0], integer: [0, 7] };
  const weight = (shape: readonly number[], blocks: readonly number[]) =>
    pen.call("dequantizeLinear", {
      input: pen.leaf(shape, { dataType, domain, constants: 0.9 }),
      scale: pen.leaf(blocks, { constants: 0.9, domain: SCALES }),
      zeroPoint: pen.leaf(blocks, { dataType, constants: 0.9, domain: zero }),
    });
  const y = pen.call("matmul", { a, b: pen.disguised(matrix(pen, weight, inner, columns, blockSize)) });
  return pen.chance(0.3) ? pen.binary("add", y, pen.weight([columns])) : pen.chance(0.3) ? activation(pen, y) : y;
};

/** The weights of a product, [inner, columns]. */
function matrix(
  pen: Pen,
  weight: (shape: readonly number[], blocks: readonly number[]) => Id,
  inner: number,
  columns: number,
  blockSize: number,
): Id {
  const blocks = inner / blockSize;
  switch (pen.next.integer(0, 4)) {
    case 0: {
      const packed = weight([columns, blocks, blockSize], [columns, blocks, 1]);
      const flat = pen.unary("reshape", packed, { newShape: [columns, inner] });
      return pen.unary("transpose", flat, { permutation: [1, 0] });
    }
    case 1:
      return pen.unary("transpose", weight([columns, inner], [columns, blocks]), { permutation: [1, 0] });
    case 2:
      return weight([inner, columns], [blocks, columns]);
    case 3:
      return weight([inner, columns], [1, columns]);
    default:
      return weight([inner, columns], [1, 1]);
  }
}

/** 32-bit integers, dequantised, with data movement. */
const accumulators: Formula = (pen) => {
  const shape = smallShape(pen.next, pen.next.integer(1, 4));
  const input = pen.leaf(shape, { dataType: "int32", domain: DATA.int32, constants: 0.3 });
  const y = between(pen, dequantized(pen, input));
  return pen.chance(0.5) ? dequantized(pen, quantized(pen, y)) : y;
};

/** The formulas of this file. */
export const QUANTIZED: readonly Formula[] = [chain, chain, chain, pairs, convolution, product, product, accumulators];
