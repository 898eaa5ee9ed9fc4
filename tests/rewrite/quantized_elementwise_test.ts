/** Element-wise operators and movements from bytes to bytes, and look-alikes. */

import type { MLOperand } from "../../mod.ts";
import { assertBecomes, assertDoesNotBecome, type Program, type Tools } from "./program.ts";

const PREPARED = ["Add", "Mul", "Cast"];
const SHAPE = [4, 60];
/** The tolerance: one quantisation step. */
const STEP = 1 / 255;

/** Computed bytes, dequantised. */
function numbers(tools: Tools, scale = 0.02, zeroPoint = 100, shape = SHAPE): MLOperand {
  const { b, input } = tools;
  const scaled = b.mul(b.add(input(shape), b.constant("float32", 1.7)), b.constant("float32", 63));
  return dequantized(tools, b.cast(scaled, "uint8"), scale, zeroPoint);
}

function dequantized({ b, f, k }: Tools, x: MLOperand, scale: number, zeroPoint: number): MLOperand {
  const one = new Array<number>(x.shape.length).fill(1);
  return b.dequantizeLinear(x, f(one, scale), k("uint8", one, [zeroPoint]));
}

function quantised({ b, f, k }: Tools, x: MLOperand, scale = 0.05, zeroPoint = 120): MLOperand {
  const one = new Array<number>(x.shape.length).fill(1);
  return b.quantizeLinear(x, f(one, scale), k("uint8", one, [zeroPoint]));
}

Deno.test("sums and products of bytes", async () => {
  const both = [...PREPARED, ...PREPARED];
  await assertBecomes(
    [...both, "QLinearAdd"],
    (tools) => quantised(tools, tools.b.add(numbers(tools), numbers(tools, 0.03, 90))),
    STEP,
  );
  await assertBecomes(
    [...both, "QLinearMul"],
    (tools) => quantised(tools, tools.b.mul(numbers(tools), numbers(tools, 0.03, 90, [60]))),
    STEP,
  );
});

Deno.test("the sigmoid of bytes", async () => {
  await assertBecomes(
    [...PREPARED, "QLinearSigmoid"],
    (tools) => quantised(tools, tools.b.sigmoid(numbers(tools)), 0.0039, 0),
    STEP,
  );
});

Deno.test("x · sigmoid(x) with bytes between", async () => {
  await assertBecomes([...PREPARED, "QLinearSigmoid", "QLinearMul"], (tools) => {
    const x = numbers(tools);
    const sigmoid = dequantized(tools, quantised(tools, tools.b.sigmoid(x), 0.0039, 0), 0.0039, 0);
    return quantised(tools, tools.b.mul(x, sigmoid));
  }, STEP);
});

const movements: Readonly<Record<string, [string, (tools: Tools, x: MLOperand) => MLOperand]>> = {
  "a reshape": ["Reshape", ({ b }, x) => b.reshape(x, [60, 4])],
  "a transpose": ["Transpose", ({ b }, x) => b.transpose(x)],
  "a slice": ["Slice", ({ b }, x) => b.slice(x, [1, 2], [2, 50])],
  "an expansion": ["Expand", ({ b }, x) => b.expand(x, [2, 4, 60])],
};

for (const [name, [op, move]] of Object.entries(movements)) {
  Deno.test(`${name} of bytes`, async () => {
    await assertBecomes([...PREPARED, op], (tools) => quantised(tools, move(tools, numbers(tools)), 0.02, 100), 0);
    // With other parameters, the bytes change.
    const otherScale: Program = (tools) => quantised(tools, move(tools, numbers(tools)), 0.021, 100);
    await assertBecomes([...PREPARED, "DequantizeLinear", op, "QuantizeLinear"], otherScale, STEP);
    const otherZeroPoint: Program = (tools) => quantised(tools, move(tools, numbers(tools)), 0.02, 101);
    await assertBecomes([...PREPARED, "DequantizeLinear", op, "QuantizeLinear"], otherZeroPoint, STEP);
  });
}

Deno.test("concatenated bytes", async () => {
  const both = [...PREPARED, ...PREPARED];
  const joined = (zeroPoint: number): Program => (tools) =>
    quantised(tools, tools.b.concat([numbers(tools), numbers(tools, 0.02, zeroPoint)], 1), 0.02, 100);
  await assertBecomes([...both, "Concat"], joined(100), 0);
  const kept = [...PREPARED, "DequantizeLinear", ...PREPARED, "DequantizeLinear", "Concat", "QuantizeLinear"];
  await assertBecomes(kept, joined(101), STEP);
});

const lookAlikes: Readonly<Record<string, Program>> = {
  "a factor in float32": (tools) => quantised(tools, tools.b.mul(numbers(tools), tools.input(SHAPE))),
  "a product that is also an output": (tools) => {
    const product = tools.b.mul(numbers(tools), numbers(tools));
    return [quantised(tools, product), product];
  },
  "a difference": (tools) => quantised(tools, tools.b.sub(numbers(tools), numbers(tools))),
  "a scale that is an input": (tools) => {
    const { b, input, k } = tools;
    const sum = b.add(numbers(tools), numbers(tools));
    return b.quantizeLinear(sum, b.abs(input([1, 1])), k("uint8", [1, 1], [100]));
  },
  "a scale for each column": (tools) => {
    const { b, f, k } = tools;
    const scales = Array.from({ length: 60 }, (_, i) => 0.1 + i / 100);
    return b.quantizeLinear(b.sigmoid(numbers(tools)), f([1, 60], scales), k("uint8", [1, 60], scales.map(() => 7)));
  },
};

for (const [name, program] of Object.entries(lookAlikes)) {
  Deno.test(`no operator on bytes: ${name}`, () =>
    assertDoesNotBecome(["QLinearAdd", "QLinearMul", "QLinearSigmoid"], program, STEP));
}
