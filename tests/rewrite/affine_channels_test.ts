/** Factors and summands per channel, alone and before convolutions, and look-alikes. */

import { assert } from "@std/assert";
import type { MLOperand } from "../../mod.ts";
import { assertBecomes, assertSame, type Program, run, type Tools } from "./program.ts";

const IMAGE = [2, 3, 4, 5];
const EACH = [2, -0.5, 3];
const WEIGHTS = [0.5, -2, 1.5, 3, 0.25, -0.25];

/** `relu(x) · factor + summand`. */
function affine({ b, f, input }: Tools, factor: MLOperand = f([], 1.5), summand: MLOperand = f([], -0.25)): MLOperand {
  return b.add(b.mul(factor, b.relu(input(IMAGE))), summand);
}

const alone: Readonly<Record<string, Program>> = {
  "numbers for all channels": (tools) => affine(tools),
  "numbers for each channel": (tools) => affine(tools, tools.f([3, 1, 1], EACH), tools.f([1, 3, 1, 1], [1, -2, 3])),
  "a summand that is subtracted": ({ b, f, input }) => b.sub(b.mul(b.relu(input(IMAGE)), f([], 2)), f([3, 1, 1], EACH)),
  "a summand on the left": ({ b, f, input }) => b.add(f([1], 2), b.mul(b.relu(input(IMAGE)), f([1], 2))),
};
for (const [name, program] of Object.entries(alone)) {
  Deno.test(`${name} become one operator`, () => assertBecomes(["Relu", "BatchNormalization"], program).then(() => {}));
}

const merged: Readonly<Record<string, Program>> = {
  "without a bias": (tools) => tools.b.conv2d(affine(tools), tools.f([2, 3, 1, 1], WEIGHTS)),
  "with a bias": (tools) =>
    tools.b.conv2d(affine(tools), tools.f([2, 3, 1, 1], WEIGHTS), { bias: tools.f([2], [1, 2]) }),
  "with numbers for each channel": (tools) => {
    const { b, f } = tools;
    const x = affine(tools, f([3, 1, 1], EACH), f([3, 1, 1], [1, -2, 3]));
    return b.conv2d(x, f([1, 3, 1, 2], WEIGHTS), { strides: [2, 1] });
  },
};
for (const [name, program] of Object.entries(merged)) {
  Deno.test(`a convolution ${name} takes over the numbers before it`, () =>
    assertBecomes(["Relu", "Conv"], program).then(() => {}));
}

const kept: Readonly<Record<string, readonly [op: string, program: Program]>> = {
  "a summand of 0, which turns -0 into 0": ["Mul", (tools) => affine(tools, undefined, tools.f([3, 1, 1], [1, 0, 2]))],
  "an infinite summand": ["Mul", (tools) => affine(tools, undefined, tools.f([], Infinity))],
  "a subnormal factor": ["Mul", (tools) => affine(tools, tools.f([], 2 ** -130))],
  "a factor that is an input": ["Mul", (tools) => affine(tools, tools.input([1]))],
  "a factor for each row": ["Mul", (tools) => affine(tools, tools.f([4, 1], [1, 2, 3, 4]))],
  "a summand for each column": ["Mul", (tools) => affine(tools, undefined, tools.f([5], [1, 2, 3, 4, 5]))],
  "a summand for each element": ["Mul", (tools) => affine(tools, undefined, tools.f([1, 3, 4, 5], 2))],
  "a product that is also an output": ["Mul", ({ b, f, input }) => {
    const product = b.mul(b.relu(input(IMAGE)), f([], 2));
    return [b.add(product, f([], 1)), product];
  }],
  "a product that is subtracted": ["Mul", ({ b, f, input }) => b.sub(f([], 1), b.mul(b.relu(input(IMAGE)), f([], 2)))],
  "a sequence": ["Mul", ({ b, f, input }) => b.add(b.mul(b.relu(input([3, 4])), f([], 2)), f([], 1))],
  "a sum of more dimensions": [
    "Mul",
    ({ b, f, input }) => b.add(b.mul(b.relu(input([4, 5])), f([], 2)), f([1, 3, 1, 1], EACH)),
  ],
  "a convolution with padding": [
    "BatchNormalization",
    (tools) => tools.b.conv2d(affine(tools), tools.f([2, 3, 1, 1], WEIGHTS), { padding: [0, 1, 0, 0] }),
  ],
  "a convolution in groups": [
    "BatchNormalization",
    (tools) => tools.b.conv2d(affine(tools), tools.f([3, 1, 1, 1], EACH), { groups: 3 }),
  ],
  "a convolution by an input": [
    "BatchNormalization",
    (tools) => tools.b.conv2d(affine(tools), tools.input([2, 3, 1, 1])),
  ],
  "a convolution with a bias that is an input": [
    "BatchNormalization",
    (tools) => tools.b.conv2d(affine(tools), tools.f([2, 3, 1, 1], WEIGHTS), { bias: tools.input([2]) }),
  ],
  "a value that is used elsewhere": ["BatchNormalization", (tools) => {
    const x = affine(tools);
    return [tools.b.conv2d(x, tools.f([2, 3, 1, 1], WEIGHTS)), tools.b.exp(x)];
  }],
  "a filter that would become infinite": [
    "BatchNormalization",
    (tools) => tools.b.conv2d(affine(tools, tools.f([], 2 ** 70)), tools.f([2, 3, 1, 1], 2 ** 60)),
  ],
  "a filter that would become subnormal": [
    "BatchNormalization",
    (tools) => tools.b.conv2d(affine(tools, tools.f([], 2 ** -70)), tools.f([2, 3, 1, 1], 2 ** -60)),
  ],
};
for (const [name, [op, program]] of Object.entries(kept)) {
  Deno.test(`${name} keeps its operator`, async () => {
    const outcome = await run(program);
    assert(outcome.ops.includes(op), `${outcome.ops}`);
    assertSame(outcome);
  });
}
