/**
 * Attributes the nodes of the engine's graph to nodes of the WebNN graph.
 *
 * The engine's nodes have the names of the nodes that it was given, or names derived from them. If a given node is
 * missing, it was fused with a neighbour or did nothing; its work is attributed to the node that it was most likely
 * fused with.
 *
 * @module
 */

import { heaviest } from "../../../graph/cost.ts";
import type { Node } from "../../../graph/graph.ts";
import type { Origins } from "../../../graph/origins.ts";
import type { LoweredGraph, OnnxGraph, OnnxNode } from "../onnx.ts";
import { nodeFinder } from "../way.ts";

/** Operators that engines fuse with the next node; all others are fused with the previous one. */
const FUSED_FORWARD: readonly string[] = ["Cast", "DequantizeLinear", "Expand", "Pad", "Reshape", "Transpose"];

/** What a node of the engine's graph does. */
export interface Attribution {
  /** The operator of the rewritten graph that it belongs to; for several fused ones, that with the most work. */
  readonly operator: string | undefined;
  /** The nodes of the given graph whose work it does. */
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
  const carried = new Map<number, Node[]>();
  homesOf(onnx, positions).forEach((home, position) => {
    const origin = onnx.origins[position]!;
    // If part of an operation still exists on its own, the operation is attributed to it.
    if (home === undefined || (home !== position && running.has(origin))) return;
    carried.getOrInsertComputed(home, () => []).push(origin);
  });
  return found.map((position) => {
    const nodes = position === undefined ? [] : carried.get(position)!;
    return {
      operator: heaviest(nodes)?.operator,
      origins: [...new Set(nodes.flatMap((node) => origins.get(node) ?? []))],
    };
  });
}

/**
 * For each given node, the existing node that does its work; `undefined` for nodes computed in advance.
 * @param running the positions of the existing nodes, and their operators in the engine's graph
 */
function homesOf(onnx: OnnxGraph, running: ReadonlyMap<number, string>): (number | undefined)[] {
  const { nodes } = onnx;
  const fixed = fixedNodes(onnx, running);
  const { producers, users } = neighbours(nodes);
  const isGone = (i: number) => !running.has(i) && !fixed.has(i);
  const known = new Map(
    [...running].flatMap(([i, kernel]) =>
      wayToKernel(nodes, i, kernel, producers, isGone).map((part) => [part, i] as const)
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
const LONGEST_WAY = 6;

/**
 * If the engine's node has the name of an activation, but is a convolution that it was fused with: the missing nodes from
 * the activation back to the convolution. Otherwise, none.
 */
function wayToKernel(
  nodes: readonly OnnxNode[],
  position: number,
  kernel: string,
  producers: ReadonlyMap<string, number>,
  isGone: (position: number) => boolean,
  depth = 0,
): number[] {
  if (depth === LONGEST_WAY || kernel.endsWith(nodes[position]!.op)) return [];
  for (const input of nodes[position]!.inputs) {
    const before = producers.get(input);
    if (before === undefined || !isGone(before)) continue;
    if (kernel.endsWith(nodes[before]!.op)) return [before];
    const way = wayToKernel(nodes, before, kernel, producers, isGone, depth + 1);
    if (way.length > 0) return [before, ...way];
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
