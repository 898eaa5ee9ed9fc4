/**
 * Normalisations, activations and attention, written as formulas.
 *
 * @module
 */

import type { OperatorName } from "../../../src/ops/operators.ts";
import { sizeOf } from "../../reference/mod.ts";
import { type Id, type Pen, shuffled, smallShape } from "./pen.ts";

/** Adds operators to a program, mostly on the value `x`. Returns their result. */
export type Formula = (pen: Pen, x: Id) => Id;

/** The last axes, or any axes. */
function someAxes(pen: Pen, rank: number): number[] {
  if (rank === 0) return [];
  const count = pen.next.integer(1, Math.max(1, rank));
  const last = Array.from({ length: count }, (_, i) => rank - count + i);
  if (pen.isUsual()) return last.slice(-1);
  return pen.chance(0.5) ? last : shuffled(pen.next, rank).slice(0, count);
}

/** The mean along axes: by one operator, or by a sum and a quotient. */
function mean(pen: Pen, input: Id, axes: readonly number[], keepDimensions = true): Id {
  if (pen.isUsual()) return pen.unary("reduceMean", input, { axes, keepDimensions });
  const sum = pen.unary("reduceSum", input, { axes, keepDimensions });
  const count = sizeOf(axes.map((axis) => pen.shape(input)[axis]!));
  return pen.chance(0.5)
    ? pen.binary("div", sum, pen.number(count, sum))
    : pen.binary("mul", sum, pen.number(1 / count, sum));
}

function squared(pen: Pen, x: Id): Id {
  const pick = pen.next();
  if (pick < 0.55) return pen.binary("pow", x, pen.number(pen.nearly(2, 3, 4, 1, 0.5), x));
  if (pick < 0.97) return pen.binary("mul", x, pen.isUsual() ? x : pen.unary("abs", x));
  return pen.unary("abs", x);
}

/** `x / √(y + epsilon)`. */
function overRoot(pen: Pen, x: Id, y: Id): Id {
  const epsilon = pen.number(pen.nearly(1e-5, 1e-12, 1e-3, 0.25, 3), y);
  const shifted = pen.chance(0.05) ? y : pen.binary("add", y, epsilon);
  const pick = pen.next();
  if (pen.isUsual()) return pen.directed("div", x, pen.unary("sqrt", shifted));
  const root = pick < 0.5
    ? pen.unary("reciprocal", pen.unary("sqrt", shifted))
    : pick < 0.75
    ? pen.binary("pow", shifted, pen.number(pen.nearly(-0.5, -1, 0.5), shifted))
    : pen.binary("div", pen.number(1, shifted), pen.unary("sqrt", shifted));
  return pen.binary("mul", x, root);
}

/** A scale or a bias: for each element of the last dimensions, for all dimensions, or with more dimensions. */
function parameterOf(pen: Pen, x: Id): Id {
  const shape = pen.shape(x);
  const pick = pen.next();
  if (pen.isUsual() || pick < 0.3) return pen.weight(shape.slice(-1));
  if (pick < 0.6) return pen.weight(shape.slice(-2));
  if (pick < 0.75) return pen.weight(shape);
  if (pick < 0.85) return pen.weight(shape.map((dimension, axis) => axis === 0 ? dimension : 1));
  if (pick < 0.9) return pen.weight([2, ...shape.slice(-1).map(() => 1)]);
  return pen.number(0.75, x);
}

function affine(pen: Pen, x: Id): Id {
  let y = x;
  if (pen.isUsual()) y = pen.binary("mul", pen.disguised(y), parameterOf(pen, y));
  if (pen.chance(0.6)) y = pen.binary("add", y, parameterOf(pen, y));
  return y;
}

/** `scale · (x - mean) / √(mean((x - mean)²) + epsilon) + bias`. */
const layerNorm: Formula = (pen, x) => {
  const skip = pen.chance(0.25)
    ? pen.binary("add", x, pen.chance(0.5) ? parameterOf(pen, x) : pen.leaf(pen.shape(x)))
    : x;
  const input = pen.disguised(pen.chance(0.3) ? pen.binary("add", skip, parameterOf(pen, skip)) : skip);
  const axes = someAxes(pen, pen.shape(input).length);
  const keeps = pen.shape(input).length === 0 || pen.isUsual();
  const center = () => {
    const average = mean(pen, input, axes, keeps);
    const aligned = keeps ? average : pen.unary("reshape", average, { newShape: withOnes(pen.shape(input), axes) });
    return pen.directed("sub", input, aligned);
  };
  const centered = center();
  const again = pen.isUsual() ? centered : center();
  const variance = mean(pen, squared(pen, pen.disguised(again)), pen.isUsual() ? axes : someAxes(pen, axes.length));
  return affine(pen, overRoot(pen, pen.isUsual() ? centered : input, variance));
};

function withOnes(shape: readonly number[], axes: readonly number[]): number[] {
  return shape.map((dimension, axis) => axes.includes(axis) ? 1 : dimension);
}

/** `scale · x / √(mean(x²) + epsilon)`. */
const rmsNorm: Formula = (pen, x) => {
  const input = pen.disguised(pen.chance(0.2) ? pen.binary("add", x, pen.leaf(pen.shape(x))) : x);
  const axes = someAxes(pen, pen.shape(input).length);
  const wide = pen.dataType === "float16" && pen.chance(0.6)
    ? pen.unary("cast", input, { dataType: "float32" })
    : input;
  const norm = overRoot(pen, wide, mean(pen, squared(pen, wide), axes));
  return affine(pen, wide === input ? norm : pen.unary("cast", norm, { dataType: pen.dataType }));
};

/** `x · ½ · (1 + erf(x / √2))`. */
const geluByErf: Formula = (pen, x) => {
  const input = pen.disguised(pen.chance(0.3) ? pen.binary("add", x, parameterOf(pen, x)) : x);
  const scaled = pen.chance(0.6)
    ? pen.directed("div", input, pen.number(pen.nearly(Math.SQRT2, 1.5, 1.4142, 2), input))
    : pen.binary("mul", input, pen.number(pen.nearly(Math.SQRT1_2, 0.7071, 0.5), input));
  const erf = pen.disguised(pen.unary("erf", scaled));
  const sum = pen.binary("add", erf, pen.number(pen.nearly(1, 2, -1, 0.5), erf));
  return product(pen, [input, sum, pen.number(pen.nearly(0.5, 0.25, 1, 2), input)]);
};

/** The product of the factors in any order. */
function product(pen: Pen, factors: readonly Id[]): Id {
  return shuffled(pen.next, factors.length).map((i) => factors[i]!).reduce((a, b) => pen.binary("mul", a, b));
}

/** `½ · x · (1 + tanh(√(2/π) · (x + 0.044715 · x³)))`. */
const geluByTanh: Formula = (pen, x) => {
  const input = pen.disguised(pen.chance(0.3) ? pen.binary("add", x, parameterOf(pen, x)) : x);
  const cube = pen.chance(0.6)
    ? pen.binary("pow", input, pen.number(pen.nearly(3, 2, 4), input))
    : product(pen, [input, input, input]);
  const term = pen.binary("mul", cube, pen.number(pen.nearly(0.044715, 0.045, 0.1), cube));
  const scale = pen.number(pen.nearly(Math.sqrt(2 / Math.PI), 0.8, 0.7978), input);
  const argument = pen.chance(0.2)
    ? product(pen, [
      input,
      scale,
      pen.binary("add", product(pen, [input, input, pen.number(0.044715, input)]), pen.number(1, input)),
    ])
    : pen.binary("mul", pen.binary("add", term, input), scale);
  const sum = pen.binary("add", pen.unary("tanh", argument), pen.number(pen.nearly(1, 2, -1), input));
  return product(pen, [input, sum, pen.number(pen.nearly(0.5, 0.25, 1), input)]);
};

/** `x · sigmoid(x)`, `x · sigmoid(1.702 · x)`, and other products of a value with a function of it. */
const selfGated: Formula = (pen, x) => {
  const input = pen.disguised(x);
  const argument = pen.chance(0.4) ? input : pen.binary("mul", input, pen.number(pen.nearly(1.702, 1.7, 1, -1), input));
  const gate = pen.chance(0.75)
    ? pen.unary("sigmoid", argument)
    : pen.next() < 0.5
    ? pen.unary("tanh", pen.unary("softplus", argument))
    : pen.unary("hardSigmoid", argument, { alpha: pen.nearly(1 / 6, 0.2), beta: 0.5 });
  return pen.binary("mul", pen.chance(0.9) ? input : x, pen.disguised(gate));
};

/** `x · clamp(x + 3, 0, 6) / 6`. */
const hardSwish: Formula = (pen, x) => {
  const shifted = pen.binary("add", x, pen.number(pen.nearly(3, 2), x));
  const cut = pen.unary("clamp", shifted, { minValue: pen.nearly(0, -1), maxValue: pen.nearly(6, 5) });
  const gated = pen.binary("mul", x, cut);
  return pen.chance(0.5)
    ? pen.directed("div", gated, pen.number(6, gated))
    : pen.binary("mul", gated, pen.number(1 / 6, gated));
};

/** `softmax(q · kᵀ / √d + mask) · v`. */
const attention: Formula = (pen) => {
  const [batch, heads, length, size] = [pen.next.integer(1, 2), pen.next.integer(1, 2), 3, pen.next.integer(2, 4)];
  const head = () => {
    const flat = pen.leaf([batch, length, heads * size]);
    const projected = pen.chance(0.4)
      ? pen.call("matmul", { a: flat, b: pen.weight([heads * size, heads * size]) })
      : flat;
    const biased = pen.chance(0.4) ? pen.binary("add", projected, pen.weight([heads * size])) : projected;
    const split = pen.unary("reshape", biased, { newShape: [batch, length, heads, size] });
    return pen.unary("transpose", split, { permutation: [0, 2, 1, 3] });
  };
  const [q, k, v] = [head(), head(), head()];
  const scale = pen.nearly(1 / Math.sqrt(size), 1, 0.5, 2);
  const scaled = pen.chance(0.3) ? pen.binary("mul", q, pen.number(scale, q)) : q;
  const turned = pen.unary("transpose", k, { permutation: [0, 1, 3, 2] });
  let scores = pen.call("matmul", { a: scaled, b: turned });
  if (scaled === q) {
    scores = pen.chance(0.5)
      ? pen.binary("div", scores, pen.number(1 / scale, scores))
      : pen.binary("mul", scores, pen.number(scale, scores));
  }
  if (pen.chance(0.6)) scores = pen.binary("add", scores, mask(pen, batch, length));
  const weights = pen.unary("softmax", pen.disguised(scores), { axis: pen.nearly(3, 2) });
  const mixed = pen.call("matmul", { a: weights, b: v });
  const merged = pen.unary("transpose", mixed, { permutation: [0, 2, 1, 3] });
  return pen.unary("reshape", merged, { newShape: [batch, length, heads * size] });
};

/** An attention mask: 0 for visible positions, a large negative number for others; sometimes any numbers. */
function mask(pen: Pen, batch: number, length: number): Id {
  const shape = pen.next.pick([[batch, 1, 1, length], [1, 1, length, length], [length, length], [
    batch,
    1,
    length,
    length,
  ]]);
  const seen = pen.leaf(shape, { domain: { float: [0, 1] } });
  if (pen.chance(0.3)) return seen;
  const open = pen.call("greater", { a: seen, b: pen.number(0.4, seen) });
  const bits = pen.unary("cast", open, { dataType: pen.dataType });
  const hidden = pen.binary("sub", pen.number(1, bits), bits);
  return pen.binary("mul", hidden, pen.number(pen.nearly(-10000, -5, -1), hidden));
}

/** Sums of rows of tables, normalised. */
const embedding: Formula = (pen) => {
  const [count, width] = [pen.next.integer(2, 4), pen.next.integer(2, 5)];
  const row = () => {
    const table = pen.weight([pen.next.integer(3, 5), width]);
    const indices = pen.leaf([1, count], {
      dataType: "int32",
      domain: { float: [0, 0], integer: [-4, 4] },
      constants: 0.2,
    });
    return pen.call("gather", { input: table, indices }, { axis: 0 });
  };
  const sum = [row(), row(), ...(pen.chance(0.5) ? [row()] : [])].reduce((a, b) => pen.binary("add", a, b));
  return layerNorm(pen, sum);
};

/** A product of matrices, with operators that engines fuse into it: transposes, factors, sums, activations. */
const product2d: Formula = (pen) => {
  const [rows, inner, columns] = [pen.next.integer(1, 4), pen.next.integer(1, 5), pen.next.integer(1, 4)];
  const batch = pen.chance(0.4) ? smallShape(pen.next, pen.next.integer(1, 2)) : [];
  const matrix = (shape: number[], isWeight: boolean) => {
    const full = [...(pen.chance(0.7) ? batch : []), ...shape];
    if (pen.chance(0.6)) return isWeight ? pen.weight(full) : pen.leaf(full);
    const turned = full.with(-1, full.at(-2)!).with(-2, full.at(-1)!);
    const source = isWeight ? pen.weight(turned) : pen.leaf(turned);
    const axes = full.map((_, axis) => axis);
    const permutation = [...axes.slice(0, -2), axes.at(-1)!, axes.at(-2)!];
    return pen.unary("transpose", source, { permutation });
  };
  const factor = (id: Id) => pen.chance(0.25) ? pen.binary("mul", id, pen.number(pen.nearly(0.5, 3), id)) : id;
  const [a, b] = [factor(matrix([rows, inner], false)), factor(matrix([inner, columns], true))];
  const isFlat = pen.shape(a).length === 2 && pen.shape(b).length === 2;
  let y = isFlat && pen.chance(0.4) ? gemm(pen, a, b, columns) : pen.call("matmul", { a, b });
  y = factor(pen.disguised(y));
  if (pen.chance(0.6)) y = pen.binary("add", y, parameterOf(pen, y));
  return pen.chance(0.5) ? activation(pen, y) : y;
};

function gemm(pen: Pen, a: Id, b: Id, columns: number): Id {
  const c = pen.chance(0.5) ? { c: pen.weight(pen.next.pick([[], [1], [columns], [1, columns]])) } : {};
  return pen.call("gemm", { a, b, ...c }, { alpha: pen.nearly(1, 0.5), beta: pen.nearly(1, 2) });
}

const ACTIVATIONS: readonly (readonly [OperatorName, Readonly<Record<string, unknown>>])[] = [
  ["relu", {}],
  ["clamp", { minValue: 0, maxValue: 6 }],
  ["clamp", { minValue: -0.5 }],
  ["sigmoid", {}],
  ["tanh", {}],
  ["leakyRelu", { alpha: 0.125 }],
  ["leakyRelu", { alpha: -0.5 }],
  ["hardSigmoid", { alpha: 0.25, beta: 0.5 }],
  ["hardSwish", {}],
  ["elu", { alpha: 0.5 }],
  ["softplus", {}],
  ["gelu", {}],
];

/** A random activation operator, sometimes several. */
export function activation(pen: Pen, x: Id): Id {
  const [name, attributes] = pen.next.pick(ACTIVATIONS);
  const y = pen.unary(name, x, attributes);
  return pen.chance(0.15) ? activation(pen, y) : y;
}

/** `(1 / x) · y`, where the 1 may have more dimensions than both. */
const quotient: Formula = (pen, x) => {
  const away = pen.binary("add", pen.unary("abs", x), pen.number(0.5, x));
  const one = pen.binary("div", pen.number(pen.nearly(1, 2), away), away);
  return pen.binary("mul", one, pen.chance(0.5) ? pen.leaf(pen.shape(x)) : parameterOf(pen, x));
};

/** The formulas of this file. */
export const NORMS: readonly Formula[] = [
  layerNorm,
  layerNorm,
  rmsNorm,
  rmsNorm,
  geluByErf,
  geluByErf,
  geluByTanh,
  selfGated,
  hardSwish,
  attention,
  embedding,
  product2d,
  product2d,
  quotient,
];
