/**
 * Recognises layer and root-mean-square normalisation, which programs write as formulas.
 *
 * @module
 */

import type { Node, Value } from "../graph/graph.ts";
import { elementCount, sameShape, type Shape } from "../shape.ts";
import { become, type GraphView } from "./editor.ts";
import { row } from "./row.ts";

/** `numerator / √(mean(squared²) + epsilon)`, where the mean is over the last dimensions. */
interface Normalized {
  readonly numerator: Value;
  /** The value that is squared. */
  readonly squared: Value;
  /** The mean is over the dimensions from this one on. */
  readonly axis: number;
  readonly epsilon: number;
  readonly nodes: readonly Node[];
}

/** `(x - mean(x)) / √(mean((x - mean(x))²) + epsilon)`. */
const layerNorm = row(["div", "mul"], ["reduceMean"], (node, graph) => {
  const normalized = normalizedBy(node, graph);
  if (!normalized) return undefined;
  const { numerator, squared, axis, epsilon, nodes } = normalized;
  const centered = centeredBy(numerator, axis, graph);
  // Some exporters compute the difference twice.
  const other = squared === numerator ? centered : centeredBy(squared, axis, graph);
  if (!centered || centered.x !== other?.x) return undefined;
  const { x } = centered;
  const axes = x.shape.map((_, i) => i).slice(axis);
  if (!graph.areInner([...nodes, ...centered.nodes, ...other.nodes], node)) return undefined;
  return become("layerNormalization", { input: x, scale: undefined, bias: undefined }, { axes, epsilon });
});

/** `x / √(mean(x²) + epsilon)`. */
const rmsNorm = row(["div", "mul"], ["reduceMean"], (node, graph) => {
  const normalized = normalizedBy(node, graph);
  if (!normalized) return undefined;
  const { numerator, squared, axis, epsilon, nodes } = normalized;
  if (squared !== numerator || !graph.areInner(nodes, node)) return undefined;
  return become("rmsNormalization", { input: numerator, scale: undefined }, { axis, epsilon });
});

/** A normalisation without a scale, times a scale. */
const normScale = row(["mul"], ["layerNormalization", "reduceMean"], (node, graph) => {
  const { a, b } = node.operands;
  for (const [normalized, factor] of [[a, b], [b, a]] as const) {
    const norm = graph.producer(normalized, "layerNormalization", "rmsNormalization");
    if (!norm || norm.operands.scale || !graph.areInner([norm], node)) continue;
    if (norm.operator === "rmsNormalization") {
      const scale = parameter(factor, norm.operands.input.shape, norm.attributes.axis, graph);
      return scale && become("rmsNormalization", { ...norm.operands, scale }, norm.attributes);
    }
    if (norm.operands.bias) continue;
    const axis = firstOfLast(norm.attributes.axes, norm.operands.input.shape);
    const scale = axis === undefined ? undefined : parameter(factor, norm.operands.input.shape, axis, graph);
    return scale && become("layerNormalization", { ...norm.operands, scale }, norm.attributes);
  }
  return undefined;
});

/** A layer normalisation without a bias, plus a bias. */
const normBias = row(["add"], ["layerNormalization", "reduceMean"], (node, graph) => {
  const { a, b } = node.operands;
  for (const [normalized, summand] of [[a, b], [b, a]] as const) {
    const norm = graph.producer(normalized, "layerNormalization");
    if (!norm || norm.operands.bias || !graph.areInner([norm], node)) continue;
    const axis = firstOfLast(norm.attributes.axes, norm.operands.input.shape);
    const bias = axis === undefined ? undefined : parameter(summand, norm.operands.input.shape, axis, graph);
    return bias && become("layerNormalization", { ...norm.operands, bias }, norm.attributes);
  }
  return undefined;
});

/** Reads a value as a scale or bias of the dimensions from `axis` on, if it broadcasts only along the others. */
function parameter(value: Value, shape: Shape, axis: number, graph: GraphView): Value | undefined {
  const normalized = shape.slice(axis);
  const extra = value.shape.length - normalized.length;
  const isOfThem = extra >= 0 && value.shape.length <= shape.length &&
    value.shape.slice(0, extra).every((dimension) => dimension === 1) &&
    sameShape(value.shape.slice(extra), normalized);
  return isOfThem ? graph.reshaped(value, normalized) : undefined;
}

/** Reads a node as a quotient by a root-mean-square, or as a product with its reciprocal. */
function normalizedBy(node: Node, graph: GraphView): Normalized | undefined {
  const { a, b } = node.operands as { a: Value; b: Value };
  const pairs = node.operator === "div" ? [[a, b]] as const : [[a, b], [b, a]] as const;
  for (const [numerator, other] of pairs) {
    const [output] = node.outputs as [Value];
    const root = node.operator === "div" ? rootOf(other, graph) : reciprocalRootOf(other, graph);
    const mean = root && meanSquare(root.radicand, graph);
    if (!mean || !sameShape(numerator.shape, output.shape)) continue;
    if (output.dataType !== "float32" || !sameShape(numerator.shape, mean.squared.shape)) continue;
    return { ...mean, numerator, nodes: [...root.nodes, ...mean.nodes] };
  }
  return undefined;
}

/** A square root. */
interface Root {
  readonly radicand: Value;
  readonly nodes: readonly Node[];
}

/** `√v` or `v ^ ½`. */
function rootOf(value: Value, graph: GraphView): Root | undefined {
  const root = graph.producer(value, "sqrt");
  return root ? { radicand: root.operands.input, nodes: [root] } : powerOf(value, 0.5, graph);
}

/** `1 / √v`, `reciprocal(√v)` or `v ^ -½`. */
function reciprocalRootOf(value: Value, graph: GraphView): Root | undefined {
  const quotient = graph.producer(value, "div");
  const reciprocal = graph.producer(value, "reciprocal");
  const root = reciprocal
    ? rootOf(reciprocal.operands.input, graph)
    : quotient && graph.uniform(quotient.operands.a) === 1
    ? rootOf(quotient.operands.b, graph)
    : undefined;
  if (root) return { ...root, nodes: [...root.nodes, (reciprocal ?? quotient)!] };
  return powerOf(value, -0.5, graph);
}

function powerOf(value: Value, exponent: number, graph: GraphView): Root | undefined {
  const power = graph.producer(value, "pow");
  if (!power || graph.uniform(power.operands.b) !== exponent) return undefined;
  return { radicand: power.operands.a, nodes: [power] };
}

/** `mean(v²) + epsilon`. */
function meanSquare(value: Value, graph: GraphView): Omit<Normalized, "numerator"> | undefined {
  const sum = graph.producer(value, "add");
  if (!sum) return undefined;
  const { a, b } = sum.operands;
  const [constant, other] = graph.uniform(a) === undefined ? [b, a] : [a, b];
  const epsilon = graph.uniform(constant);
  const mean = graph.producer(other, "reduceMean");
  if (epsilon === undefined || !(epsilon >= 0 && epsilon < Infinity) || !mean) return undefined;
  const square = squareOf(mean.operands.input, graph);
  const axis = meanAxis(mean);
  // An epsilon with more dimensions than the mean adds dimensions to the result. The caller compares the shapes.
  return square && axis !== undefined ? { ...square, axis, epsilon, nodes: [sum, mean, ...square.nodes] } : undefined;
}

/** `v · v` or `v ^ 2`. */
function squareOf(value: Value, graph: GraphView): { squared: Value; nodes: readonly Node[] } | undefined {
  const product = graph.producer(value, "mul");
  if (product?.operands.a === product?.operands.b && product) return { squared: product.operands.a, nodes: [product] };
  const power = powerOf(value, 2, graph);
  return power && sameShape(power.radicand.shape, value.shape)
    ? { squared: power.radicand, nodes: power.nodes }
    : undefined;
}

/** The first axis of a mean over the last dimensions that keeps dimensions. */
function meanAxis(mean: Node): number | undefined {
  const { axes, keepDimensions } = mean.attributes as { axes: readonly number[]; keepDimensions: boolean };
  const { input } = mean.operands as { input: Value };
  return keepDimensions ? firstOfLast(axes.toSorted((a, b) => a - b), input.shape) : undefined;
}

/** The first axis, if the axes are the last ones of a shape in order, and have more than one element. */
function firstOfLast(axes: readonly number[], shape: Shape): number | undefined {
  if (axes.length === 0) return undefined;
  const axis = shape.length - axes.length;
  const areLast = axes.every((value, i) => value === axis + i);
  return areLast && elementCount(shape.slice(axis)) > 1 ? axis : undefined;
}

/** `x - mean(x)`. */
function centeredBy(value: Value, axis: number, graph: GraphView): { x: Value; nodes: readonly Node[] } | undefined {
  const difference = graph.producer(value, "sub");
  const mean = graph.producer(difference?.operands.b, "reduceMean");
  if (!difference || !mean || mean.operands.input !== difference.operands.a) return undefined;
  return meanAxis(mean) === axis ? { x: difference.operands.a, nodes: [difference, mean] } : undefined;
}

/** The rewrites to normalisations. */
export const normalizations = { layerNorm, rmsNorm, normScale, normBias };
