/** Products of bytes, written as products of dequantised factors, and look-alikes. */

import { assertEquals } from "@std/assert";
import type { MLOperand } from "../../mod.ts";
import { random } from "../../support/random.ts";
import {
  assertBecomes,
  assertDoesNotBecome,
  assertSame,
  type Outcome,
  type Program,
  run,
  type Tools,
} from "./program.ts";

const OPS = ["MatMulInteger", "MatMulIntegerToFloat"];
const TOLERANCE = 1e-6;

function bytes(count: number, seed: number, [min, max]: readonly [number, number] = [0, 255]): number[] {
  const next = random(seed);
  return Array.from({ length: count }, () => next.integer(min, max));
}

function ones(rank: number): number[] {
  return new Array<number>(rank).fill(1);
}

/** A uint8 input with values from the seed, because constants would be folded. */
function activation({ b, input }: Tools, shape: number[]): MLOperand {
  const scaled = b.mul(b.add(input(shape), b.constant("float32", 1.7)), b.constant("float32", 63));
  return b.cast(scaled, "uint8");
}

/** Bytes minus a zero point. */
function centred(tools: Tools, x: MLOperand, zeroPoint: number, scale = 1): MLOperand {
  const { b, f, k } = tools;
  const shape = ones(x.shape.length);
  return b.dequantizeLinear(x, f(shape, scale), k(x.dataType as "uint8", shape, [zeroPoint]));
}

function weights({ k }: Tools, dataType: "int8" | "uint8", shape: number[]): MLOperand {
  const range = dataType === "int8" ? [-128, 127] as const : [0, 255] as const;
  return k(dataType, shape, bytes(shape.reduce((x, y) => x * y, 1), 9, range));
}

/** The data types of the weights in the engine's graph. */
function weightTypes({ onnx }: Outcome): string[] {
  const names = onnx.nodes.filter(({ op }) => OPS.includes(op)).map(({ inputs }) => inputs[1]);
  return onnx.initializers.filter(({ name }) => names.includes(name)).map(({ dataType }) => dataType);
}

const PREPARED = ["Add", "Mul", "Cast"];

for (const dataType of ["int8", "uint8"] as const) {
  const product = (inner: number): (tools: Tools) => MLOperand => (tools) => {
    const w = weights(tools, dataType, [inner, 7]);
    return tools.b.matmul(
      centred(tools, activation(tools, [3, inner]), 100),
      centred(tools, w, dataType === "int8" ? -3 : 130),
    );
  };

  Deno.test(`centred bytes times ${dataType}: the engine's operands are unsigned bytes`, async () => {
    const outcome = await assertBecomes([...PREPARED, "MatMulInteger", "Cast"], product(40), 0);
    assertEquals(weightTypes(outcome), ["uint8"]);
  });

  Deno.test(`${dataType} weights of several products that are also used as they are`, async () => {
    const shared: Program = (tools) => {
      const { b, f } = tools;
      const x = centred(tools, activation(tools, [3, 128]), 100);
      const w = weights(tools, dataType, [128, 150]);
      const [one, half] = [1, 0.5].map((scale) => centred(tools, w, -3 & 127, scale));
      return [b.matmul(x, one!), b.mul(b.matmul(x, half!), f([1], 2)), b.mul(b.cast(w, "float32"), f([1], 2))];
    };
    const outcome = await run(shared);
    assertEquals(weightTypes(outcome), ["uint8"]);
    assertSame(outcome, 0);
  });

  Deno.test(`sums of products with ${dataType} that are cast to int32`, async () => {
    const inInt32: Program = (tools) => tools.b.cast(product(40)(tools), "int32");
    await assertBecomes([...PREPARED, "MatMulInteger"], inInt32, 0);
    // Sums that float32 cannot represent stay rounded.
    const rounded: Program = (tools) => tools.b.cast(product(1000)(tools), "int32");
    await assertBecomes([...PREPARED, "MatMulInteger", "Cast", "Cast"], rounded, 0);
    const back: Program = (tools) => tools.b.cast(tools.b.cast(product(1000)(tools), "int32"), "float32");
    await assertBecomes([...PREPARED, "MatMulInteger", "Cast"], back, 0);
  });

  Deno.test(`scales and a bias after a product with ${dataType}`, async () => {
    const scaled = (scale: (tools: Tools) => MLOperand): (tools: Tools) => MLOperand => (tools) =>
      tools.b.mul(tools.b.cast(tools.b.cast(product(40)(tools), "int32"), "float32"), scale(tools));
    for (const shape of [[], [1], [1, 1], [7], [1, 7]]) {
      const fused = [...PREPARED, ...(shape.length === 2 ? ["Reshape"] : []), "MatMulIntegerToFloat"];
      await assertBecomes(fused, scaled(({ input }) => input(shape)), TOLERANCE);
    }
    const biased: Program = (tools) => tools.b.add(tools.f([7], 0.5), scaled(({ f }) => f([], 0.01))(tools));
    await assertBecomes([...PREPARED, "MatMulIntegerToFloat"], biased, TOLERANCE);
    const twice: Program = (tools) =>
      tools.b.mul(scaled(({ f }) => f([], 0.01))(tools), tools.f([7], [1, 2, 3, 4, 5, 6, 7]));
    await assertBecomes([...PREPARED, "MatMulIntegerToFloat"], twice, TOLERANCE);
    const pairs: readonly ((tools: Tools) => MLOperand)[] = [
      ({ b, f, input }) => b.mul(input([1]), f([], 0.01)),
      ({ b, f, input }) => b.mul(f([7], [1, 2, 3, 4, 5, 6, 7]), input([])),
    ];
    for (const pair of pairs) await assertBecomes([...PREPARED, "MatMulIntegerToFloat"], scaled(pair), TOLERANCE);
    const pairOfColumns: Program = scaled(({ b, f, input }) => b.mul(input([7]), f([7], [1, 2, 3, 4, 5, 6, 7])));
    await assertBecomes([...PREPARED, "Mul", "MatMulIntegerToFloat"], pairOfColumns, TOLERANCE);
    const ofRows: Program = scaled(({ f }) => f([3, 1], [1, 2, 3]));
    await assertBecomes([...PREPARED, "MatMulInteger", "Cast", "Mul"], ofRows, TOLERANCE);
    const grown: Program = scaled(({ f }) => f([1, 1, 1], 2));
    await assertBecomes([...PREPARED, "MatMulInteger", "Cast", "Mul"], grown, TOLERANCE);
    const oneBias: Program = (tools) => tools.b.add(scaled(({ f }) => f([], 0.01))(tools), tools.f([1], 0.5));
    await assertBecomes([...PREPARED, "MatMulIntegerToFloat", "Add"], oneBias, TOLERANCE);
  });

  Deno.test(`factors with scales, one for each column of b, times ${dataType}`, async () => {
    const outcome = await assertBecomes([...PREPARED, "MatMulIntegerToFloat"], (tools) => {
      const { b, f, k } = tools;
      const w = weights(tools, dataType, [40, 7]);
      const scale = f([1, 7], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]);
      const zeroPoint = k(dataType, [1, 7], [1, 2, 3, 4, 5, 6, 7]);
      return b.matmul(
        centred(tools, activation(tools, [2, 3, 40]), 100, 0.02),
        b.dequantizeLinear(w, scale, zeroPoint),
      );
    }, TOLERANCE);
    assertEquals(weightTypes(outcome), ["uint8"]);
  });

  Deno.test(`255 times the smallest and the largest ${dataType}, whose pairs overflow 16 bits`, async () => {
    const [min, max] = dataType === "int8" ? [-128, 127] : [0, 255];
    for (const inner of [2, 64, 512]) {
      await assertBecomes(["Cast", "MatMulInteger", "Cast"], (tools) => {
        const { b, input, k } = tools;
        const a = b.cast(input([1, inner], 0), "uint8"); // 0 minus the zero point 255 is -255
        const columns = [min!, max!, dataType === "int8" ? -127 : 1];
        const w = k(dataType, [inner, 3], Array.from({ length: 3 * inner }, (_, i) => columns[i % 3]!));
        return b.matmul(centred(tools, a, 255), centred(tools, w, 0));
      }, 0);
    }
  });
}

Deno.test("sums over parts of the inner dimension, each exact", async () => {
  const parts = (counts: readonly number[], order = counts.map((_, i) => i)): Program => (tools) => {
    const { b } = tools;
    const inner = counts.reduce((x, y) => x + y);
    const a = centred(tools, activation(tools, [3, inner]), 100);
    const w = centred(tools, weights(tools, "int8", [inner, 7]), 2);
    const sums = order.map((i) => {
      const start = counts.slice(0, i).reduce((x, y) => x + y, 0);
      const part = b.matmul(b.slice(a, [0, start], [3, counts[i]!]), b.slice(w, [start, 0], [counts[i]!, 7]));
      return b.cast(part, "int32");
    });
    return sums.reduce((sum, part) => b.add(sum, part));
  };
  await assertBecomes([...PREPARED, "MatMulInteger"], parts([256, 256, 88]), 0);
  // The largest exact number of products for these zero points: 2²⁴ / (155 · 130).
  await assertBecomes([...PREPARED, "MatMulInteger"], parts([832, 8]), 0);
  await assertBecomes([...PREPARED, "MatMulInteger"], parts([20, 10, 5], [2, 0, 1]), 0);
  // Parts that float32 rounds, a missing part, and a repeated part.
  await assertDoesNotBecome(OPS, parts([833, 100]), TOLERANCE);
  await assertDoesNotBecome(OPS, parts([20, 10, 5], [0, 1]), TOLERANCE);
  await assertDoesNotBecome(OPS, parts([20, 10, 10], [0, 1, 1]), TOLERANCE);
});

Deno.test("two computed factors", async () => {
  await assertBecomes([...PREPARED, ...PREPARED, "MatMulInteger", "Cast"], (tools) =>
    tools.b.matmul(
      centred(tools, activation(tools, [2, 3, 8]), 5),
      centred(tools, activation(tools, [2, 8, 4]), 7),
    ), 0);
});

const lookAlikes: Readonly<Record<string, Program>> = {
  "a float factor": (tools) => tools.b.matmul(tools.input([3, 8]), centred(tools, weights(tools, "int8", [8, 7]), 0)),
  "a zero point for each row of a": (tools) => {
    const { b, f, k } = tools;
    const a = b.dequantizeLinear(activation(tools, [3, 8]), f([3, 1], 1), k("uint8", [3, 1], [1, 2, 3]));
    return b.matmul(a, centred(tools, weights(tools, "int8", [8, 7]), 0));
  },
  "a zero point for each row of b": (tools) => {
    const { b, f, k } = tools;
    const w = b.dequantizeLinear(weights(tools, "uint8", [2, 7]), f([2, 1], 1), k("uint8", [2, 1], [1, 2]));
    return b.matmul(centred(tools, activation(tools, [3, 2]), 0), w);
  },
  "blocks of columns": (tools) => {
    const { b, f, k } = tools;
    const w = b.dequantizeLinear(weights(tools, "uint8", [8, 4]), f([1, 2], 1), k("uint8", [1, 2], [1, 2]));
    return b.matmul(centred(tools, activation(tools, [3, 8]), 0), w);
  },
  "scales per column of several matrices": (tools) => {
    const { b, f, k } = tools;
    const w = b.dequantizeLinear(weights(tools, "uint8", [2, 8, 2]), f([1, 1, 2], 1), k("uint8", [1, 1, 2], [1, 2]));
    return b.matmul(centred(tools, activation(tools, [2, 3, 8]), 0), w);
  },
  "computed signed bytes": (tools) => {
    const { b } = tools;
    const a = b.cast(b.mul(tools.input([3, 8]), tools.f([], 20)), "int8");
    return b.matmul(centred(tools, a, 3), centred(tools, weights(tools, "int8", [8, 7]), 0));
  },
};

for (const [name, program] of Object.entries(lookAlikes)) {
  Deno.test(`no product of bytes: ${name}`, () => assertDoesNotBecome(OPS, program, 4e-6));
}

Deno.test("activations quantised to signed bytes are quantised to unsigned bytes instead", async () => {
  const outcome = await assertBecomes(["QuantizeLinear", "MatMulIntegerToFloat"], ({ b, f, input, k }) => {
    const [scale, zeroPoint] = [f([1, 1], 0.02), k("int8", [1, 1], [-7])];
    const a = b.dequantizeLinear(b.quantizeLinear(input([3, 8]), scale, zeroPoint), scale, zeroPoint);
    const w = b.dequantizeLinear(
      k("int8", [8, 2], bytes(16, 3, [-128, 127])),
      f([1, 2], [0.1, 0.2]),
      k("int8", [1, 2], [0, 0]),
    );
    return b.matmul(a, w);
  }, 1e-5);
  const [, , zeroPoint] = outcome.onnx.nodes[0]!.inputs;
  const { data, dataType } = outcome.onnx.initializers.find(({ name }) => name === zeroPoint)!;
  assertEquals([dataType, ...(data as { bytes?: Uint8Array }).bytes ?? data as Uint8Array], ["uint8", 121]);
});

Deno.test("a gemm of bytes without factors and transposes becomes a product and a sum", async () => {
  const of = (options: (tools: Tools) => MLGemmOptions): Program => (tools) => {
    const a = centred(tools, activation(tools, [3, 8]), 100);
    return tools.b.gemm(a, centred(tools, weights(tools, "int8", [8, 8]), 3), options(tools));
  };
  const sum = [...PREPARED, "MatMulInteger", "Cast"];
  await assertBecomes(sum, of(() => ({})), 0);
  await assertBecomes([...sum, "Add"], of(({ input }) => ({ c: input([8]) })), TOLERANCE);
  for (const options of [{ alpha: 2 }, { aTranspose: true }, { bTranspose: true }] as MLGemmOptions[]) {
    const program: Program = (tools) => {
      const shape = options.aTranspose ? [8, 3] : [3, 8];
      return tools.b.gemm(
        centred(tools, activation(tools, shape), 100),
        centred(tools, weights(tools, "int8", [8, 8]), 3),
        options,
      );
    };
    await assertDoesNotBecome(OPS, program, TOLERANCE);
  }
});
