/**
 * Lowering of reductions.
 *
 * @module
 */

import { isFloat, isUnsigned, type MLOperandDataType } from "../../../data_type.ts";
import type { reductions as rows } from "../../../ops/reduction.ts";
import type { NodeOf } from "../../../ops/operators.ts";
import { elementCount } from "../../../shape.ts";
import type { OnnxWriter, Operand } from "../writer.ts";
import { hasFlaw } from "./kernels.ts";
import type { Lowering } from "./lowering.ts";
import { type Combine, greaterOf, lesserOf } from "./order.ts";

type ReductionNode = NodeOf<keyof typeof rows>;

/** The result of a reduction for a single element. */
type OfElement = (input: Operand, onnx: OnnxWriter) => Operand;

const itself: OfElement = (input) => input;
const absolute: OfElement = (input, onnx) => onnx.node("Abs", [input]);
const square: OfElement = (input, onnx) => onnx.node("Mul", [input, input]);
const logarithm: OfElement = (input, onnx) => onnx.node("Log", [input]);

/** A reduction with one ONNX operator. If there are no axes, providers differ, so each element is reduced alone. */
function reduction(op: string, ofElement: OfElement = itself) {
  return (node: ReductionNode, onnx: OnnxWriter): Operand => {
    const { operands: { input }, attributes: { axes } } = node;
    return axes.length === 0 ? ofElement(input, onnx) : reduce(op, input, node, onnx);
  };
}

/** Reduces a value of the input's shape with an ONNX operator. */
function reduce(op: string, value: Operand, node: ReductionNode, onnx: OnnxWriter): Operand {
  const { operands: { input: { shape } }, attributes: { axes, keepDimensions }, outputs: [output] } = node;
  const write = (operand: Operand, axes: readonly number[], keepdims: boolean) =>
    onnx.node(op, [operand, onnx.ints(axes)], { keepdims: Number(keepdims) });
  if (BY_ROWS.has(op) && hasLeadingOnes(node, onnx)) return withoutLeadingOnes(op, value, node, onnx);
  if (shape.length === 3 && axes.length === 1 && axes[0] !== 1 && hasFlaw("blindReductions", onnx)) {
    const [first, second, third] = shape as [number, number, number];
    const [matrix, axis] = axes[0] === 0 ? [[first, second * third], 0] : [[first * second, third], 1];
    return onnx.reshape(write(onnx.reshape(value, matrix), [axis], true), output!.shape);
  }
  return output!.shape.length === 0 && hasFlaw("lostScalars", onnx)
    ? onnx.reshape(write(value, axes, true), [])
    : write(value, axes, keepDimensions);
}

/** Operators that can add whole rows. */
const BY_ROWS: ReadonlySet<string> = new Set(["ReduceSum", "ReduceMean"]);

/** Below this number of elements, two more nodes take longer than they save. */
const MANY = 16_384;

/**
 * Whether the first dimensions are 1, the next ones are reduced and the last one is not, as in a mean over the tokens
 * of one sequence. The CPU's kernels then add element by element; without the ones, they add whole rows.
 */
function hasLeadingOnes({ operands: { input }, attributes: { axes } }: ReductionNode, onnx: OnnxWriter): boolean {
  const { shape } = input;
  const first = shape.findIndex((size) => size !== 1);
  const { provider = "cpu" } = onnx.settings;
  return provider === "cpu" && first > 0 && axes.includes(first) && !axes.includes(shape.length - 1) &&
    elementCount(shape) >= MANY;
}

function withoutLeadingOnes(op: string, value: Operand, node: ReductionNode, onnx: OnnxWriter): Operand {
  const { operands: { input: { shape } }, attributes: { axes }, outputs: [output] } = node;
  const first = shape.findIndex((size) => size !== 1);
  const others = axes.filter((axis) => axis >= first).map((axis) => axis - first);
  const reduced = onnx.node(op, [onnx.reshape(value, shape.slice(first)), onnx.ints(others)], { keepdims: 0 });
  return onnx.reshape(reduced, output!.shape);
}

const addition: Combine = (_dataType, a, b, onnx) => onnx.node("Add", [a, b]);
const multiplication: Combine = (_dataType, a, b, onnx) => onnx.node("Mul", [a, b]);

/** A sum or product. Integers avoid ONNX Runtime's reductions, which compute in double precision. */
function sum(op: string, fold: Combine, ofElement: OfElement = itself) {
  return (node: ReductionNode, onnx: OnnxWriter): Operand => {
    const { input } = node.operands;
    return isFloat(input.dataType)
      ? reduction(op, ofElement)(node, onnx)
      : folded(fold, ofElement(input, onnx), node, onnx);
  };
}

/**
 * The data types for which ONNX Runtime's minimum and maximum work. It has no kernels for uint32 and uint64, and that
 * of int64 compares only the low halves.
 */
const ORDERED: readonly MLOperandDataType[] = ["float32", "float16", "int32", "int8", "uint8"];

function extreme(op: string, fold: Combine) {
  return (node: ReductionNode, onnx: OnnxWriter): Operand => {
    const { input } = node.operands;
    if (!ORDERED.includes(input.dataType)) return folded(fold, input, node, onnx);
    const found = reduction(op)(node, onnx);
    return isFloat(input.dataType) && node.attributes.axes.length > 0 ? orNaN(found, node, onnx) : found;
  };
}

/**
 * ONNX Runtime ignores a NaN that is not the first element. The sum of magnitudes is NaN if and only if an element is.
 * ReduceL1 takes twice as long as both operators, unless there are few elements.
 */
function orNaN(found: Operand, node: ReductionNode, onnx: OnnxWriter): Operand {
  const { input } = node.operands;
  const magnitude = elementCount(input.shape) < MANY
    ? reduce("ReduceL1", input, node, onnx)
    : reduce("ReduceSum", onnx.node("Abs", [input]), node, onnx);
  const isNumber = onnx.node("GreaterOrEqual", [magnitude, onnx.scalar(node.operands.input.dataType, 0)]);
  return onnx.node("Where", [isNumber, found, magnitude]);
}

/** A reduction with an element-wise operator. */
function folded(fold: Combine, input: Operand, node: ReductionNode, onnx: OnnxWriter): Operand {
  const { operands: { input: { dataType, shape } }, attributes: { axes }, outputs: [output] } = node;
  const combine = (a: Operand, b: Operand) => fold(dataType, a, b, onnx);
  const kept = axes.reduce((value, axis) => foldAxis(combine, value, axis, shape[axis]!, onnx), input);
  return output!.shape.length === shape.length ? kept : onnx.reshape(kept, output!.shape);
}

/** Combines the two halves of a dimension until one element remains. */
function foldAxis(
  combine: (a: Operand, b: Operand) => Operand,
  input: Operand,
  axis: number,
  dimension: number,
  onnx: OnnxWriter,
): Operand {
  let value = input;
  let rest: Operand;
  for (let size = dimension; size > 1; size >>= 1) {
    const sizes = size % 2 === 0 ? [size / 2, size / 2] : [size >> 1, size >> 1, 1];
    const [first, second, last] = onnx.nodes("Split", [value, onnx.ints(sizes)], sizes.length, { axis });
    value = combine(first, second);
    if (last) rest = rest === undefined ? last : combine(rest, last);
  }
  return rest === undefined ? value : combine(value, rest);
}

export const reductions = {
  reduceL1: (node, onnx) => {
    const isAbsolute = isUnsigned(node.operands.input.dataType);
    return sum("ReduceL1", addition, isAbsolute ? itself : absolute)(node, onnx);
  },
  reduceL2: reduction("ReduceL2", absolute),
  reduceLogSum: reduction("ReduceLogSum", logarithm),
  reduceLogSumExp: reduction("ReduceLogSumExp"),
  reduceMax: extreme("ReduceMax", greaterOf),
  reduceMean: reduction("ReduceMean"),
  reduceMin: extreme("ReduceMin", lesserOf),
  reduceProduct: sum("ReduceProd", multiplication),
  reduceSum: sum("ReduceSum", addition),
  reduceSumSquare: sum("ReduceSumSquare", addition, square),
} satisfies { [Name in keyof typeof rows]: Lowering<Name> };
