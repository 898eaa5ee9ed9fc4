/** Factors after matrix products, and look-alikes. */

import { assert } from "@std/assert";
import type { MLOperand } from "../../mod.ts";
import { assertBecomes, assertSame, type Program, run, type Tools } from "./program.ts";

const product = ({ b, input }: Tools): MLOperand => b.matmul(input([2, 3, 7]), input([2, 7, 4]));

const merged: Readonly<Record<string, Program>> = {
  "a factor": (tools) => tools.b.mul(product(tools), tools.f([], 0.125)),
  "a factor on the left": (tools) => tools.b.mul(tools.f([1, 1], -3), product(tools)),
  "a divisor": (tools) => tools.b.div(product(tools), tools.f([], Math.sqrt(32))),
};
for (const [name, program] of Object.entries(merged)) {
  Deno.test(`${name} becomes part of a product`, () => assertBecomes(["FusedMatMul"], program).then(() => {}));
}

const kept: Readonly<Record<string, Program>> = {
  "a factor of a single row": ({ b, f, input }) => b.mul(b.matmul(input([2, 1, 7]), input([2, 7, 4])), f([], 2)),
  "a factor of a single column": ({ b, f, input }) => b.mul(b.matmul(input([2, 3, 7]), input([2, 7, 1])), f([], 2)),
  "a factor for each column": (tools) => tools.b.mul(product(tools), tools.f([4], [1, 2, 3, 4])),
  "a factor that is an input": (tools) => tools.b.mul(product(tools), tools.input([])),
  "a factor of 0": (tools) => tools.b.mul(product(tools), tools.f([], 0)),
  "a subnormal factor": (tools) => tools.b.mul(product(tools), tools.f([], 2 ** -140)),
  "a divisor whose reciprocal is subnormal": (tools) => tools.b.div(product(tools), tools.f([], 2 ** 127)),
  "an infinite factor": (tools) => tools.b.mul(product(tools), tools.f([], Infinity)),
  "a number divided by a product": (tools) => tools.b.div(tools.f([], 2), product(tools)),
  "a factor of more dimensions": (tools) => tools.b.mul(product(tools), tools.f([1, 1, 1, 1], 2)),
  "a product that is also an output": (tools) => {
    const y = product(tools);
    return [tools.b.mul(y, tools.f([], 2)), y];
  },
  "the product itself": (tools) => {
    const y = product(tools);
    return tools.b.mul(y, y);
  },
};
for (const [name, program] of Object.entries(kept)) {
  Deno.test(`${name} stays after a product`, async () => {
    const outcome = await run(program);
    assert(!outcome.ops.includes("FusedMatMul"), `${outcome.ops}`);
    assertSame(outcome);
  });
}
