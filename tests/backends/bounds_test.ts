/** Maximum pools check for −Infinity, unless their elements are known to be greater. */

import { assert } from "@std/assert";
import type { MLOperand } from "../../mod.ts";
import { assertSame, type Program, run, type Tools } from "../rewrite/program.ts";

type Input = (tools: Tools) => MLOperand;

const SHAPE = [1, 2, 4, 4];
const POOL = { windowDimensions: [2, 2] };

const pooled = (input: Input): Program => (tools) => tools.b.maxPool2d(input(tools), POOL);

/** `x · clamp(x + 3, 0, 6) / 6`, or a variation. */
const swish = ({ min = 0, max = 6, summand = 3, divisor = 6, other = false } = {}): Input => ({ b, f, input }) => {
  const x = input(SHAPE);
  const gate = b.clamp(b.add(other ? input(SHAPE) : x, f([1], summand)), { minValue: min, maxValue: max });
  return b.div(b.mul(x, gate), f([1], divisor));
};

const bounded: Readonly<Record<string, Input>> = {
  "a maximum with a constant": ({ b, f, input }) => b.max(input(SHAPE), f([1, 1, 1, 1], -0.4)),
  "a maximum with a constant, first": ({ b, f, input }) => b.max(f([1, 2, 1, 1], [-9, 2]), input(SHAPE)),
  "a concatenation with a constant": ({ b, f, input }) =>
    b.concat([b.relu(input([1, 1, 4, 4])), f([1, 1, 4, 4], -1)], 1),
  "hard swish as a formula": swish(),
  "hard swish with its factors in another order": ({ b, f, input }) => {
    const x = input(SHAPE);
    return b.mul(b.mul(b.clamp(b.add(x, f([], 3)), { minValue: 0, maxValue: 6 }), x), f([], 1 / 6));
  },
};

const unbounded: Readonly<Record<string, Input>> = {
  "an input": ({ input }) => input(SHAPE),
  "a maximum of inputs": ({ b, input }) => b.max(input(SHAPE), input(SHAPE)),
  "a maximum with a constant of -Infinity": ({ b, f, input }) => b.max(input(SHAPE), f([1, 2, 1, 1], [0, -Infinity])),
  "a gate that never closes": swish({ min: 0.5 }),
  "a gate with a large upper bound": swish({ max: 1e30 }),
  "a gate with a large summand": swish({ summand: 1e30 }),
  "a gate of another value": swish({ other: true }),
  "a negative divisor": swish({ divisor: -6 }),
  "a divisor below 1": swish({ divisor: 1e-38 }),
  "a bounded value times -1": ({ b, f, input }) => b.mul(b.relu(input(SHAPE)), f([], -1)),
  "a bounded value times an input": ({ b, input }) => b.mul(b.relu(input(SHAPE)), input(SHAPE)),
};

for (const [name, input] of Object.entries(bounded)) {
  Deno.test(`a pool of ${name} does not check for -Infinity`, async () => {
    const outcome = await run(pooled(input));
    assert(!outcome.ops.includes("Where"), `${outcome.ops}`);
    assertSame(outcome);
  });
}

for (const [name, input] of Object.entries(unbounded)) {
  Deno.test(`a pool of ${name} checks for -Infinity`, async () => {
    const outcome = await run(pooled(input));
    assert(outcome.ops.includes("Where"), `${outcome.ops}`);
    assertSame(outcome);
  });
}
