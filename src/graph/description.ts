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
  return JSON.stringify(parts, exact);
}

function describeNode({ operator, label, operands, attributes, outputs }: Node): unknown {
  const ids = Object.entries(operands).map(([name, operand]) => [
    name,
    operand !== undefined && isList(operand) ? operand.map(({ id }) => id) : operand?.id,
  ]);
  return [operator, label, ids, attributes, outputs.map(describeValue)];
}

function describeValue({ id, dataType, shape }: Value): unknown {
  return [id, dataType, shape];
}

/** Replaces NaN, infinities, −0 and BigInts, which JSON does not have, by objects. */
function exact(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return { bigint: `${value}` };
  if (typeof value !== "number" || Number.isFinite(value) && !Object.is(value, -0)) return value;
  return { number: Object.is(value, -0) ? "-0" : `${value}` };
}
