/** Convolutions of bytes, and from bytes to bytes, as clients write them, and look-alikes. */

import { assert, assertEquals } from "@std/assert";
import type { MLOperand } from "../../mod.ts";
import { random } from "../../support/random.ts";
import { assertBecomes, assertDoesNotBecome, type Program, run, type Tools } from "./program.ts";

const OPS = ["ConvInteger", "QLinearConv"];
const PREPARED = ["Add", "Mul", "Cast"];
const TOLERANCE = 1e-6;

function bytes(count: number, seed: number, [min, max]: readonly [number, number]): number[] {
  const next = random(seed);
  return Array.from({ length: count }, () => next.integer(min, max));
}

/** Computed bytes, because constants would be folded. */
function image({ b, input }: Tools, shape: number[]): MLOperand {
  const scaled = b.mul(b.add(input(shape), b.constant("float32", 1.7)), b.constant("float32", 63));
  return b.cast(scaled, "uint8");
}

function dequantized(tools: Tools, x: MLOperand, scale: number, zeroPoint: number): MLOperand {
  const shape = new Array<number>(x.shape.length).fill(1);
  return tools.b.dequantizeLinear(x, tools.f(shape, scale), tools.k(x.dataType as "uint8", shape, [zeroPoint]));
}

/** A filter with a scale for each output channel. */
function filter(tools: Tools, dataType: "int8" | "uint8", shape: number[], zeroPoints?: number[]): MLOperand {
  const { b, f, k } = tools;
  const outputs = shape[0]!;
  const parameters = [outputs, ...shape.slice(1).map(() => 1)];
  const range = dataType === "int8" ? [-128, 127] as const : [0, 255] as const;
  const scales = Array.from({ length: outputs }, (_, i) => 0.002 * (i + 1));
  const points = zeroPoints ?? scales.map(() => dataType === "int8" ? 0 : 128);
  const values = bytes(shape.reduce((x, y) => x * y, 1), 5, range);
  return b.dequantizeLinear(k(dataType, shape, values), f(parameters, scales), k(dataType, parameters, points));
}

const IMAGE = [1, 16, 6, 5];
const FILTER = [3, 16, 3, 3];
const WINDOW = { padding: [1, 1, 1, 0], strides: [2, 1], dilations: [1, 1] };

for (const dataType of ["int8", "uint8"] as const) {
  const product = (channels: number, options: MLConv2dOptions = WINDOW): (tools: Tools) => MLOperand => (tools) => {
    const { b, k } = tools;
    const range = dataType === "int8" ? [-128, 127] as const : [0, 255] as const;
    const w = k(dataType, [3, channels, 3, 3], bytes(27 * channels, 5, range));
    const x = dequantized(tools, image(tools, [1, channels, 6, 5]), 1, 100);
    return b.conv2d(x, dequantized(tools, w, 1, dataType === "int8" ? -3 : 130), options);
  };

  Deno.test(`centred bytes convolved with ${dataType}: the engine's operands are unsigned bytes`, async () => {
    const { onnx } = await assertBecomes([...PREPARED, "ConvInteger", "Cast"], product(16), 0);
    const [, name] = onnx.nodes.find(({ op }) => op === "ConvInteger")!.inputs;
    assertEquals(onnx.initializers.find((initializer) => initializer.name === name)?.dataType, "uint8");
    await assertBecomes([...PREPARED, "ConvInteger", "Cast"], product(1), 0);
    const inInt32: Program = (tools) => tools.b.cast(product(16)(tools), "int32");
    await assertBecomes([...PREPARED, "ConvInteger"], inInt32, 0);
    const rounded: Program = (tools) => tools.b.cast(product(100)(tools), "int32");
    await assertBecomes([...PREPARED, "ConvInteger", "Cast", "Cast"], rounded, 0);
  });

  Deno.test(`a convolution with the smallest and largest ${dataType}`, async () => {
    const [min, max] = dataType === "int8" ? [-128, 127] : [0, 255];
    for (const zeroPoint of [0, 255]) {
      await assertBecomes(["Clip", "Cast", "ConvInteger", "Cast"], (tools) => {
        const { b, input, k } = tools;
        const w = k(dataType, [2, 64, 1, 1], Array.from({ length: 128 }, (_, i) => i < 64 ? min! : max!));
        const x = b.cast(b.clamp(input([1, 64, 2, 2], 1e4), { minValue: 0, maxValue: 255 }), "uint8");
        return b.conv2d(dequantized(tools, x, 1, zeroPoint), dequantized(tools, w, 1, 0));
      }, 0);
    }
  });

  Deno.test(`scales and a bias are applied to the sums of a convolution with ${dataType}`, async () => {
    await assertBecomes([...PREPARED, "ConvInteger", "Cast", "Mul", "BatchNormalization"], (tools) => {
      const x = dequantized(tools, image(tools, IMAGE), 0.02, 100);
      return tools.b.conv2d(x, filter(tools, dataType, FILTER), { ...WINDOW, bias: tools.f([3], [1, 2, 3]) });
    }, TOLERANCE);
    // One-dimensional convolutions, which clients write with images of one row.
    await assertBecomes([...PREPARED, "Reshape", "ConvInteger", "Cast", "Mul", "Mul"], (tools) => {
      const { b } = tools;
      const x = b.reshape(dequantized(tools, image(tools, [1, 32, 9]), 0.02, 100), [1, 32, 1, 9]);
      return b.conv2d(x, b.reshape(filter(tools, dataType, [3, 32, 3]), [3, 32, 1, 3]));
    }, TOLERANCE);
  });

  Deno.test(`from bytes to bytes with a filter of ${dataType}`, async () => {
    const of = (finish: (tools: Tools, sums: MLOperand) => MLOperand, zeroPoint = 120): Program => (tools) => {
      const { b, f, k } = tools;
      const x = dequantized(tools, image(tools, IMAGE), 0.02, 100);
      const unit = Array.from({ length: 3 }, (_, i) => Math.fround(0.02) * Math.fround(0.002 * (i + 1)));
      const bias = f([3], unit.map((value, i) => value * (1000 * i - 700)));
      const sums = finish(tools, b.conv2d(x, filter(tools, dataType, FILTER), { ...WINDOW, bias }));
      const parameters = new Array<number>(sums.shape.length).fill(1);
      return b.quantizeLinear(sums, f(parameters, 0.7), k("uint8", parameters, [zeroPoint]));
    };
    await assertBecomes([...PREPARED, "QLinearConv"], of((_, sums) => sums), 0);
    await assertBecomes([...PREPARED, "QLinearConv"], of(({ b }, sums) => b.relu(sums), 0), 0);
    await assertBecomes([...PREPARED, "QLinearConv", "Reshape"], of(({ b }, sums) => b.reshape(sums, [3, 12])), 0);
    await assertDoesNotBecome(["QLinearConv"], of(({ b }, sums) => b.relu(sums), 3), 0.005);
    await assertDoesNotBecome(["QLinearConv"], of(({ b }, sums) => b.sigmoid(sums)), 0.005);
    await assertDoesNotBecome(["QLinearConv"], (tools) => {
      const sums = tools.b.conv2d(dequantized(tools, image(tools, IMAGE), 0.02, 100), filter(tools, dataType, FILTER));
      return [
        tools.b.quantizeLinear(sums, tools.f([1, 1, 1, 1], 1), tools.k("uint8", [1, 1, 1, 1], [3])),
        tools.b.abs(sums),
      ];
    }, 0.005);
  });
}

Deno.test("a bias that is not a multiple of the scales is added in float32", async () => {
  await assertDoesNotBecome(["QLinearConv"], (tools) => {
    const { b, f, k } = tools;
    const x = dequantized(tools, image(tools, IMAGE), 0.02, 100);
    const sums = b.conv2d(x, filter(tools, "int8", FILTER), { bias: f([3], [0.1234, 0.2345, 0.3456]) });
    return b.quantizeLinear(sums, f([1, 1, 1, 1], 1e-3), k("uint8", [1, 1, 1, 1], [100]));
  }, 0.005);
});

Deno.test("from bytes to bytes with groups", async () => {
  await assertBecomes([...PREPARED, "QLinearConv"], (tools) => {
    const { b, f, k } = tools;
    const x = dequantized(tools, image(tools, [1, 4, 5, 5]), 0.02, 100);
    const sums = b.conv2d(x, filter(tools, "int8", [4, 1, 3, 3]), { groups: 4 });
    return b.quantizeLinear(sums, f([1, 1, 1, 1], 0.05), k("uint8", [1, 1, 1, 1], [100]));
  }, 0);
});

Deno.test("activations of signed bytes are converted to unsigned bytes", async () => {
  const { ops } = await run((tools) => {
    const { b, f, k, input } = tools;
    const one = [1, 1, 1, 1];
    const pair = (x: MLOperand, scale: number, zeroPoint: number) => {
      const [s, z] = [f(one, scale), k("int8", one, [zeroPoint])];
      return b.dequantizeLinear(b.quantizeLinear(x, s, z), s, z);
    };
    const first = pair(b.conv2d(pair(input(IMAGE), 0.02, -5), filter(tools, "int8", FILTER)), 0.05, 3);
    return pair(b.conv2d(first, filter(tools, "int8", [3, 3, 1, 1])), 0.05, 3);
  });
  assertEquals(ops, ["QuantizeLinear", "QLinearConv", "QLinearConv", "DequantizeLinear"]);
});

Deno.test("sums over parts of the channels, each exact", async () => {
  const parts = (counts: readonly number[], strides = counts.map(() => 1)): Program => (tools) => {
    const { b, k } = tools;
    const channels = counts.reduce((x, y) => x + y);
    const x = dequantized(tools, image(tools, [1, channels, 4, 4]), 1, 100);
    const w = dequantized(tools, k("int8", [2, channels, 3, 3], bytes(18 * channels, 5, [-128, 127])), 1, 3);
    const sums = counts.map((count, i) => {
      const start = counts.slice(0, i).reduce((x, y) => x + y, 0);
      const [left, right] = [
        b.slice(x, [0, start, 0, 0], [1, count, 4, 4]),
        b.slice(w, [0, start, 0, 0], [2, count, 3, 3]),
      ];
      return b.cast(b.conv2d(left, right, { strides: [strides[i]!, 1] }), "int32");
    });
    return sums.reduce((sum, part) => b.add(sum, part));
  };
  await assertBecomes([...PREPARED, "ConvInteger"], parts([28, 28, 8]), 0);
  await assertDoesNotBecome(OPS, parts([100, 40]), TOLERANCE);
});

const lookAlikes: Readonly<Record<string, Program>> = {
  "few products per sum, and scales": (tools) => {
    const x = dequantized(tools, image(tools, [1, 3, 4, 4]), 1, 100);
    return tools.b.conv2d(x, filter(tools, "int8", [2, 3, 3, 3]));
  },
  "groups": (tools) => {
    const x = dequantized(tools, image(tools, [1, 32, 4, 4]), 1, 100);
    return tools.b.conv2d(x, filter(tools, "int8", [2, 16, 3, 3]), { groups: 2 });
  },
  "other layouts": (tools) => {
    const x = dequantized(tools, image(tools, [1, 4, 4, 16]), 1, 100);
    return tools.b.conv2d(x, filter(tools, "int8", FILTER), { inputLayout: "nhwc" });
  },
  "different zero points for the output channels": (tools) => {
    const x = dequantized(tools, image(tools, IMAGE), 1, 100);
    return tools.b.conv2d(x, filter(tools, "int8", FILTER, [1, 2, 3]));
  },
  "an image in float32": (tools) => tools.b.conv2d(tools.input(IMAGE), filter(tools, "int8", FILTER)),
};

for (const [name, program] of Object.entries(lookAlikes)) {
  Deno.test(`no convolution of bytes: ${name}`, () => assertDoesNotBecome(OPS, program, 4e-6));
}

Deno.test("from bytes to bytes, results differ from float64 only near a tie", async () => {
  const { outputs, expected, ops } = await run((tools) => {
    const { b, f, k } = tools;
    const x = dequantized(tools, image(tools, [1, 16, 24, 24]), 0.02, 100);
    const sums = b.conv2d(x, filter(tools, "int8", [8, 16, 3, 3]));
    return [b.quantizeLinear(sums, f([1, 1, 1, 1], 1.3), k("uint8", [1, 1, 1, 1], [120])), b.identity(x)];
  });
  assert(ops.includes("QLinearConv"), `${ops}`);
  const different = outputs[0]!.data.filter((value, i) => value !== expected[0]!.data[i]).length;
  assert(different <= 2, `${different} of ${outputs[0]!.data.length} differ`);
});
