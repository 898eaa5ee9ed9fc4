/** Factors and summands after convolutions, and look-alikes. */

import { assert, assertEquals } from "@std/assert";
import type { MLOperand } from "../../mod.ts";
import { assertBecomes, assertSame, type Program, run, type Tools } from "./program.ts";

const CHANNELS = 3;

/** A convolution with a bias, and the operators that follow it. */
function followed(
  after: (tools: Tools, y: MLOperand) => MLOperand | MLOperand[],
  { layout = "nchw", filter = [0.5, -2, 1.5, 3, 0, -0.25], bias = true }: {
    readonly layout?: "nchw" | "nhwc";
    readonly filter?: readonly number[];
    readonly bias?: boolean;
  } = {},
): Program {
  return (tools) => {
    const { b, f, input } = tools;
    const x = input(layout === "nchw" ? [2, 2, 4, 5] : [2, 4, 5, 2]);
    const options = { inputLayout: layout, ...bias ? { bias: f([CHANNELS], [1, -2, 0.5]) } : {} };
    return after(tools, b.conv2d(x, f([CHANNELS, 2, 1, 1], filter), options));
  };
}

const EACH = [2, 0.5, 3];
const SIGNED = [2, -0.5, 3];

const merged: Readonly<Record<string, Program>> = {
  "a factor": followed(({ b, f }, y) => b.mul(y, f([], 3))),
  "a factor on the left": followed(({ b, f }, y) => b.mul(f([1, 1, 1], 3), y)),
  "a factor for each channel": followed(({ b, f }, y) => b.mul(y, f([3, 1, 1], EACH))),
  "a divisor for each channel": followed(({ b, f }, y) => b.div(y, f([1, 3, 1, 1], EACH))),
  "a summand for each channel": followed(({ b, f }, y) => b.add(y, f([3, 1, 1], SIGNED))),
  "a summand of a convolution by an input": ({ b, f, input }) =>
    b.add(b.conv2d(input([1, 2, 4, 4]), input([3, 2, 2, 2])), f([3, 1, 1], SIGNED)),
  "a constant that is subtracted": followed(({ b, f }, y) => b.sub(y, f([], 7))),
  "a summand without a bias": followed(({ b, f }, y) => b.add(f([3, 1, 1], SIGNED), y), { bias: false }),
  "a factor without a bias": followed(({ b, f }, y) => b.mul(y, f([3, 1, 1], EACH)), { bias: false }),
  "batchNormalization": followed(({ b, f }, y) => b.batchNormalization(y, f([3], [1, 2, 3]), f([3], [4, 0.5, 9]))),
  "batchNormalization with scale and bias": followed(({ b, f }, y) =>
    b.batchNormalization(y, f([3], [1, 2, 3]), f([3], [4, 0.5, 9]), { scale: f([3], SIGNED), bias: f([3], [5, 6, 7]) })
  ),
  "a subnormal summand": followed(({ b, f }, y) => b.add(y, f([3, 1, 1], [2 ** -140, 0, 1]))),
  "a factor of a channel with a subnormal and a normal weight": followed(({ b, f }, y) => b.mul(y, f([], 3)), {
    filter: [1, 2, -3, 4, 5, 2 ** -140],
  }),
  "several in a row": followed(({ b, f }, y) =>
    b.add(b.mul(b.sub(y, f([3, 1, 1], EACH)), f([], 2)), f([3, 1, 1], EACH))
  ),
};
for (const [name, program] of Object.entries(merged)) {
  Deno.test(`${name} becomes part of the convolution`, () => assertBecomes(["Conv"], program).then(() => {}));
}
Deno.test("factors and summands in NHWC, where the channels are last", async () => {
  const program = followed(({ b, f }, y) => b.add(b.mul(y, f([3], EACH)), f([1, 1, 1, 3], EACH)), { layout: "nhwc" });
  await assertBecomes(["Transpose", "Conv", "Transpose"], program);
});

Deno.test("a transposed filter's factors follow its output channels", async () => {
  const program: Program = ({ b, f, input }) => {
    const filter = f([2, 1, 2, 3], [0.5, -2, 1.5, 3, 1, -0.25, 1, 2, 3, 4, 5, 6]);
    return b.mul(b.conv2d(input([1, 2, 4, 5]), filter, { filterLayout: "hwio" }), f([3, 1, 1], EACH));
  };
  const outcome = await run(program);
  assertEquals(outcome.ops.filter((op) => op !== "Transpose"), ["Conv"]);
  assertSame(outcome);
});
Deno.test("zeros keep the sign that the operators give", async () => {
  const zeros = followed(({ b, f }, y) => b.reciprocal(b.mul(y, f([], -2))), {
    filter: [0, 0, 0, 0, 0, 0],
    bias: false,
  });
  assertSame(await run(zeros));
});

const kept: Readonly<Record<string, readonly [op: string, program: Program]>> = {
  "a factor for each column": ["Mul", followed(({ b, f }, y) => b.mul(y, f([5], [1, 2, 3, 4, 5])))],
  "a factor that is an input": ["Mul", followed(({ b, input }, y) => b.mul(y, input([3, 1, 1])))],
  "a factor with another dimension": ["Mul", followed(({ b, f }, y) => b.mul(y, f([1, 1, 1, 1, 1], 2)))],
  "a factor of a convolution by an input": [
    "Mul",
    ({ b, f, input }) => b.mul(b.conv2d(input([1, 2, 4, 4]), input([3, 2, 2, 2])), f([], 2)),
  ],
  "a negative factor": ["Mul", followed(({ b, f }, y) => b.mul(y, f([3, 1, 1], SIGNED)))],
  "a negative divisor": ["Div", followed(({ b, f }, y) => b.div(y, f([], -2)))],
  "a factor of 0": ["Mul", followed(({ b, f }, y) => b.mul(y, f([3, 1, 1], [1, 0, 1])))],
  "a factor that makes all weights of a channel subnormal": [
    "Mul",
    followed(({ b, f }, y) => b.mul(y, f([], 2 ** -100)), { filter: [1, 1, 1, 1, 2 ** -28, 2 ** -30] }),
  ],
  "a factor that makes a weight infinite": [
    "Mul",
    followed(({ b, f }, y) => b.mul(y, f([], 2 ** 70)), { filter: [1, 1, 1, 1, 1, 2 ** 60], bias: false }),
  ],
  "a constant that is divided by the convolution": ["Div", followed(({ b, f }, y) => b.div(f([], 3), y))],
  "a constant from which the convolution is subtracted": ["Sub", followed(({ b, f }, y) => b.sub(f([], 3), y))],
  "a factor of a convolution that is an output": ["Mul", followed(({ b, f }, y) => [b.mul(y, f([], 3)), y])],
  "a factor of a convolution that is used elsewhere": [
    "Mul",
    followed(({ b, f }, y) => [b.mul(y, f([], 3)), b.exp(y)]),
  ],
  "the convolution itself": ["Mul", followed(({ b }, y) => b.mul(y, y))],
  "an infinite summand": ["Add", followed(({ b, f }, y) => b.add(y, f([], Infinity)))],
  "batchNormalization with a negative scale and no bias": [
    "Mul",
    followed(({ b, f }, y) => b.batchNormalization(y, f([3], 1), f([3], 2), { scale: f([3], SIGNED) })),
  ],
  "batchNormalization by a variance that is an input": [
    "Mul",
    followed(({ b, f, input }, y) => b.batchNormalization(y, f([3], 1), b.abs(input([3])))),
  ],
  "batchNormalization along rows": [
    "Mul",
    followed(({ b, f }, y) => b.batchNormalization(y, f([4], 1), f([4], 2), { axis: 2 })),
  ],
};
for (const [name, [op, program]] of Object.entries(kept)) {
  Deno.test(`${name} stays after a convolution`, async () => {
    const outcome = await run(program);
    assert(outcome.ops.includes(op), `${outcome.ops}`);
    assertSame(outcome);
  });
}
