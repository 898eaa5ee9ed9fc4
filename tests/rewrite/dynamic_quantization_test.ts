/** Dynamic quantisation as clients write it, and look-alikes. */

import { assertEquals } from "@std/assert";
import type { MLOperand } from "../../mod.ts";
import { assertBecomes, run, type Tools } from "./program.ts";

/** Parts of the formula that a test can vary. */
interface Parts {
  readonly shape?: number[];
  readonly scaleOfInput?: number;
  readonly steps?: number;
  /** The bound that the range must include. */
  readonly bound?: number;
  readonly clamp?: MLClampOptions;
  readonly guarded?: boolean;
  readonly roundFirst?: boolean;
  readonly zero?: "neg" | "sub";
  /** Computes the zero point by quantizeLinear, with this zero point of its own. */
  readonly quantised?: number;
  readonly axes?: number[];
}

/** The results of the formula: bytes, scale, zero point, and the reshaped zero point by which it quantised. */
function quantised(tools: Tools, parts: Parts = {}): [MLOperand, MLOperand, MLOperand, MLOperand] {
  const { b, f, input, k } = tools;
  const { shape = [4, 6], steps = 255, bound = 0, clamp = { minValue: 0, maxValue: 255 }, zero = "neg" } = parts;
  const x = input(shape, parts.scaleOfInput);
  const options = parts.axes ? { axes: parts.axes } : {};
  const low = b.min(b.reduceMin(x, options), f([], bound));
  const span = b.div(b.sub(b.max(f([], bound), b.reduceMax(x, options)), low), f([], steps));
  const scale = parts.guarded ? b.where(b.equal(span, f([], 0)), f([], 1), span) : span;
  const quotient = b.div(low, scale);
  const point = zero === "neg" ? b.neg(quotient) : b.sub(f([], 0), quotient);
  const rounded = parts.roundFirst ? b.clamp(b.roundEven(point), clamp) : b.roundEven(b.clamp(point, clamp));
  const zeroPoint = parts.quantised === undefined
    ? b.cast(rounded, "uint8")
    : b.quantizeLinear(zero === "neg" ? b.neg(low) : b.sub(f([], 0), low), scale, k("uint8", [], [parts.quantised]));
  const fit = (value: MLOperand) => b.reshape(value, shape.map(() => 1));
  const fitted = parts.axes ? zeroPoint : fit(zeroPoint);
  const q = parts.axes ? b.cast(x, "uint8") : b.quantizeLinear(x, fit(scale), fitted);
  return [q, scale, zeroPoint, fitted];
}

/** The product of the bytes and a scale, which is how clients use the scale. */
function factor(tools: Tools, parts: Parts = {}): MLOperand[] {
  const [q, scale, zeroPoint] = quantised(tools, parts);
  return [q, zeroPoint, tools.b.mul(scale, tools.f([], 3))];
}

Deno.test("the formulas of clients become DynamicQuantizeLinear", async () => {
  for (const guarded of [false, true]) {
    for (const roundFirst of [false, true]) {
      for (const zero of ["neg", "sub"] as const) {
        await assertBecomes(
          ["DynamicQuantizeLinear", "Mul"],
          (tools) => factor(tools, { guarded, roundFirst, zero }),
          0,
        );
      }
    }
  }
  for (const zero of ["neg", "sub"] as const) {
    await assertBecomes(
      ["DynamicQuantizeLinear", "Mul"],
      (tools) => factor(tools, { guarded: true, quantised: 0, zero }),
      0,
    );
  }
  // A scale that is also an output of the graph.
  await assertBecomes(["DynamicQuantizeLinear"], (tools) => quantised(tools, { guarded: true }).slice(0, 3), 0);
});

Deno.test("if all elements are 0, the results are 0, as long as the scale is only a factor", async () => {
  const product = (guarded: boolean) => (tools: Tools) => {
    const { b, f, k } = tools;
    const [q, scale, zeroPoint] = quantised(tools, { guarded, scaleOfInput: 0 });
    const a = b.dequantizeLinear(q, f([1, 1], 1), b.reshape(zeroPoint, [1, 1]));
    const w = b.dequantizeLinear(
      k("int8", [6, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]),
      f([1, 1], 1),
      k("int8", [1, 1], [0]),
    );
    return b.mul(b.matmul(a, w), scale);
  };
  for (const guarded of [false, true]) {
    const { ops, outputs } = await run(product(guarded));
    assertEquals(ops, ["DynamicQuantizeLinear", "MatMulIntegerToFloat"]);
    assertEquals(outputs[0]!.data.map(Number), new Array(8).fill(0));
  }
});

Deno.test("products with dynamic quantisation: quantise, multiply bytes, scale", async () => {
  for (const isShared of [false, true]) {
    await assertBecomes(["DynamicQuantizeLinear", "MatMulIntegerToFloat"], (tools) => {
      const { b, f, k } = tools;
      const [q, scale, zeroPoint, fitted] = quantised(tools, { guarded: true });
      const a = b.dequantizeLinear(q, f([1, 1], 1), isShared ? fitted : b.reshape(zeroPoint, [1, 1]));
      const w = b.dequantizeLinear(
        k("int8", [6, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]),
        f([1, 1], 1),
        k("int8", [1, 1], [0]),
      );
      return b.add(
        b.mul(b.cast(b.cast(b.matmul(a, w), "int32"), "float32"), b.mul(scale, f([], 0.01))),
        f([2], [3, 4]),
      );
    }, 1e-6);
  }
});

const lookAlikes: Readonly<Record<string, Parts>> = {
  "254 steps": { steps: 254 },
  "a range that includes 1 instead of 0": { bound: 1 },
  "a zero point up to 127": { clamp: { minValue: 0, maxValue: 127 } },
  "a zero point without limits": { clamp: {} },
  "a quantised zero point that is one more": { quantised: 1, guarded: true },
  "a range along some axes": { axes: [0], guarded: true },
};

for (const [name, parts] of Object.entries(lookAlikes)) {
  Deno.test(`no dynamic quantisation: ${name}`, async () => {
    const { ops } = await run((tools) => factor(tools, parts));
    assertEquals(ops.includes("DynamicQuantizeLinear"), false);
  });
}

Deno.test("an unguarded scale that is not only a factor keeps the formula", async () => {
  for (const use of ["output", "exp"] as const) {
    const { ops } = await run((tools) => {
      const [q, scale] = quantised(tools);
      return [q, use === "output" ? scale : tools.b.exp(scale)];
    });
    assertEquals(ops.includes("DynamicQuantizeLinear"), false);
  }
});

Deno.test("a range with a part that is an output keeps the formula", async () => {
  const { ops } = await run((tools) => {
    const { b, f } = tools;
    const x = tools.input([4]);
    const low = b.min(b.reduceMin(x), f([], 0));
    const scale = b.div(b.sub(b.max(b.reduceMax(x), f([], 0)), low), f([], 255));
    const zero = b.cast(b.roundEven(b.clamp(b.neg(b.div(low, scale)), { minValue: 0, maxValue: 255 })), "uint8");
    return [b.quantizeLinear(x, b.reshape(scale, [1]), b.reshape(zero, [1])), b.exp(low)];
  });
  assertEquals(ops.includes("DynamicQuantizeLinear"), false);
});
