/**
 * Recognises activations that programs write as formulas.
 *
 * @module
 */

import type { Node, Value } from "../graph/graph.ts";
import { sameShape } from "../shape.ts";
import { become, type GraphView } from "./editor.ts";
import { row } from "./row.ts";

/** A product of a value and a constant number. */
interface Multiple {
  readonly value: Value;
  readonly number: number;
  /** The node that multiplies, if any. */
  readonly nodes: readonly Node[];
}

/** Reads a value as a product with a constant number, or as a quotient by one. */
function multipleOf(value: Value, graph: GraphView): Multiple | undefined {
  const node = graph.producer(value, "mul", "div");
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
const geluByErf = row(["mul", "div"], ["erf"], (node, graph) => {
  const [output] = node.outputs as [Value];
  const sum = findSum(output, graph, 3, erfSum);
  if (output.dataType !== "float32" || !sum) return undefined;
  const { x, value } = sum;
  const product = productOf(output, [x, value], graph);
  return isProduct(product, 0.5, [x, value], output) && graph.areInner([...product.nodes, ...sum.nodes], node)
    ? become("gelu", { input: x }, {})
    : undefined;
});

/** A function of `x` among the factors of a product, such as `1 + erf(x / √2)`. */
interface InnerSum {
  readonly value: Value;
  readonly x: Value;
  /** The nodes that compute it. */
  readonly nodes: readonly Node[];
}

/** Looks for a sum that `match` accepts among the factors of a product. */
function findSum(value: Value, graph: GraphView, depth: number, match: SumMatcher): InnerSum | undefined {
  const sum = match(value, graph);
  if (sum || depth === 0) return sum;
  const node = graph.producer(value, "mul", "div");
  if (!node) return undefined;
  return findSum(node.operands.a, graph, depth - 1, match) ?? findSum(node.operands.b, graph, depth - 1, match);
}

type SumMatcher = (value: Value, graph: GraphView) => InnerSum | undefined;

/** Matches `1 + erf(x / √2)`. */
function erfSum(value: Value, graph: GraphView): InnerSum | undefined {
  const sum = summandOf(value, 1, graph);
  const erf = sum && graph.producer(sum.other, "erf");
  const argument = erf && multipleOf(erf.operands.input, graph);
  if (!argument || !isNearly(argument.number, Math.SQRT1_2)) return undefined;
  return { value, x: argument.value, nodes: [sum.node, erf, ...argument.nodes] };
}

/** Reads a value as a sum of the number and another value. */
function summandOf(
  value: Value,
  number: number,
  graph: GraphView,
): { readonly other: Value; readonly node: Node } | undefined {
  const node = graph.producer(value, "add");
  if (!node) return undefined;
  const { a, b } = node.operands;
  if (graph.uniform(b) === number) return { other: a, node };
  return graph.uniform(a) === number ? { other: b, node } : undefined;
}

/** Whether a product has exactly these values as factors, and this number, and the shape of the first value. */
function isProduct({ values, number }: Product, expected: number, factors: readonly Value[], output: Value): boolean {
  return isNearly(number, expected) && values.length === factors.length &&
    factors.every((factor) => values.includes(factor)) && sameShape(factors[0]!.shape, output.shape);
}

/** Splits a value into factors, and merges constants into one number. Does not split the values in `whole`. */
function productOf(value: Value, whole: readonly Value[], graph: GraphView): Product {
  if (whole.includes(value)) return { values: [value], number: 1, nodes: [] };
  const multiple = multipleOf(value, graph);
  if (multiple) return withFactor(productOf(multiple.value, whole, graph), multiple);
  const product = graph.producer(value, "mul");
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
const silu = row(["mul"], ["sigmoid"], (node, graph) => {
  const { a, b } = node.operands;
  const [output] = node.outputs as [Value];
  if (output.dataType !== "float32") return undefined;
  for (const [x, other] of [[a, b], [b, a]] as const) {
    const sigmoid = graph.producer(other, "sigmoid");
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

/** `½ · x · (1 + tanh(√(2/π) · (x + 0.044715 · x³)))`, with the factors in any order. */
const geluByTanh = row(["mul", "div"], ["tanh"], (node, graph) => {
  const [output] = node.outputs as [Value];
  const sum = output.dataType === "float32" ? findSum(output, graph, 3, tanhSum) : undefined;
  if (!sum) return undefined;
  const { x, value } = sum;
  const product = productOf(output, [x, value], graph);
  return isProduct(product, 0.5, [x, value], output) && graph.areInner([...product.nodes, ...sum.nodes], node)
    ? become("geluByTanh", { input: x }, {})
    : undefined;
});

/** Matches `1 + tanh(√(2/π) · (x + 0.044715 · x³))`. */
function tanhSum(value: Value, graph: GraphView): InnerSum | undefined {
  const sum = summandOf(value, 1, graph);
  const tanh = sum && graph.producer(sum.other, "tanh");
  const argument = tanh && multipleOf(tanh.operands.input, graph);
  const polynomial = argument && graph.producer(argument.value, "add");
  if (!argument || !polynomial || !isNearly(argument.number, Math.sqrt(2 / Math.PI))) return undefined;
  const { a, b } = polynomial.operands;
  for (const [x, cubic] of [[a, b], [b, a]] as const) {
    const cube = cubeOf(cubic, x, graph);
    if (!cube || !isNearly(cube.number, 0.044715)) continue;
    return { value, x, nodes: [sum.node, tanh, ...argument.nodes, polynomial, ...cube.nodes] };
  }
  return undefined;
}

/** Reads a value as a multiple of `x³`. */
function cubeOf(value: Value, x: Value, graph: GraphView): Omit<Product, "values"> | undefined {
  const { values, number, nodes } = productOf(value, [x], graph);
  if (values.length === 3 && values.every((factor) => factor === x)) return { number, nodes };
  const power = values.length === 1 ? graph.producer(values[0], "pow") : undefined;
  return power?.operands.a === x && graph.uniform(power.operands.b) === 3
    ? { number, nodes: [...nodes, power] }
    : undefined;
}

/**
 * Operators whose results are rounded. The rounding of `x` alone moves hard swish near -3 by up to `x · 2⁻²⁵`, about as
 * much as the engine's formula, `x · clamp(x / 6 + ½, 0, 1)`, which loses the digits that `x` and 3 share.
 */
const ROUNDING = ["conv2d", "convTranspose2d", "gemm", "matmul", "add", "sub", "mul", "div", "affineChannels"] as const;

/** `x · clamp(x + 3, 0, 6) / 6`, with the factors in any order. */
const hardSwish = row(["mul", "div"], ["clamp"], (node, graph) => {
  const [output] = node.outputs as [Value];
  const gate = output.dataType === "float32" ? findGate(output, graph, 2) : undefined;
  if (!gate || !graph.producer(gate.x, ...ROUNDING)) return undefined;
  const { x, value } = gate;
  const product = productOf(output, [x, value], graph);
  return isProduct(product, 1 / 6, [x, value], output) && graph.areInner([...product.nodes, ...gate.nodes], node)
    ? become("hardSwish", { input: x }, {})
    : undefined;
});

/** Looks for `clamp(x + 3, 0, 6)` among the factors of a product. */
function findGate(value: Value, graph: GraphView, depth: number): InnerSum | undefined {
  const clamp = graph.producer(value, "clamp");
  if (clamp) {
    const { minValue, maxValue } = clamp.attributes;
    const sum = Number(minValue) === 0 && Number(maxValue) === 6 && summandOf(clamp.operands.input, 3, graph);
    return sum ? { value, x: sum.other, nodes: [clamp, sum.node] } : undefined;
  }
  const node = depth === 0 ? undefined : graph.producer(value, "mul", "div");
  if (!node) return undefined;
  return findGate(node.operands.a, graph, depth - 1) ?? findGate(node.operands.b, graph, depth - 1);
}

/** The rewrites to activations. */
export const activations = { geluByErf, geluByTanh, hardSwish, silu };
