/** Layer and root-mean-square norms that are written as formulas, and look-alikes. */

import { assertEquals } from "@std/assert";
import type { MLOperand } from "../../mod.ts";
import { Float } from "../../src/backends/onnxruntime/onnx.ts";
import { assertBecomes, assertDoesNotBecome, type Program, type Tools } from "./program.ts";

const SHAPE = [2, 3, 8];
const GAIN = [1, 2, -1, 0.5, 3, 1, 1.5, -2];
const NORMS = ["LayerNormalization", "SimplifiedLayerNormalization"];

function mean({ b }: Tools, x: MLOperand, axes = [x.shape.length - 1]): MLOperand {
  return b.reduceMean(x, { axes, keepDimensions: true });
}

/** Forms of the square. */
const squares: Readonly<Record<string, (tools: Tools, x: MLOperand) => MLOperand>> = {
  "x · x": ({ b }, x) => b.mul(x, x),
  "x ^ 2": ({ b, f }, x) => b.pow(x, f([], 2)),
};

/** Forms of `x / √v`. */
const quotients: Readonly<Record<string, (tools: Tools, x: MLOperand, v: MLOperand) => MLOperand>> = {
  "x / √v": ({ b }, x, v) => b.div(x, b.sqrt(v)),
  "x / v ^ ½": ({ b, f }, x, v) => b.div(x, b.pow(v, f([1], 0.5))),
  "x · (1 / √v)": ({ b, f }, x, v) => b.mul(x, b.div(f([], 1), b.sqrt(v))),
  "reciprocal(√v) · x": ({ b }, x, v) => b.mul(b.reciprocal(b.sqrt(v)), x),
  "x · v ^ -½": ({ b, f }, x, v) => b.mul(x, b.pow(v, f([], -0.5))),
};

for (const [square, squareOf] of Object.entries(squares)) {
  for (const [quotient, quotientOf] of Object.entries(quotients)) {
    const norm = (tools: Tools, x: MLOperand, epsilon: MLOperand) =>
      quotientOf(tools, x, tools.b.add(mean(tools, squareOf(tools, x)), epsilon));
    Deno.test(`norms with ${square} and ${quotient}`, async () => {
      const layer = await assertBecomes(["LayerNormalization"], (tools) => {
        const { b, f, input } = tools;
        const x = input(SHAPE);
        const normalized = norm(tools, b.sub(x, mean(tools, x)), f([], 0.01));
        return b.add(b.mul(normalized, f([8], GAIN)), f([1, 8], GAIN.toReversed()));
      });
      assertEquals(layer.onnx.nodes[0]!.attributes, { axis: 2, epsilon: new Float(Math.fround(0.01)) });
      const rms = await assertBecomes(["SimplifiedLayerNormalization"], (tools) => {
        const { b, f, input } = tools;
        return b.mul(f([1, 1, 8], GAIN), norm(tools, input(SHAPE), f([1, 1], 3)));
      });
      assertEquals(rms.onnx.nodes[0]!.attributes, { axis: 2, epsilon: new Float(3) });
    });
  }
}

/** A norm of x with parts that a test can vary. */
interface Parts {
  readonly shape?: number[];
  readonly axes?: number[];
  readonly epsilon?: (tools: Tools) => MLOperand;
  readonly exponent?: number;
  readonly centered?: (tools: Tools, x: MLOperand) => MLOperand;
}

function normOf(parts: Parts = {}): (tools: Tools) => MLOperand {
  const { shape = SHAPE, axes = [shape.length - 1], exponent = 2, centered = (_, x) => x } = parts;
  return (tools) => {
    const { b, f, input } = tools;
    const x = input([...shape]);
    const numerator = centered(tools, x);
    const square = mean(tools, b.pow(numerator, f([], exponent)), axes);
    const epsilon = parts.epsilon?.(tools) ?? f([], 1e-5);
    return b.div(numerator, b.sqrt(b.add(square, epsilon)));
  };
}

const subtractMean: Parts["centered"] = (tools, x) => tools.b.sub(x, mean(tools, x));

Deno.test("norms over several last dimensions, in any order, and of one row", async () => {
  await assertBecomes(["SimplifiedLayerNormalization"], normOf({ axes: [1, 2] }));
  await assertBecomes(["SimplifiedLayerNormalization"], normOf({ axes: [2, 1] }));
  await assertBecomes(["SimplifiedLayerNormalization"], normOf({ shape: [1, 8] }));
  const centered: Parts["centered"] = (tools, x) => tools.b.sub(x, mean(tools, x, [2, 1]));
  await assertBecomes(["LayerNormalization"], normOf({ axes: [1, 2], centered }));
});

Deno.test("a difference that is computed twice", async () => {
  await assertBecomes(["LayerNormalization"], (tools) => {
    const { b, f, input } = tools;
    const x = input(SHAPE);
    const square = mean(tools, b.pow(subtractMean(tools, x), f([], 2)));
    return b.div(subtractMean(tools, x), b.sqrt(b.add(square, f([], 1e-5))));
  });
});

const lookAlikes: Readonly<Record<string, Program>> = {
  "exponent 4": normOf({ exponent: 4 }),
  "exponent 4 of differences": normOf({ exponent: 4, centered: subtractMean }),
  "exponent 3": normOf({ exponent: 3, epsilon: ({ f }) => f([], 50) }),
  "an epsilon that is an input": normOf({
    epsilon: ({ input }) => input([1], 5),
    centered: subtractMean,
    shape: [1, 8],
  }),
  "an epsilon below 0": normOf({ epsilon: ({ f }) => f([], -1e-3) }),
  "an epsilon with more dimensions": normOf({ epsilon: ({ f }) => f([1, 1, 1, 1], 1e-5) }),
  "an epsilon for each row": normOf({ epsilon: ({ f }) => f([3, 1], [1, 2, 3]) }),
  "an epsilon for each element": normOf({ epsilon: ({ f }) => f([8], GAIN.map(Math.abs)) }),
  "a mean over the first dimension": normOf({ axes: [0] }),
  "a mean over a dimension in the middle": normOf({ axes: [1] }),
  "one element": normOf({ shape: [4, 1] }),
  "no axes": normOf({ axes: [] }),
};

for (const [name, program] of Object.entries(lookAlikes)) {
  Deno.test(`no norm: ${name}`, () => assertDoesNotBecome(NORMS, program, 5e-6));
}

Deno.test("mean(x) - x, and means of other values, are not a layer norm", async () => {
  const reversed: Parts["centered"] = (tools, x) => tools.b.sub(mean(tools, x), x);
  await assertBecomes(["ReduceMean", "Sub", "SimplifiedLayerNormalization"], normOf({ centered: reversed }));
  const other: Parts["centered"] = (tools, x) => tools.b.sub(x, mean(tools, tools.input(SHAPE)));
  await assertBecomes(["ReduceMean", "Sub", "SimplifiedLayerNormalization"], normOf({ centered: other }));
  const alongAll: Parts["centered"] = (tools, x) => tools.b.sub(x, mean(tools, x, [1, 2]));
  await assertBecomes(["ReduceMean", "Sub", "SimplifiedLayerNormalization"], normOf({ centered: alongAll }));
});

Deno.test("a norm with a part that is an output or used elsewhere stays a formula", async () => {
  const shared = (use: (tools: Tools, parts: MLOperand[]) => MLOperand): Program => (tools) => {
    const { b, f, input } = tools;
    const x = input(SHAPE);
    const centered = b.sub(x, mean(tools, x));
    const variance = mean(tools, b.mul(centered, centered));
    const root = b.sqrt(b.add(variance, f([], 1e-5)));
    return [b.div(centered, root), use(tools, [centered, variance, root])];
  };
  await assertDoesNotBecome(NORMS, shared((_, [, variance]) => variance!));
  await assertDoesNotBecome(NORMS, shared(({ b }, [, , root]) => b.exp(root!)));
  await assertDoesNotBecome(["LayerNormalization"], shared(({ b }, [centered]) => b.abs(centered!)));
});

Deno.test("only a value with the shape of the normalised dimensions becomes a scale or bias", async () => {
  const scaled = (scale: (tools: Tools) => MLOperand): Program => (tools) =>
    tools.b.mul(normOf({ centered: subtractMean })(tools), scale(tools));
  const ones = { scale: ({ f }: Tools) => f([8], GAIN), input: ({ input }: Tools) => input([8]) };
  await assertBecomes(["LayerNormalization"], scaled(ones.scale));
  await assertBecomes(["LayerNormalization"], scaled(ones.input));
  for (const shape of [[], [1], [3, 8], [2, 3, 8], [3, 1], [1, 1, 1, 8]]) {
    await assertBecomes(["LayerNormalization", "Mul"], scaled(({ input }) => input(shape)));
  }
  await assertBecomes(
    ["LayerNormalization", "Sub"],
    (tools) => tools.b.sub(tools.f([8], GAIN), scaled(ones.scale)(tools) as MLOperand),
  );
  await assertBecomes(["LayerNormalization", "Add", "Add"], (tools) => {
    const sum = tools.b.add(scaled(ones.scale)(tools) as MLOperand, tools.input([3, 8]));
    return tools.b.add(sum, tools.f([8], GAIN));
  });
  await assertBecomes(["LayerNormalization", "Mul", "Mul"], (tools) => {
    const norm = normOf({ centered: subtractMean })(tools);
    return [tools.b.mul(norm, tools.f([8], GAIN)), tools.b.mul(norm, tools.f([8], 2))];
  });
});

Deno.test("a norm of a row with a column of numbers does not change the shape", async () => {
  await assertDoesNotBecome(NORMS, (tools) => {
    const x = tools.input([1, 8]);
    const square = mean(tools, tools.b.pow(x, tools.f([], 2)));
    return tools.b.div(x, tools.b.sqrt(tools.b.add(square, tools.f([4, 1], 1e-5))));
  });
});
