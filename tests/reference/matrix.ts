/**
 * Matrix products.
 *
 * @module
 */

import { attribute, type Compute, floatAttribute, operand, optionalOperand, type Rows } from "./operator.ts";
import {
  accumulate,
  type Accumulated,
  broadcastIndex,
  broadcastShapes,
  floatAt,
  type Index,
  permute,
  type RefTensor,
  sumOf,
} from "./tensor.ts";

function products(count: number, product: (i: number) => number): Accumulated {
  return sumOf(Array.from({ length: count }, (_, i) => product(i)));
}

const matmul: Compute = (operands) => {
  const a = operand(operands, "a");
  const b = operand(operands, "b");
  const inner = a.shape.at(-1)!;
  const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const matrix = (source: RefTensor, index: Index) =>
    broadcastIndex(source.shape.slice(0, -2), index.slice(0, batch.length));
  return [accumulate(a.dataType, [...batch, a.shape.at(-2)!, b.shape.at(-1)!], inner, (index) => {
    const matrixA = matrix(a, index);
    const matrixB = matrix(b, index);
    const row = index.at(-2)!;
    const column = index.at(-1)!;
    return products(inner, (k) => floatAt(a, [...matrixA, row, k]) * floatAt(b, [...matrixB, k, column]));
  })];
};

const gemm: Compute = (operands, attributes) => {
  const transposed = (source: RefTensor, option: string) =>
    attribute(attributes, option, false) ? permute(source, [1, 0]) : source;
  const a = transposed(operand(operands, "a"), "aTranspose");
  const b = transposed(operand(operands, "b"), "bTranspose");
  const c = optionalOperand(operands, "c");
  const alpha = floatAttribute(attributes, "alpha", 1, a);
  const beta = floatAttribute(attributes, "beta", 1, a);
  const inner = a.shape[1]!;
  return [accumulate(a.dataType, [a.shape[0]!, b.shape[1]!], inner + 3, (index) => {
    const [row, column] = index as [number, number];
    const product = products(inner, (k) => floatAt(a, [row, k]) * floatAt(b, [k, column]));
    const addend = c === undefined ? 0 : beta * floatAt(c, broadcastIndex(c.shape, index));
    return {
      value: alpha * product.value + addend,
      magnitude: Math.abs(alpha) * product.magnitude + Math.abs(addend),
    };
  })];
};

export const matrix: Rows = { matmul, gemm };
