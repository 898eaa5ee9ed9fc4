/**
 * Data movement, casts, and operators that change nothing: engines cancel them, merge them, or move them past others.
 *
 * @module
 */

import { sizeOf } from "../../reference/mod.ts";
import { activation, type Formula } from "./norms.ts";
import { type Id, type Pen, shuffled, smallShape } from "./pen.ts";

const CAST_TYPES = ["float16", "float32", "int32", "int8", "int64", "uint8"] as const;

/** Several casts, some of which round, of numbers in the range of all their types. */
const casts: Formula = (pen, x) => {
  const isSigned = pen.chance(0.5);
  const types = isSigned ? CAST_TYPES.filter((type) => type !== "uint8") : CAST_TYPES;
  const min = isSigned ? -100 : 0;
  let y = pen.chance(0.5)
    ? pen.unary("clamp", x, { minValue: min, maxValue: 100 })
    : pen.leaf(pen.shape(x), { domain: { float: [min, 100] } });
  for (let count = pen.next.integer(2, 4); count > 0; count--) {
    y = pen.unary("cast", y, { dataType: pen.next.pick(types) });
  }
  return pen.unary("cast", y, { dataType: pen.dataType });
};

/** Operations with a neutral number, which change nothing, or only the sign of a zero; or with a similar number. */
const neutral: Formula = (pen, x) => {
  const zeros = pen.unary("clamp", x, { minValue: pen.nearly(-0, 0, -1), maxValue: 1 });
  const source = pen.chance(0.5) ? x : pen.binary("mul", zeros, pen.number(pen.nearly(0, 1), zeros));
  const [operator, number] = pen.next.pick(
    [["add", 0], ["add", -0], ["sub", 0], ["sub", -0], ["mul", 1], ["div", 1], ["pow", 1], ["max", -Infinity]] as const,
  );
  const y = pen.binary(operator, source, pen.number(number, source));
  return pen.chance(0.5) ? pen.unary("reciprocal", y) : y;
};

/** Two equal operations, or nearly equal ones, in which one has 0 and the other -0. */
const twins: Formula = (pen, x) => {
  const sign = pen.next.pick([0, -0]);
  const kind = pen.next.integer(0, 3);
  const [a, b] = [twin(pen, x, kind, sign), twin(pen, x, kind, pen.nearly(-sign, sign))];
  return pen.chance(0.5)
    ? pen.binary("max", a, b)
    : pen.call("concat", { inputs: [rank1(pen, a), rank1(pen, b)] }, { axis: 0 });
};

/**
 * An operation whose result has the sign of `zero`, and a reciprocal that shows the sign. No operand is 0, because then
 * both signs would be right.
 */
function twin(pen: Pen, x: Id, kind: number, zero: number): Id {
  const positive = () => pen.binary("add", pen.unary("abs", x), pen.number(1, x));
  switch (kind) {
    case 0:
      return pen.unary("reciprocal", pen.unary("clamp", positive(), { minValue: zero, maxValue: zero }));
    case 1:
      return pen.unary("reciprocal", pen.unary("leakyRelu", pen.unary("neg", positive()), { alpha: zero }));
    case 2:
      return pen.unary("reciprocal", pen.binary("mul", pen.unary("abs", x), pen.number(zero, x)));
    default:
      return pen.unary("elu", x, { alpha: pen.nearly(1, 0.5) });
  }
}

function rank1(pen: Pen, x: Id): Id {
  return pen.unary("reshape", x, { newShape: [sizeOf(pen.shape(x))] });
}

/** A transpose, some operations, and the inverse or another transpose. */
const transposed: Formula = (pen, x) => {
  const source = pen.shape(x).length > 1 ? x : pen.leaf(smallShape(pen.next, pen.next.integer(2, 4)));
  const rank = pen.shape(source).length;
  const permutation = shuffled(pen.next, rank);
  let y = pen.unary("transpose", source, { permutation });
  for (let count = pen.next.integer(1, 3); count > 0; count--) y = betweenTransposes(pen, y);
  if (pen.shape(y).length !== rank) return y;
  const back = permutation.map((_, axis) => permutation.indexOf(axis));
  return pen.unary("transpose", y, { permutation: pen.chance(0.7) ? back : shuffled(pen.next, rank) });
};

/** An operation past which an engine may move a transpose. */
function betweenTransposes(pen: Pen, x: Id): Id {
  const shape = pen.shape(x);
  const rank = shape.length;
  const axis = pen.next.integer(0, Math.max(0, rank - 1));
  if (rank === 0) return activation(pen, x);
  switch (pen.next.integer(0, 12)) {
    case 0:
      return activation(pen, x);
    case 1:
      return pen.binary(
        pen.next.pick(["add", "mul", "max"]),
        x,
        pen.weight(pen.chance(0.5) ? shape : shape.slice(axis)),
      );
    case 2: {
      const inputs = shuffled(pen.next, 2).map((i) => [x, pen.leaf(shape)][i]!);
      return pen.call("concat", { inputs }, { axis });
    }
    case 3:
      return pen.call("concat", { inputs: pen.calls("split", { input: x }, { axis, splits: halves(shape[axis]!) }) }, {
        axis,
      });
    case 4:
      return pen.unary(pen.next.pick(["reduceMean", "reduceMax", "reduceSum", "reduceL2"]), x, {
        axes: shuffled(pen.next, rank).slice(0, pen.next.integer(0, rank)),
        keepDimensions: pen.chance(0.7),
      });
    case 5:
      return pen.unary("softmax", x, { axis });
    case 6:
      return pen.unary("pad", x, {
        beginningPadding: shape.map(() => pen.next.integer(0, 1)),
        endingPadding: shape.map(() => 0),
        mode: pen.next.pick(["constant", "edge"]),
        value: pen.next.pick([0, 1.5]),
      });
    case 7:
      return pen.unary("slice", x, {
        starts: shape.map((size) => size > 1 ? 1 : 0),
        sizes: shape.map((size) => Math.max(1, size - 1)),
      });
    case 8:
      return pen.unary("reshape", x, { newShape: pen.chance(0.5) ? [...shape, 1] : shape.toReversed() });
    case 9:
      return pen.unary("cast", pen.unary("argMax", x, { axis, keepDimensions: true }), { dataType: pen.dataType });
    case 10:
      return pen.unary("cumulativeSum", x, { axis });
    case 11:
      return pen.unary("transpose", x, { permutation: shuffled(pen.next, rank) });
    default:
      return pen.unary("tile", x, { repetitions: shape.map((_, i) => i === axis ? 2 : 1) });
  }
}

function halves(size: number): number[] {
  return size === 1 ? [1] : [Math.floor(size / 2), Math.ceil(size / 2)];
}

/** Slices and gathered positions, which together are a split, or nearly a split. */
const sliced: Formula = (pen, x) => {
  const source = pen.shape(x).length > 0 ? x : pen.leaf([4]);
  const shape = pen.shape(source);
  const axis = pen.next.integer(0, shape.length - 1);
  const size = shape[axis]!;
  const parts = Array.from({ length: Math.min(size, 4) }, (_, i) => {
    const start = pen.chance(0.9) ? i : 0;
    if (pen.chance(0.6)) {
      const position = pen.chance(0.2) ? start - size : start;
      const indices = pen.given(
        { dataType: "int32", shape: pen.chance(0.5) ? [] : [1], data: [position] },
        pen.chance(0.9),
      );
      const row = pen.call("gather", { input: source, indices }, { axis });
      return pen.unary("reshape", row, { newShape: shape.with(axis, 1) });
    }
    return pen.unary("slice", source, {
      starts: shape.map((_, d) => d === axis ? start : 0),
      sizes: shape.with(axis, 1),
    });
  });
  const changed = parts.map((part) => pen.chance(0.3) ? activation(pen, part) : part);
  return pen.call("concat", { inputs: changed }, { axis });
};

/** `where` with a comparison as the condition, sometimes negated. */
const choice: Formula = (pen, x) => {
  const shape = pen.shape(x);
  const compared = pen.call(pen.next.pick(["greater", "lesser", "equal"]), { a: x, b: pen.number(0.25, x) });
  const condition = pen.chance(0.6) ? pen.call("logicalNot", { a: compared }) : compared;
  const other = pen.chance(0.5) ? pen.leaf(shape) : pen.number(-0.5, x);
  return pen.call("where", { condition, trueValue: x, falseValue: other });
};

/** A relu and several clamps; the reciprocal distinguishes 0 from -0. */
const clamps: Formula = (pen, x) => {
  let y = pen.chance(0.7) ? pen.unary("relu", x) : x;
  for (let count = pen.next.integer(1, 3); count > 0; count--) {
    y = pen.unary("clamp", y, { minValue: pen.next.pick([0, -0, -1, 0.5]), maxValue: pen.next.pick([6, 1, Infinity]) });
  }
  return pen.chance(0.3) ? pen.unary("reciprocal", y) : y;
};

/** Reshapes and expands, also of constants. */
const reshaped: Formula = (pen, x) => {
  const shape = pen.shape(x);
  const constant = pen.weight([sizeOf(shape)]);
  const b = pen.unary("reshape", pen.unary("reshape", constant, { newShape: [1, sizeOf(shape)] }), { newShape: shape });
  const y = pen.binary(
    "add",
    pen.unary("reshape", pen.unary("reshape", x, { newShape: [sizeOf(shape), 1] }), { newShape: shape }),
    b,
  );
  return pen.chance(0.5) ? pen.unary("expand", y, { newShape: pen.chance(0.5) ? shape : [2, ...shape] }) : y;
};

/** The formulas of this file. */
export const MOVES: readonly Formula[] = [
  casts,
  neutral,
  neutral,
  twins,
  transposed,
  transposed,
  transposed,
  sliced,
  choice,
  clamps,
  reshaped,
];
