/**
 * Recognises activations that programs write as formulas.
 *
 * @module
 */

import type { Node, Value } from "../graph/graph.ts";
import { sameShape } from "../shape.ts";
import { become, type Surroundings } from "./editor.ts";
import { row } from "./row.ts";

/** A product of a value and a constant number. */
interface Multiple {
  readonly value: Value;
  readonly number: number;
  /** The node that multiplies, if any. */
  readonly nodes: readonly Node[];
}

/** Reads a value as a product with a constant number, or as a quotient by one. */
function multipleOf(value: Value, graph: Surroundings): Multiple | undefined {
  const node = graph.made(value, "mul", "div");
  if (!node) return undefined;
  const { a, b } = node.operands;
  const right = graph.uniform(b);
  if (right !== undefined) return { value: a, number: node.operator === "mul" ? right : 1 / right, nodes: [node] };
  const left = node.operator === "mul" ? graph.uniform(a) : undefined;
  return left === undefined ? undefined : { value: b, number: left, nodes: [node] };
}

/** Whether a number equals the expected one within the precision of float32. */
function isNearly(number: number, expected: number): boolean {
  return Math.abs(number - expected) <= 2 ** -22 * Math.abs(expected);
}

/** `x · ½ · (1 + erf(x / √2))`, with the factors in any order. */
const geluByErf = row(["mul", "div"], (node, graph) => {
  const [output] = node.outputs as [Value];
  const sum = findSum(output, graph, 3);
  if (output.dataType !== "float32" || !sum) return undefined;
  const { x, value } = sum;
  const product = productOf(output, [x, value], graph);
  const isGelu = product.number === 0.5 && product.values.length === 2 && product.values.includes(x) &&
    product.values.includes(value) && sameShape(x.shape, output.shape);
  return isGelu && graph.areInner([...product.nodes, ...sum.nodes], node)
    ? become("gelu", { input: x }, {})
    : undefined;
});

/** `1 + erf(x / √2)`, among the factors of a product. */
interface ErfSum {
  readonly value: Value;
  readonly x: Value;
  readonly nodes: readonly Node[];
}

function findSum(value: Value, graph: Surroundings, depth: number): ErfSum | undefined {
  const sum = erfSum(value, graph);
  if (sum || depth === 0) return sum;
  const node = graph.made(value, "mul", "div");
  if (!node) return undefined;
  return findSum(node.operands.a, graph, depth - 1) ?? findSum(node.operands.b, graph, depth - 1);
}

function erfSum(value: Value, graph: Surroundings): ErfSum | undefined {
  const sum = graph.made(value, "add");
  if (!sum) return undefined;
  const { a, b } = sum.operands;
  const [one, other] = graph.uniform(a) === undefined ? [b, a] : [a, b];
  const erf = graph.made(other, "erf");
  const argument = erf && multipleOf(erf.operands.input, graph);
  if (!argument || !isNearly(argument.number, Math.SQRT1_2) || graph.uniform(one) !== 1) return undefined;
  return { value, x: argument.value, nodes: [sum, erf, ...argument.nodes] };
}

/** Splits a value into factors, and merges constants into one number. Does not split the values in `whole`. */
function productOf(value: Value, whole: readonly Value[], graph: Surroundings): Product {
  if (whole.includes(value)) return { values: [value], number: 1, nodes: [] };
  const multiple = multipleOf(value, graph);
  if (multiple) return withFactor(productOf(multiple.value, whole, graph), multiple);
  const product = graph.made(value, "mul");
  if (!product) return { values: [value], number: 1, nodes: [] };
  const a = productOf(product.operands.a, whole, graph);
  const b = productOf(product.operands.b, whole, graph);
  return { values: [...a.values, ...b.values], number: a.number * b.number, nodes: [...a.nodes, ...b.nodes, product] };
}

/** The factors of a product: values, the product of all constants, and the nodes that multiply. */
interface Product {
  readonly values: readonly Value[];
  readonly number: number;
  readonly nodes: readonly Node[];
}

function withFactor({ values, number, nodes }: Product, multiple: Multiple): Product {
  return { values, number: number * multiple.number, nodes: [...nodes, ...multiple.nodes] };
}

/** `x · sigmoid(x)` and `x · sigmoid(alpha · x)`. */
const silu = row(["mul"], (node, graph) => {
  const { a, b } = node.operands;
  const [output] = node.outputs as [Value];
  if (output.dataType !== "float32") return undefined;
  for (const [x, other] of [[a, b], [b, a]] as const) {
    const sigmoid = graph.made(other, "sigmoid");
    if (!sigmoid || !sameShape(x.shape, output.shape)) continue;
    const { input } = sigmoid.operands;
    const argument = input === x ? { value: x, number: 1, nodes: [] } : multipleOf(input, graph);
    if (argument?.value !== x || !Number.isFinite(argument.number)) continue;
    if (graph.areInner([sigmoid, ...argument.nodes], node)) {
      return become("scaledSilu", { input: x }, { alpha: argument.number });
    }
  }
  return undefined;
});

/** The rewrites to activations. */
export const activations = { geluByErf, silu };
