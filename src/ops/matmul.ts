/**
 * Matrix products and softmax.
 *
 * @module
 */

import { elementsOf } from "../graph/cost.ts";
import { broadcast, broadcastsTo, formatShape } from "../shape.ts";
import { checkAxis, refuse } from "./checks.ts";
import { computing, perOutput } from "./cost.ts";
import { FLOATS, maybe, one, operator, rank, sameAs, tensor } from "./operator.ts";
import { booleanFalse, double1, integer } from "./parameters.ts";

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-matmul */
const matmul = operator({
  name: "matmul",
  operands: { a: one(FLOATS, rank(2)), b: one(sameAs("a"), rank(2)) },
  outputs: { output: tensor(sameAs("a"), rank(2)) },
  resolve({ a, b }) {
    const [rows, inner] = a.shape.slice(-2) as [number, number];
    const [innerB, columns] = b.shape.slice(-2) as [number, number];
    if (inner !== innerB) refuse(`a has ${inner} columns and b ${innerB} rows; they must be equal`);
    const batches = broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2)) ??
      refuse(
        `the batch dimensions of a ${formatShape(a.shape)} and b ${formatShape(b.shape)} must broadcast to each other`,
      );
    return { attributes: {}, outputs: [{ dataType: a.dataType, shape: [...batches, rows, columns] }] };
  },
  cost: (node) => computing(node, elementsOf(node.outputs) * node.operands.a.shape.at(-1)!),
});

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-gemm */
const gemm = operator({
  name: "gemm",
  operands: { a: one(FLOATS, rank(2, 2)), b: one(sameAs("a"), rank(2, 2)), c: maybe(sameAs("a"), rank(0, 2)) },
  outputs: { output: tensor(sameAs("a"), rank(2, 2)) },
  options: { alpha: double1, beta: double1, aTranspose: booleanFalse, bTranspose: booleanFalse },
  resolve({ a, b, c }, attributes) {
    const [rows, inner] = (attributes.aTranspose ? a.shape.toReversed() : a.shape) as [number, number];
    const [innerB, columns] = (attributes.bTranspose ? b.shape.toReversed() : b.shape) as [number, number];
    if (inner !== innerB) refuse(`a has ${inner} columns and b ${innerB} rows; they must be equal`);
    const shape = [rows, columns];
    if (c && !broadcastsTo(c.shape, shape)) {
      refuse(`c must have a shape that broadcasts to ${formatShape(shape)}, not ${formatShape(c.shape)}`);
    }
    return { attributes, outputs: [{ dataType: a.dataType, shape }] };
  },
  cost(node) {
    const { operands: { a, c }, attributes: { aTranspose }, outputs } = node;
    const output = elementsOf(outputs);
    return computing(node, output * a.shape[aTranspose ? 0 : 1]! + (c ? output / 2 : 0));
  },
});

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-softmax-method */
const softmax = operator({
  name: "softmax",
  operands: { input: one(FLOATS, rank(1)) },
  outputs: { output: tensor(sameAs("input"), rank(1), "input") },
  parameters: { axis: integer },
  resolve({ input }, { axis }) {
    checkAxis(axis, input.shape.length);
    return { attributes: { axis }, outputs: [input] };
  },
  // Find the maximum, subtract it, exponentiate, sum, divide.
  cost: perOutput(5),
});

/** The rows of matrix products, and softmax. */
export const products = {
  matmul,
  gemm,
  softmax,
};
