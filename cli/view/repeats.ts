/**
 * Parts of a graph that come several times in a row, as the layers of a network do.
 *
 * @module
 */
import type { DescribedNode, GraphDescription } from "@webnn/deno";

/** So many copies of a part, one after another, each of which gets what the one before gives. */
export interface Repeat {
  /** The place of its first operation, among all operations. */
  readonly start: number;
  /** How many operations a copy has. */
  readonly length: number;
  readonly copies: number;
}

/** What of an operation decides whether another one is its copy. */
export interface Step {
  /** The operator, its attributes and the shapes around it. */
  readonly kind: string;
  /** Where its operands come from: places of operations; -1, a constant; from -2 down, inputs of the graph. */
  readonly sources: readonly number[];
}

/** The source of a constant. */
const CONSTANT = -1;
/** Fewer operations are not worth a frame. */
const LEAST_SAVED = 4;

/** The steps of a graph, and the position of each among the nodes of the description. */
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
 * The graph with what follows from constants alone as constants, which it is once the graph is built: importers write down
 * many such operations, which say nothing about the network. Positions stay.
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

/** Finds repeats, the ones that save most first; also inside of the first copy of another. They do not overlap otherwise. */
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
  let most = LEAST_SAVED - 1;
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
 * Whether a step is followed, so much later, by one that does the same to what is as much later, or to the same. What the
 * first copy, from `start` on, gets from outside, the next one may get from the first.
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

/** The place that is drawn for a place: that in the first copy of all repeats around it. */
export function drawnPlace(place: number, repeats: readonly Repeat[]): number {
  return repeats.reduce(
    (drawn, { start, length, copies }) =>
      drawn >= start && drawn < start + length * copies ? start + (drawn - start) % length : drawn,
    place,
  );
}
