/** Slices that become a split, and look-alikes. */

import type { MLOperand } from "../../mod.ts";
import { assertBecomes, type Program, type Tools } from "./program.ts";

type Parts = readonly (readonly [start: number, size: number])[];

/** Slices of ten columns, all before the nodes that use them. */
function slices(parts: Parts, use = ({ b }: Tools, part: MLOperand) => b.abs(part)): Program {
  return (tools) => {
    const x = tools.b.relu(tools.input([3, 10]));
    const cut = parts.map(([start, size]) => tools.b.slice(x, [0, start], [3, size]));
    return cut.map((part) => use(tools, part));
  };
}

Deno.test("adjacent slices that cover the input become a split", async () => {
  await assertBecomes(["Relu", "Split", "Abs", "Abs"], slices([[0, 5], [5, 5]]), 0);
  await assertBecomes(["Relu", "Split", "Abs", "Abs", "Abs"], slices([[0, 1], [3, 7], [1, 2]]), 0);
  await assertBecomes(["Relu", "Split", "Abs", "Abs"], slices([[6, 4], [0, 6]]), 0);
  await assertBecomes(["Relu", "Split"], slices([[0, 5], [5, 5]], (_, part) => part), 0);
});

Deno.test("a node that uses a slice may come before the first slice", async () => {
  await assertBecomes(["Relu", "Split", "Abs"], ({ b, input }) => {
    const x = b.relu(input([3, 10]));
    const second = b.abs(b.slice(x, [0, 4], [3, 6]));
    return [second, b.slice(x, [0, 0], [3, 4])];
  }, 0);
});

const others: Readonly<Record<string, Parts>> = {
  "with a gap at the end": [[0, 5], [5, 4]],
  "with a gap at the beginning": [[1, 4], [5, 5]],
  "with a gap between them": [[0, 4], [5, 5]],
  "that overlap": [[0, 6], [5, 5]],
};

for (const [name, parts] of Object.entries(others)) {
  Deno.test(`slices ${name} stay slices`, async () => {
    await assertBecomes(["Relu", "Slice", "Slice", "Abs", "Abs"], slices(parts), 0);
  });
}

Deno.test("slices along two axes, and with strides, stay slices", async () => {
  await assertBecomes(["Relu", "Slice", "Slice"], ({ b, input }) => {
    const x = b.relu(input([3, 10]));
    return [b.slice(x, [0, 0], [2, 5]), b.slice(x, [0, 5], [2, 5])];
  }, 0);
  await assertBecomes(["Relu", "Slice", "Slice"], ({ b, input }) => {
    const x = b.relu(input([3, 10]));
    const strides = { strides: [1, 2] };
    return [b.slice(x, [0, 0], [3, 5], strides), b.slice(x, [0, 5], [3, 5], strides)];
  }, 0);
});
