/**
 * Finds parts of a graph that repeat in a row, such as the layers of a network.
 *
 * @module
 */
import type { DescribedNode, GraphDescription } from "@webnn/deno";

/** Consecutive copies of a part. Each copy may use the outputs of the copy before. */
export interface Repeat {
  /** The index of the first operation, among all operations. */
  readonly start: number;
  /** The number of operations of one copy. */
  readonly length: number;
  readonly copies: number;
}

/** The parts of an operation that determine whether another one is a copy. */
export interface Step {
  /** The operator, its attributes, and the types and shapes of its operands. */
  readonly kind: string;
  /** The sources of its operands: 0 and above are indices of operations, -1 is a constant, below are graph inputs. */
  readonly sources: readonly number[];
}

/** The source of a constant. */
const CONSTANT = -1;
/** The number of operations that a repeat must at least save. */
const MIN_SAVED = 4;

/** The steps of a graph, and the position of each in the nodes of the description. */
export function stepsOf({ nodes, edges }: GraphDescription): { steps: Step[]; positions: number[] } {
  const positions = nodes.flatMap((node, i) => node.kind === "operator" ? [i] : []);
  const places = new Map(positions.map((position, place) => [position, place]));
  const sourceOf = (position: number) =>
    nodes[position]!.kind === "constant" ? CONSTANT : places.get(position) ?? -2 - position;
  const incoming = Map.groupBy(edges, ({ to }) => to);
  const steps = positions.map((position): Step => {
    const node = nodes[position]!;
    const operands = incoming.get(position) ?? [];
    const shapes = operands.map(({ operand, dataType, shape }) => [operand, dataType, shape]);
    const what = node.kind === "operator" ? [node.operator, node.attributes] : [];
    return { kind: JSON.stringify([what, shapes], plainValue), sources: operands.map(({ from }) => sourceOf(from)) };
  });
  return { steps, positions };
}

function plainValue(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? `${value}n` : value;
}

/**
 * Replaces operations on constants alone by constants. Engines compute them in advance, importers write many of them,
 * and they say nothing about the network. Positions do not change.
 */
export function withFixedParts(description: GraphDescription): GraphDescription {
  const incoming = Map.groupBy(description.edges, ({ to }) => to);
  const nodes: DescribedNode[] = [];
  description.nodes.forEach((node, position) => {
    const isFixed = node.kind === "operator" &&
      (incoming.get(position) ?? []).every(({ from }) => nodes[from]!.kind === "constant");
    nodes.push(isFixed ? { kind: "constant", ...node.outputs[0]! } : node);
  });
  return { ...description, nodes, edges: description.edges.filter(({ to }) => nodes[to]!.kind !== "constant") };
}

/**
 * Finds repeats, starting with the one that saves the most operations. A repeat may lie within the first copy of
 * another; apart from that, repeats do not overlap.
 */
export function findRepeats(steps: readonly Step[], from = 0, to: number = steps.length): Repeat[] {
  const best = bestRepeat(steps, from, to);
  if (!best) return [];
  const { start, length, copies } = best;
  return [
    best,
    ...findRepeats(steps, from, start),
    ...findRepeats(steps, start, start + length),
    ...findRepeats(steps, start + length * copies, to),
  ];
}

function bestRepeat(steps: readonly Step[], from: number, to: number): Repeat | undefined {
  let best: Repeat | undefined;
  let most = MIN_SAVED - 1;
  for (let length = 1; 2 * length <= to - from; length++) {
    let run = 0;
    for (let i = from; i + length <= to; i++) {
      if (i + length < to && isCopy(steps, i, length, i - run)) {
        run++;
        continue;
      }
      const copies = Math.floor(run / length) + 1;
      if ((copies - 1) * length > most) {
        most = (copies - 1) * length;
        best = { start: i - run, length, copies };
      }
      run = 0;
    }
  }
  return best;
}

/**
 * Whether the step `distance` later is a copy of step `i`: the same operation, with sources that are the same or also
 * `distance` later. If the first copy uses a value from before `start`, the second may use one from the first copy.
 */
function isCopy(steps: readonly Step[], i: number, distance: number, start: number): boolean {
  const [step, later] = [steps[i]!, steps[i + distance]!];
  const isInFirst = i < start + distance;
  return step.kind === later.kind &&
    step.sources.every((source, k) => {
      const other = later.sources[k]!;
      if (other === source || (source >= 0 && other === source + distance)) return true;
      return isInFirst && source !== CONSTANT && source < start && other >= start && other < start + distance;
    });
}

/** The index of the operation that is drawn for another: the one in the first copy of all surrounding repeats. */
export function drawnPlace(place: number, repeats: readonly Repeat[]): number {
  return repeats.reduce(
    (drawn, { start, length, copies }) =>
      drawn >= start && drawn < start + length * copies ? start + (drawn - start) % length : drawn,
    place,
  );
}
