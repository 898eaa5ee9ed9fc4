/**
 * Formulas of operands and numbers, which rows write down as in a text book.
 *
 * @module
 */

import type { MLOperand } from "../../api/ml_operand.ts";
import type { ElementType, Known } from "../model.ts";
import type { NodeView } from "../node.ts";
import { sizeOf } from "../value.ts";

/** An operand, or a number that takes the data type of the operand beside it. */
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

/** The binary operators of WebNN on terms, of which one at least is an operand, and the choice between two terms. */
export type Calculation = Readonly<Record<typeof BINARY[number], (a: Term, b: Term) => MLOperand>> & {
  where(condition: MLOperand, yes: Term, no: Term): MLOperand;
};

const calculations = new WeakMap<NodeView, Calculation>();

/** The formulas of a node. */
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
  if (typeof beside === "number") return node.refuse("a formula of numbers only");
  return node.scalar(beside, term);
}

/** Whether numbers of the data type have fractions. */
export function isFloat({ dataType }: MLOperand): boolean {
  return dataType === "float32" || dataType === "float16";
}

/** Whether numbers of the data type are never negative. */
export function isUnsigned({ dataType }: MLOperand): boolean {
  return dataType.startsWith("u");
}

/** 0, 1, 2, ... along one axis, in a shape that broadcasts along the others. */
export function counting(node: NodeView, like: MLOperand, axis: number, type: MLOperand["dataType"]): MLOperand {
  const count = like.shape[axis]!;
  const shape = like.shape.map((_, i) => i === axis ? count : 1);
  return node.constant(type, shape, Array.from({ length: count }, (_, i) => i));
}

/** The positions from `from` to `to`, exclusive. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
}

/** A part of an axis, from `start` on, every `stride`-th element, `count` in all. */
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

/** The operand with one axis removed at a position. */
export function pick(node: NodeView, operand: MLOperand, axis: number, position: number): MLOperand {
  return node.reshape(cut(node, operand, axis, position, 1), operand.shape.toSpliced(axis, 1));
}

/** Operands of one shape side by side along a new axis. */
export function stack(node: NodeView, operands: readonly MLOperand[], axis: number): MLOperand {
  const apart = operands.map((operand) => node.reshape(operand, operand.shape.toSpliced(axis, 0, 1)));
  return join(node, apart, axis);
}

/** Operands one after the other along an axis. */
export function join(node: NodeView, operands: readonly MLOperand[], axis: number): MLOperand {
  return operands.length === 1 ? operands[0]! : node.builder.concat([...operands], axis);
}

/** A value without elements: some dimension of its shape is 0. */
export function nothing(type: ElementType, shape: readonly number[]): Known {
  return { type, shape, bytes: new Uint8Array(0) };
}

/** A list of values in a shape that broadcasts along one axis of a rank. */
export function along(node: NodeView, values: MLOperand, rank: number, axis: number): MLOperand {
  return node.reshape(values, range(0, rank).map((i) => i === axis ? sizeOf(values.shape) : 1));
}
