import { assertEquals } from "@std/assert";
import { peakBytes } from "../../src/graph/peak_memory.ts";
import type { Graph, Value } from "../../src/graph/graph.ts";

const value = (id: number, elements: number): Value => ({ id, dataType: "uint8", shape: [elements] });

function graph(constants: Value[], steps: [operands: Value[], output: Value][], output: Value): Graph<unknown> {
  return {
    inputs: [],
    constants: constants.map((value) => ({ value, block: undefined, shared: false })),
    nodes: steps.map(([inputs, output]) => ({
      operator: "concat",
      label: "",
      operands: { inputs },
      attributes: {},
      outputs: [output],
    })),
    outputs: [{ name: "y", value: output }],
  };
}

Deno.test("a value takes memory from its node to its last use", () => {
  const [x, a, b, c] = [value(0, 1), value(1, 100), value(2, 10), value(3, 20)];
  assertEquals(peakBytes(graph([], [[[x], a], [[a], b], [[b], c]], c)), 110);
  assertEquals(peakBytes(graph([], [[[x], a], [[x], b], [[a, b], c]], c)), 130);
});

Deno.test("outputs, and values computed from constants only, take memory to the end", () => {
  const [w, a, b, x, c] = [value(0, 1), value(1, 100), value(2, 100), value(3, 1), value(4, 10)];
  assertEquals(peakBytes(graph([w], [[[w], a], [[a], b], [[b, x], c]], c)), 210);
});
