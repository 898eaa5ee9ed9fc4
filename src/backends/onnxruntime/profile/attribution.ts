/**
 * Attributes the nodes of the engine's graph to nodes of the WebNN graph.
 *
 * The engine's nodes have the names of the lowered nodes, or names derived from them. If the engine has no node for a
 * lowered one, that node was fused with a neighbour or had no effect; its work is attributed to the node that it was
 * most likely fused with.
 *
 * @module
 */

import { heaviest } from "../../../graph/cost.ts";
import { costOfNode } from "../../../rewrite/fused.ts";
import type { Node } from "../../../graph/graph.ts";
import type { Origins } from "../../../graph/origins.ts";
import type { LoweredGraph, OnnxGraph, OnnxNode } from "../onnx.ts";
import { nodeFinder } from "../forms.ts";

/** Operators that engines fuse with the next node; all others are fused with the previous one. */
const FUSED_FORWARD: readonly string[] = ["Cast", "DequantizeLinear", "Expand", "Pad", "Reshape", "Transpose"];

/** The WebNN operations that a node of the engine's graph computes. */
export interface Attribution {
  /** The operator of the rewritten graph that the node belongs to; of several fused ones, that with the most work. */
  readonly operator: string | undefined;
  /** The nodes of the original graph that it computes. */
  readonly origins: readonly Node[];
}

/** A node of the engine's graph. */
export interface RunNode {
  readonly name: string;
  /** Its operator. */
  readonly kernel: string;
}

/** Attributes the engine's nodes, which are given by name. */
export function attribute(nodes: readonly RunNode[], onnx: LoweredGraph, origins: Origins): readonly Attribution[] {
  const find = nodeFinder(onnx);
  const found = nodes.map(({ name }) => find(name));
  const positions = new Map(
    found.flatMap((position, i) => position === undefined ? [] : [[position, nodes[i]!.kernel]]),
  );
  const running = new Set([...positions.keys()].map((position) => onnx.origins[position]));
  const computed = new Map<number, Node[]>();
  fusedInto(onnx, positions).forEach((target, position) => {
    const origin = onnx.origins[position]!;
    // If the engine still has a node of this operation, the operation is attributed to that node.
    if (target === undefined || (target !== position && running.has(origin))) return;
    computed.getOrInsertComputed(target, () => []).push(origin);
  });
  return found.map((position) => {
    const nodes = position === undefined ? [] : computed.get(position)!;
    return {
      operator: heaviest(nodes, costOfNode)?.operator,
      origins: [...new Set(nodes.flatMap((node) => origins.get(node) ?? []))],
    };
  });
}

/**
 * For each lowered node, the position of the node that does its work: its own position if the engine still has it.
 * `undefined` for nodes that were computed in advance.
 * @param running the positions of the nodes that the engine still has, and their operators in its graph
 */
function fusedInto(onnx: OnnxGraph, running: ReadonlyMap<number, string>): (number | undefined)[] {
  const { nodes } = onnx;
  const fixed = fixedNodes(onnx, running);
  const { producers, users } = neighbours(nodes);
  const isGone = (i: number) => !running.has(i) && !fixed.has(i);
  const known = new Map(
    [...running].flatMap(([i, kernel]) =>
      chainToKernel(nodes, i, kernel, producers, isGone).map((part) => [part, i] as const)
    ),
  );
  const before: (number | undefined)[] = [];
  nodes.forEach(({ inputs }, i) => {
    const previous = inputs.map((input) => producers.get(input)).find((p) => p !== undefined && !fixed.has(p));
    before[i] = running.has(i) ? i : known.get(i) ?? (previous === undefined ? undefined : before[previous]);
  });
  const after: (number | undefined)[] = [];
  for (let i = nodes.length - 1; i >= 0; i--) {
    const next = nodes[i]!.outputs.flatMap((output) => users.get(output) ?? [])[0];
    after[i] = running.has(i) ? i : known.get(i) ?? (next === undefined ? undefined : after[next]);
  }
  return nodes.map(({ op }, i) => {
    if (fixed.has(i)) return undefined;
    return FUSED_FORWARD.includes(op) ? after[i] ?? before[i] : before[i] ?? after[i];
  });
}

/** The maximum number of nodes in a row that an engine fuses. */
const MAX_CHAIN = 6;

/**
 * An engine may fuse a convolution and an activation into a node with the name of the activation and the operator of
 * the convolution. For such a node, returns the missing nodes from the activation back to the convolution; otherwise
 * none.
 */
function chainToKernel(
  nodes: readonly OnnxNode[],
  position: number,
  kernel: string,
  producers: ReadonlyMap<string, number>,
  isGone: (position: number) => boolean,
  depth = 0,
): number[] {
  if (depth === MAX_CHAIN || kernel.endsWith(nodes[position]!.op)) return [];
  for (const input of nodes[position]!.inputs) {
    const before = producers.get(input);
    if (before === undefined || !isGone(before)) continue;
    if (kernel.endsWith(nodes[before]!.op)) return [before];
    const chain = chainToKernel(nodes, before, kernel, producers, isGone, depth + 1);
    if (chain.length > 0) return [before, ...chain];
  }
  return [];
}

/** The nodes that are missing because they depend only on constants. */
function fixedNodes({ initializers, nodes }: OnnxGraph, running: ReadonlyMap<number, string>): Set<number> {
  const values = new Set(["", ...initializers.map(({ name }) => name)]);
  const fixed = new Set<number>();
  nodes.forEach(({ inputs, outputs }, i) => {
    if (running.has(i) || !inputs.every((input) => values.has(input))) return;
    fixed.add(i);
    for (const output of outputs) values.add(output);
  });
  return fixed;
}

/** The positions of the nodes that produce and use each value. */
function neighbours(nodes: readonly OnnxNode[]) {
  const producers = new Map<string, number>();
  const users = new Map<string, number[]>();
  nodes.forEach(({ inputs, outputs }, i) => {
    for (const output of outputs) producers.set(output, i);
    for (const input of inputs) users.getOrInsertComputed(input, () => []).push(i);
  });
  return { producers, users };
}
