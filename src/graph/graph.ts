/**
 * The graph as plain immutable data: builders produce it, backends consume it.
 *
 * @module
 */

import type { Descriptor } from "../shape.ts";

/** An edge of the graph: a graph input, a constant or the output of a node. Compared by identity. */
export interface Value extends Descriptor {
  /** Unique within a builder, ascending in the order of creation. */
  readonly id: number;
}

/** Operands by name: one, a list, or an optional one that is missing. */
export type NodeOperands = Readonly<Record<string, Value | readonly Value[] | undefined>>;

/** The cost of one run: arithmetic and memory traffic. */
export interface Cost {
  /** A single addition, multiplication or comparison counts as 0.5. */
  readonly multiplyAdds: number;
  /** Bytes read and written if the engine fuses no operators. */
  readonly bytes: number;
}

/** One operation. */
export interface Node {
  /** The name of the operator's row. */
  readonly operator: string;
  /** The user's label; any text, empty by default. */
  readonly label: string;
  readonly operands: NodeOperands;
  /** All defaults are filled in; nothing refers to an object of the user. */
  readonly attributes: object;
  readonly outputs: readonly Value[];
}

/** A named input or output. Names are the user's: any text, but not empty. */
export interface NamedValue {
  readonly name: string;
  readonly value: Value;
}

/** A constant and its bytes. */
export interface Constant<Block> {
  readonly value: Value;
  /** The bytes, row-major, in memory of the backend. */
  readonly block: Block;
  /** Whether the block belongs to a constant tensor: other graphs may use it, so it must not change. */
  readonly shared: boolean;
}

/** A complete graph: every node and constant contributes to an output; nodes are in topological order. */
export interface Graph<Block> {
  readonly inputs: readonly NamedValue[];
  readonly constants: readonly Constant<Block>[];
  readonly nodes: readonly Node[];
  readonly outputs: readonly NamedValue[];
}

/** Whether an operand is a list of values. */
export function isList<T>(operand: T | readonly T[]): operand is readonly T[] {
  return Array.isArray(operand);
}

/** The operands that are present, with lists flattened. */
export function operandsOf(node: Node): Value[] {
  const found: Value[] = [];
  const { operands } = node;
  for (const name in operands) {
    const operand = operands[name];
    if (operand === undefined) continue;
    if ("shape" in operand) found.push(operand);
    else found.push(...operand);
  }
  return found;
}

/** The nodes and values that the outputs depend on, including the outputs. `nodes` must be in topological order. */
export function reachable(nodes: readonly Node[], outputs: Iterable<Value>): { nodes: Node[]; values: Set<Value> } {
  const values = new Set(outputs);
  const isReachable = (value: Value) => values.has(value);
  const needed: Node[] = [];
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i]!;
    if (!node.outputs.some(isReachable)) continue;
    needed.push(node);
    for (const operand of operandsOf(node)) values.add(operand);
  }
  return { nodes: needed.reverse(), values };
}
