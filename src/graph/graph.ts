/**
 * The graph as plain immutable data: what a builder produced, what a backend consumes.
 *
 * @module
 */

import type { Descriptor } from "../shape.ts";

/** The output of a node, a graph input or a constant. Its identity is the edge. */
export interface Value extends Descriptor {
  /** Unique within a builder, ascending in the order of creation. */
  readonly id: number;
}

/** Operands by name: one, a list, or an optional one that is missing. */
export type NodeOperands = Readonly<Record<string, Value | readonly Value[] | undefined>>;

/** The arithmetic and the memory traffic of one run. */
export interface Cost {
  /** A lone addition, multiplication or comparison counts as half of one. */
  readonly multiplyAdds: number;
  /** Bytes read and written. An engine that fuses operators moves fewer. */
  readonly bytes: number;
}

/** One operation. */
export interface Node {
  /** The name of the operator's row. */
  readonly operator: string;
  /** The user's label; any code points, empty by default. */
  readonly label: string;
  readonly operands: NodeOperands;
  /** Complete: every default is filled in, nothing refers to an object of the user's. */
  readonly attributes: object;
  readonly outputs: readonly Value[];
  /** As its row counts it. */
  readonly cost: Cost;
}

/** A named input. Names are the user's, with any code points but never empty. */
export interface NamedValue {
  readonly name: string;
  readonly value: Value;
}

/** A constant and where its bytes lie. */
export interface Constant<Block> {
  readonly value: Value;
  /** The bytes, row-major, in memory of the backend. */
  readonly block: Block;
  /** Whether other graphs use the block too (it belongs to a constant tensor), so that it must stay as it is. */
  readonly shared: boolean;
}

/** A complete graph: every node and constant contributes to an output, nodes stand in an order in which they can run. */
export interface Graph<Block> {
  readonly inputs: readonly NamedValue[];
  readonly constants: readonly Constant<Block>[];
  readonly nodes: readonly Node[];
  readonly outputs: readonly NamedValue[];
}

/** The operands that are there, lists flattened. */
export function operandsOf(node: Node): Value[] {
  const found: Value[] = [];
  for (const operand of Object.values(node.operands)) {
    if (Array.isArray(operand)) found.push(...operand as Value[]);
    else if (operand !== undefined) found.push(operand as Value);
  }
  return found;
}

/** The values on which the outputs depend, the outputs included. `nodes` stand in the order of creation. */
export function reachableValues(nodes: readonly Node[], outputs: Iterable<Value>): Set<Value> {
  const reachable = new Set(outputs);
  for (const node of nodes.toReversed()) {
    if (!node.outputs.some((output) => reachable.has(output))) continue;
    for (const operand of operandsOf(node)) reachable.add(operand);
  }
  return reachable;
}
