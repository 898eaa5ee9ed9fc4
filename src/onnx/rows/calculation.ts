/**
 * Helpers to write formulas of operands and numbers in rows.
 *
 * @module
 */

import type { MLOperand } from "../../api/ml_operand.ts";
import type { ElementType, Known } from "../model.ts";
import type { NodeView } from "../node.ts";
import { sizeOf } from "../value.ts";

/** An operand, or a number that gets the data type of the other operand. */
export type Term = MLOperand | number;

const BINARY = [
  "add",
  "sub",
  "mul",
  "div",
  "max",
  "min",
  "pow",
  "equal",
  "notEqual",
  "greater",
  "greaterOrEqual",
  "lesser",
  "lesserOrEqual",
] as const;

/** WebNN's binary operators on terms, of which at least one is an operand, and `where`. */
export type Calculation = Readonly<Record<typeof BINARY[number], (a: Term, b: Term) => MLOperand>> & {
  where(condition: MLOperand, yes: Term, no: Term): MLOperand;
};

const calculations = new WeakMap<NodeView, Calculation>();

/** The formula helpers for a node. */
export function calculate(node: NodeView): Calculation {
  const found = calculations.get(node) ?? createCalculation(node);
  calculations.set(node, found);
  return found;
}

function createCalculation(node: NodeView): Calculation {
  const { builder } = node;
  const terms = (a: Term, b: Term): [MLOperand, MLOperand] => [lift(node, a, b), lift(node, b, a)];
  const binary = BINARY.map((name) => [name, (a: Term, b: Term) => builder[name](...terms(a, b))] as const);
  return {
    ...Object.fromEntries(binary) as unknown as Calculation,
    where: (condition, yes, no) => builder.where(condition, ...terms(yes, no)),
  };
}

function lift(node: NodeView, term: Term, beside: Term): MLOperand {
  if (typeof term !== "number") return term;
  if (typeof beside === "number") return node.refuse("a formula without operands");
  return node.scalar(beside, term);
}

/** Whether the data type is floating-point. */
export function isFloat({ dataType }: MLOperand): boolean {
  return dataType === "float32" || dataType === "float16";
}

/** Whether the data type is unsigned. */
export function isUnsigned({ dataType }: MLOperand): boolean {
  return dataType.startsWith("u");
}

/** 0, 1, 2, … along one axis, in a shape that broadcasts along the others. */
export function counting(node: NodeView, like: MLOperand, axis: number, type: MLOperand["dataType"]): MLOperand {
  const count = like.shape[axis]!;
  const shape = like.shape.map((_, i) => i === axis ? count : 1);
  return node.constant(type, shape, Array.from({ length: count }, (_, i) => i));
}

/** The integers from `from` up to `to`, exclusive. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
}

/** Slices an axis: `count` elements from `start` on, one in every `stride`. */
export function cut(
  node: NodeView,
  operand: MLOperand,
  axis: number,
  start: number,
  count: number,
  stride = 1,
): MLOperand {
  const { shape } = operand;
  if (start === 0 && stride === 1 && count === shape[axis]) return operand;
  const starts = shape.map((_, i) => i === axis ? start : 0);
  const sizes = shape.map((size, i) => i === axis ? (count - 1) * stride + 1 : size);
  const strides = shape.map((_, i) => i === axis && count > 1 ? stride : 1);
  return node.builder.slice(operand, starts, sizes, { strides });
}

/** The slice at one position of an axis, without that axis. */
export function pick(node: NodeView, operand: MLOperand, axis: number, position: number): MLOperand {
  return node.reshape(cut(node, operand, axis, position, 1), operand.shape.toSpliced(axis, 1));
}

/** Stacks operands of the same shape along a new axis. */
export function stack(node: NodeView, operands: readonly MLOperand[], axis: number): MLOperand {
  const apart = operands.map((operand) => node.reshape(operand, operand.shape.toSpliced(axis, 0, 1)));
  return join(node, apart, axis);
}

/** Concatenates operands along an axis. */
export function join(node: NodeView, operands: readonly MLOperand[], axis: number): MLOperand {
  return operands.length === 1 ? operands[0]! : node.builder.concat([...operands], axis);
}

/** An empty value: one dimension of the shape is 0. */
export function nothing(type: ElementType, shape: readonly number[]): Known {
  return { type, shape, bytes: new Uint8Array(0) };
}

/** Reshapes a vector so that it broadcasts along one axis of a rank. */
export function along(node: NodeView, values: MLOperand, rank: number, axis: number): MLOperand {
  return node.reshape(values, range(0, rank).map((i) => i === axis ? sizeOf(values.shape) : 1));
}
