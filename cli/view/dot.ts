/**
 * Writes a graph in the language of Graphviz.
 *
 * @see https://graphviz.org/doc/info/lang.html
 * @module
 */
import type { DescribedTensor, GraphDescription } from "@webnn/deno";
import { drawnPlace, findRepeats, type Repeat, stepsOf, withFixedParts } from "./repeats.ts";

/** The colour of a node, and its additional text. */
export interface Look {
  /** The fill colour, as Graphviz writes it. */
  readonly fill: string;
  /** An additional line of text. */
  readonly note?: string;
}

/** A graph and how to draw it. */
export interface Picture {
  readonly description: GraphDescription;
  /** The line below the picture. */
  readonly caption: string;
  /** The look of a node that stands for the operations at these positions. */
  look(positions: readonly number[]): Look;
  /** Whether to draw all operations: also those on constants alone, and every copy of repeated parts. */
  readonly all: boolean;
}

/** With more nodes than this, the faster layout is used. */
const MANY = 300;
/** Straight edges, and limits for the layout: 1,000 nodes that do not repeat take 2 s instead of 18 s. */
const QUICK_LAYOUT = ", splines=polyline, nslimit=0.5, nslimit1=1, mclimit=0.05";

const FONT = `fontname="Helvetica,Arial,sans-serif"`;

/** Writes the drawing. */
export function dotOf(given: Picture): string {
  const { caption, all } = given;
  const description = all ? given.description : withFixedParts(given.description);
  const picture = { ...given, description };
  const { steps, positions } = stepsOf(description);
  const repeats = all ? [] : findRepeats(steps);
  const drawn = new Map(positions.map((position, place) => [position, positions[drawnPlace(place, repeats)]!]));
  const groups = Map.groupBy(positions, (position) => drawn.get(position)!);
  const layout = groups.size > MANY ? QUICK_LAYOUT : "";
  const lines = [
    `graph [${FONT}, labelloc="b", label=${quote(caption)}${layout}];`,
    `node [${FONT}, fontsize=12, shape=box, style="filled,rounded", margin="0.22,0.06", height=0.3];`,
    `edge [${FONT}, fontsize=9, color="#555555", arrowsize=0.6];`,
    ...endLines(description),
    ...[...groups].map(([position, members]) => operatorLine(picture, position, members)),
    ...frames(repeats, positions),
    ...edgeLines(description, drawn, repeats, positions),
  ];
  return `digraph {\n${lines.map((line) => `  ${line}\n`).join("")}}\n`;
}

function endLines({ nodes }: GraphDescription): string[] {
  return nodes.flatMap((node, position) =>
    node.kind === "input" || node.kind === "output"
      ? [`n${position} [label=${quote(node.name)}, shape=ellipse, style=filled, fillcolor="#dddddd"];`]
      : []
  );
}

/** The node of an operation, with its operator, label and constants. */
function operatorLine({ description, look }: Picture, position: number, members: readonly number[]): string {
  const { nodes, edges } = description;
  const node = nodes[position]!;
  const constants = edges.filter(({ from, to }) => to === position && nodes[from]!.kind === "constant");
  const { fill, note } = look(members);
  const text = [
    ...node.kind === "operator" ? [node.operator, ...node.label === "" ? [] : [node.label]] : [],
    ...constants.map((edge) => `${edge.operand} ${tensorText(edge)}`),
    ...note === undefined ? [] : [note],
  ];
  return `n${position} [label=${quote(text.join("\n"))}, fillcolor=${quote(fill)}];`;
}

/** A frame around the first copy of each repeat. Frames of repeats within another repeat are nested. */
function frames(repeats: readonly Repeat[], positions: readonly number[]): string[] {
  const isWithin = (inner: Repeat, outer: Repeat) =>
    inner !== outer && inner.start >= outer.start && inner.start < outer.start + outer.length;
  const frame = (repeat: Repeat): string => {
    const { start, length, copies } = repeat;
    const inner = repeats.filter((other) => isWithin(other, repeat));
    const direct = inner.filter((other) => !inner.some((between) => isWithin(other, between)));
    const members = positions.slice(start, start + length).filter((_, i) => drawnPlace(start + i, inner) === start + i);
    const content = [...direct.map(frame), ...members.map((position) => `n${position};`)].join(" ");
    const style = `label="${copies} times"; labeljust="r"; color="#999999"; style="rounded";`;
    return `subgraph cluster_${start}_${length} { ${style} ${content} }`;
  };
  return repeats.filter((repeat) => !repeats.some((other) => isWithin(repeat, other))).map(frame);
}

function edgeLines(
  { nodes, edges }: GraphDescription,
  drawn: ReadonlyMap<number, number>,
  repeats: readonly Repeat[],
  positions: readonly number[],
): string[] {
  const places = new Map(positions.map((position, place) => [position, place]));
  const lines = edges.filter(({ from }) => nodes[from]!.kind !== "constant").map((edge) => {
    const [from, to] = [drawn.get(edge.from) ?? edge.from, drawn.get(edge.to) ?? edge.to];
    const isNext = leadsToNextCopy(places.get(edge.from), places.get(edge.to), repeats);
    return `n${from} -> n${to} [label=${quote(tensorText(edge))}${isNext ? ", style=dashed, constraint=false" : ""}];`;
  });
  return [...new Set(lines)];
}

/** Whether an edge leads from one copy of a repeat to another. */
function leadsToNextCopy(from: number | undefined, to: number | undefined, repeats: readonly Repeat[]): boolean {
  if (from === undefined || to === undefined) return false;
  let [a, b] = [from, to];
  for (const { start, length, copies } of repeats) {
    const isIn = (place: number) => place >= start && place < start + length * copies;
    const [first, second] = [a, b].map((place) => isIn(place) ? Math.floor((place - start) / length) : -1);
    if (first !== second && first !== -1 && second !== -1) return true;
    if (isIn(a)) a = start + (a - start) % length;
    if (isIn(b)) b = start + (b - start) % length;
  }
  return false;
}

/** A shape and a data type, such as `1×64×56×56 float16`; float32 is left out. */
function tensorText({ dataType, shape }: DescribedTensor): string {
  const size = shape.length === 0 ? "scalar" : shape.join("×");
  return dataType === "float32" ? size : `${size} ${dataType}`;
}

function quote(text: string): string {
  return `"${text.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n")}"`;
}
