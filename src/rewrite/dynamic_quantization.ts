/**
 * Recognises dynamic quantisation (by the range of the elements), which clients write as a formula.
 *
 * @module
 */

import type { Node, Value } from "../graph/graph.ts";
import { elementCount } from "../shape.ts";
import { become, type GraphView } from "./editor.ts";
import { row } from "./row.ts";

/** `x` as uint8, with scale `(max - min) / 255` and zero point `round(-min / scale)`. The range includes 0. */
const dynamicQuantization = row(["quantizeLinear"], ["reduceMax"], (node, graph) => {
  const { input, scale, zeroPoint } = node.operands;
  if (input.dataType !== "float32" || zeroPoint.dataType !== "uint8" || elementCount(scale.shape) !== 1) {
    return undefined;
  }
  const [scaleBefore, zeroBefore] = [reshapedFrom(scale, graph), reshapedFrom(zeroPoint, graph)];
  if (scaleBefore.value.shape.length > 0 || zeroBefore.value.shape.length > 0) return undefined;
  const span = scaleOf(scaleBefore.value, input, graph);
  const point = span && zeroPointOf(zeroBefore.value, span, graph);
  if (!span || !point) return undefined;
  const inner = [...span.nodes, ...point.nodes];
  if (!graph.areInner(inner, node, span.last, point.last)) return undefined;
  const pattern = [node, ...inner, point.last, ...scaleBefore.nodes];
  const isFactor = graph.areInner(scaleBefore.nodes, node) && isFactorOnly(scaleBefore.value, pattern, graph);
  if (!span.isGuarded && !isFactor) return undefined;
  return become("dynamicQuantize", { input }, {}, [scaleBefore.value, zeroBefore.value]);
});

function reshapedFrom(value: Value, graph: GraphView): { value: Value; nodes: readonly Node[] } {
  const node = graph.producer(value, "reshape");
  return node ? { value: node.operands.input, nodes: [node] } : { value, nodes: [] };
}

/** The pattern of a scale. */
interface Scale {
  readonly value: Value;
  /** `min(reduceMin(x), 0)`. */
  readonly low: Value;
  /** Whether the formula makes the scale 1 if all elements are 0. */
  readonly isGuarded: boolean;
  /** The node that computes the scale. `nodes` are those before it. */
  readonly last: Node;
  readonly nodes: readonly Node[];
}

/** `(max(x, 0) - min(x, 0)) / 255`, or 1 if that is 0. */
function scaleOf(value: Value, x: Value, graph: GraphView): Scale | undefined {
  const choice = graph.producer(value, "where");
  if (!choice) return spanOf(value, x, graph);
  const { condition, falseValue, trueValue } = choice.operands;
  const span = spanOf(falseValue, x, graph);
  const isZero = graph.producer(condition, "equal");
  const isGuard = graph.uniform(trueValue) === 1 && isZero?.operands.a === falseValue &&
    graph.uniform(isZero.operands.b) === 0;
  return span && isGuard
    ? { ...span, value, isGuarded: true, last: choice, nodes: [...span.nodes, span.last, isZero] }
    : undefined;
}

function spanOf(value: Value, x: Value, graph: GraphView): Scale | undefined {
  const quotient = graph.producer(value, "div");
  const span = graph.producer(quotient?.operands.a, "sub");
  const high = span && extremeOf(span.operands.a, "max", "reduceMax", x, graph);
  const low = span && extremeOf(span.operands.b, "min", "reduceMin", x, graph);
  if (!quotient || !high || !low || graph.uniform(quotient.operands.b) !== 255) return undefined;
  const nodes = [span, ...high, ...low];
  return { value, low: span.operands.b, isGuarded: false, last: quotient, nodes };
}

/** The nodes of `max(reduceMax(x), 0)` or `min(reduceMin(x), 0)`. */
function extremeOf(
  value: Value,
  combine: "max" | "min",
  reduce: "reduceMax" | "reduceMin",
  x: Value,
  graph: GraphView,
): Node[] | undefined {
  const node = graph.producer(value, combine);
  if (!node) return undefined;
  const { a, b } = node.operands;
  const [zero, other] = graph.uniform(a) === undefined ? [b, a] : [a, b];
  const reduced = graph.producer(other, reduce);
  const isOfAll = reduced?.operands.input === x && reduced.attributes.axes.length === x.shape.length;
  return isOfAll && graph.uniform(zero) === 0 ? [node, reduced] : undefined;
}

/** `quantizeLinear(-low, scale, 0)`, or the same as a formula. */
function zeroPointOf(
  value: Value,
  scale: Scale,
  graph: GraphView,
): { last: Node; nodes: readonly Node[] } | undefined {
  const quantize = graph.producer(value, "quantizeLinear");
  if (!quantize) return zeroPointByFormula(value, scale, graph);
  const { input, scale: divisor, zeroPoint } = quantize.operands;
  const negative = negated(input, graph);
  const isPoint = negative?.value === scale.low && divisor === scale.value && graph.bytes(zeroPoint)?.[0] === 0;
  return isPoint ? { last: quantize, nodes: [negative.node] } : undefined;
}

/** `cast(round(clamp(-low / scale, 0, 255)))`; rounding may come before clamping. */
function zeroPointByFormula(
  value: Value,
  { low, value: scale }: Scale,
  graph: GraphView,
): { last: Node; nodes: readonly Node[] } | undefined {
  const cast = graph.producer(value, "cast");
  const outer = graph.producer(cast?.operands.input, "roundEven", "clamp");
  const inner = graph.producer(outer?.operands.input, "roundEven", "clamp");
  if (!cast || !outer || !inner || outer.operator === inner.operator) return undefined;
  const clamp = outer.operator === "clamp" ? outer : inner;
  const { minValue, maxValue } = clamp.attributes as { minValue?: number; maxValue?: number };
  const negative = negated(inner.operands.input, graph);
  const quotient = graph.producer(negative?.value, "div");
  const isPoint = minValue === 0 && maxValue === 255 && quotient?.operands.a === low && quotient.operands.b === scale;
  return isPoint && negative ? { last: cast, nodes: [outer, inner, negative.node, quotient] } : undefined;
}

/** Recognises a negation: `-v` or `0 - v`. */
function negated(value: Value, graph: GraphView): { value: Value; node: Node } | undefined {
  const negative = graph.producer(value, "neg");
  if (negative) return { value: negative.operands.input, node: negative };
  const difference = graph.producer(value, "sub");
  return difference && graph.uniform(difference.operands.a) === 0
    ? { value: difference.operands.b, node: difference }
    : undefined;
}

/**
 * Whether all uses of a scale outside the pattern are multiplications. If all elements are 0, the scale of the formula
 * is 0 and that of the operator is 1. Both give the same products, because the quantised differences are 0.
 */
function isFactorOnly(scale: Value, pattern: readonly Node[], graph: GraphView): boolean {
  if (graph.isOutput(scale)) return false;
  return [...graph.users(scale)].every((user) => pattern.includes(user) || user.operator === "mul");
}

/** The rewrites to dynamic quantisation. */
export const dynamicQuantizations = { dynamicQuantization };
