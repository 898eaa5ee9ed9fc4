/**
 * Writes a graph, except the bytes of its constants, as text. Different graphs have different texts.
 *
 * @module
 */

import { type Graph, isList, type Node, type Value } from "./graph.ts";

/** The graph as JSON. */
export function graphText({ inputs, constants, nodes, outputs }: Graph<unknown>): string {
  const parts = [
    inputs.map(({ name, value }) => [name, describeValue(value)]),
    constants.map(({ value }) => describeValue(value)),
    nodes.map(describeNode),
    outputs.map(({ name, value }) => [name, value.id]),
  ];
  return JSON.stringify(parts);
}

function describeNode({ operator, label, operands, attributes, outputs }: Node): unknown {
  const ids = Object.entries(operands).map(([name, operand]) => [
    name,
    operand !== undefined && isList(operand) ? operand.map(({ id }) => id) : operand?.id,
  ]);
  return [operator, label, ids, exact(attributes), outputs.map(describeValue)];
}

function describeValue({ id, dataType, shape }: Value): unknown {
  return [id, dataType, shape];
}

/**
 * Replaces NaN, infinities, −0 and BigInts, which JSON does not have, by objects. Only attributes can contain them;
 * as a replacer of `JSON.stringify`, it would also be called for every dimension and name of the graph.
 */
function exact(value: unknown): unknown {
  if (typeof value === "bigint") return { bigint: `${value}` };
  if (typeof value === "number") return isExact(value) ? value : { number: Object.is(value, -0) ? "-0" : `${value}` };
  if (Array.isArray(value)) return value.every(isExact) ? value : value.map(exact);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, exact(member)]));
}

function isExact(value: unknown): boolean {
  return Number.isFinite(value) && !Object.is(value, -0);
}
