/** Descriptions of graphs are equal if and only if the graphs are equal. */
import { assertEquals } from "@std/assert";
import { graphText } from "../../src/graph/description.ts";
import type { Graph, Value } from "../../src/graph/graph.ts";

const value = (id: number, shape: readonly number[] = [2]): Value => ({ id, dataType: "float32", shape });

/** The graph of an operator on an input and a constant. */
function graphOf(attributes: object = {}, { label = "", ids = [0, 1], name = "x" } = {}): Graph<undefined> {
  const [x, factor, y] = [value(0), value(1), value(2)];
  const [a, b] = ids.map((id) => [x, factor][id]!) as [Value, Value];
  return {
    inputs: [{ name, value: x }],
    constants: [{ value: factor, block: undefined, shared: false }],
    nodes: [{ operator: "sub", label, operands: { a, b }, attributes, outputs: [y] }],
    outputs: [{ name: "y", value: y }],
  };
}

/** Distinct values of an attribute. */
const ATTRIBUTES = [0, -0, 1, 1n, "1", NaN, "NaN", Infinity, -Infinity, [], [0], [-0], true, "true"];

Deno.test("equal graphs have the same description", () => {
  assertEquals(graphText(graphOf({ a: [1, NaN] })), graphText(graphOf({ a: [1, NaN] })));
});

Deno.test("different graphs have different descriptions", () => {
  const graphs = [
    graphOf(),
    graphOf({}, { label: "x" }),
    graphOf({}, { ids: [1, 0] }),
    graphOf({}, { name: "other" }),
    ...ATTRIBUTES.map((a) => graphOf({ a })),
    { ...graphOf(), constants: [{ value: value(1, [1]), block: undefined, shared: false }] },
    { ...graphOf(), outputs: [{ name: "z", value: value(2) }] },
    { ...graphOf(), nodes: [] },
  ];
  assertEquals(new Set(graphs.map(graphText)).size, graphs.length);
});
