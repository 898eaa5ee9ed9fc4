/** Products with quantised weights in all forms that programs write, and look-alikes. */

import { assertEquals } from "@std/assert";
import type { MLOperand } from "../../mod.ts";
import { random } from "../../support/random.ts";
import { assertBecomes, assertDoesNotBecome, type Outcome, type Program, type Tools } from "./program.ts";

type Weights = "int4" | "uint4" | "int8" | "uint8";

const TYPES: readonly Weights[] = ["int4", "uint4", "int8", "uint8"];
const RANGES = { int4: [-8, 7], uint4: [0, 15], int8: [-128, 127], uint8: [0, 255] } as const;
/** The tolerance for 8-bit weights in halves: adding the two products rounds once more. */
const TOLERANCE = 4e-6;

const ONE = ["MatMulNBits"];
const TWO = ["MatMulNBits", "MatMulNBits", "Add"];

function opsOf(type: Weights): readonly string[] {
  return type.endsWith("4") ? ONE : TWO;
}

function integers(type: Weights, count: number, seed: number): number[] {
  const next = random(seed);
  const [min, max] = RANGES[type];
  return Array.from({ length: count }, () => next.integer(min, max));
}

function product(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** A dequantised constant with random weights and scales, and random zero points by default. */
function dequantized(
  { b, f, k }: Tools,
  type: Weights,
  shape: number[],
  blocks: number[],
  zeroPoint?: number,
): MLOperand {
  const next = random(3);
  const count = product(blocks);
  const scales = Array.from({ length: count }, () => 0.01 + next() / 10);
  const zeroPoints = zeroPoint === undefined ? integers(type, count, 5) : scales.map(() => zeroPoint);
  return b.dequantizeLinear(
    k(type, shape, integers(type, product(shape), 4)),
    f(blocks, scales),
    k(type, blocks, zeroPoints),
  );
}

/** A way to write a matrix `[K, N]` of weights. */
interface Way {
  readonly inner: number;
  readonly columns: number;
  write(tools: Tools, type: Weights): MLOperand;
  /** The block size in the engine; by default that of the program. */
  readonly blockSize: number;
}

const ways: Readonly<Record<string, Way>> = {
  "[N, K/B, B], reshape and transpose": {
    inner: 96,
    columns: 5,
    blockSize: 32,
    write: (tools, type) => {
      const rows = tools.b.reshape(dequantized(tools, type, [5, 3, 32], [5, 3, 1]), [5, 96]);
      return tools.b.transpose(rows, { permutation: [1, 0] });
    },
  },
  "[N, K/B, B] with a padded K": {
    inner: 50,
    columns: 6,
    blockSize: 16,
    write: (tools, type) => {
      const rows = tools.b.reshape(dequantized(tools, type, [6, 4, 16], [6, 4, 1]), [6, 64]);
      return tools.b.transpose(tools.b.slice(rows, [0, 0], [6, 50]));
    },
  },
  "a padded K, sliced after the transpose": {
    inner: 50,
    columns: 6,
    blockSize: 16,
    write: (tools, type) => {
      const rows = tools.b.reshape(dequantized(tools, type, [6, 4, 16], [6, 4, 1]), [6, 64]);
      return tools.b.slice(tools.b.transpose(rows), [0, 0], [50, 6]);
    },
  },
  "[K, N] in blocks along K": {
    inner: 64,
    columns: 7,
    blockSize: 16,
    write: (tools, type) => dequantized(tools, type, [64, 7], [4, 7]),
  },
  "[N, K] in blocks along K, transposed": {
    inner: 64,
    columns: 7,
    blockSize: 32,
    write: (tools, type) => tools.b.transpose(dequantized(tools, type, [7, 64], [7, 2])),
  },
  "[K, N] with a scale for each column": {
    inner: 40,
    columns: 7,
    blockSize: 16,
    write: (tools, type) => dequantized(tools, type, [40, 7], [1, 7]),
  },
  "[K, N] with one scale": {
    inner: 128,
    columns: 3,
    blockSize: 128,
    write: (tools, type) => dequantized(tools, type, [128, 3], [1, 1]),
  },
  "[N, K] with a scale for each row, transposed": {
    inner: 256,
    columns: 4,
    blockSize: 256,
    write: (tools, type) => tools.b.transpose(dequantized(tools, type, [4, 256], [4, 1])),
  },
  "[N, K] with blocks of rows, transposed": {
    inner: 32,
    columns: 6,
    blockSize: 32,
    write: (tools, type) => tools.b.transpose(dequantized(tools, type, [6, 32], [3, 1])),
  },
  "[K/B, B, N]": {
    inner: 48,
    columns: 5,
    blockSize: 16,
    write: (tools, type) => tools.b.reshape(dequantized(tools, type, [3, 16, 5], [3, 1, 5]), [48, 5]),
  },
  "blocks of 48, which is not a power of two": {
    inner: 96,
    columns: 5,
    blockSize: 16,
    write: (tools, type) => dequantized(tools, type, [96, 5], [2, 5]),
  },
  "[1, K, N]": {
    inner: 32,
    columns: 5,
    blockSize: 32,
    write: (tools, type) => tools.b.reshape(dequantized(tools, type, [32, 5], [1, 5]), [1, 32, 5]),
  },
};

for (const [name, { inner, columns, blockSize, write }] of Object.entries(ways)) {
  for (const type of TYPES) {
    Deno.test(`weights of ${type}: ${name}`, async () => {
      const productOf = (rows: number): Program => (tools) => {
        const b = write(tools, type);
        return tools.b.matmul(tools.input([...b.shape.slice(2).map(() => 1), rows, inner]), b);
      };
      const { onnx } = await assertBecomes(opsOf(type), productOf(1), TOLERANCE);
      const expected = { K: inner, N: columns, bits: 4, block_size: blockSize, accuracy_level: 0 };
      assertEquals(onnx.nodes[0]!.attributes, expected);
      if (type.endsWith("4")) await assertBecomes(ONE, productOf(3), TOLERANCE);
      else await assertDoesNotBecome(ONE, productOf(3), TOLERANCE);
    });
  }
}

Deno.test("a gemm without factors or transposes of a becomes a product and a sum", async () => {
  for (const type of TYPES) {
    const of = (options: (tools: Tools) => MLGemmOptions): Program => (tools) =>
      tools.b.gemm(tools.input([1, 32]), dequantized(tools, type, [32, 5], [2, 5]), options(tools));
    await assertBecomes(opsOf(type), of(() => ({})), TOLERANCE);
    await assertBecomes([...opsOf(type), "Add"], of(({ input }) => ({ c: input([5]) })), TOLERANCE);
    await assertBecomes([...opsOf(type), "Add"], of(({ f }) => ({ c: f([], 3) })), TOLERANCE);
    await assertDoesNotBecome(ONE, of(() => ({ alpha: 2 })), TOLERANCE);
    await assertDoesNotBecome(ONE, of(({ input }) => ({ c: input([5]), beta: 2 })), TOLERANCE);
    const turned: Program = (tools) =>
      tools.b.gemm(tools.input([1, 32]), dequantized(tools, type, [5, 32], [5, 1]), { bTranspose: true });
    await assertBecomes(opsOf(type), turned, TOLERANCE);
    const both: Program = (tools) =>
      tools.b.gemm(tools.input([32, 1]), dequantized(tools, type, [32, 5], [2, 5]), { aTranspose: true });
    await assertDoesNotBecome(ONE, both, TOLERANCE);
  }
});

Deno.test("scales, weights and zero points that are reshaped constants", async () => {
  await assertBecomes(TWO, (tools) => {
    const { b, f, input, k } = tools;
    const weights = b.reshape(k("uint8", [5, 48], integers("uint8", 240, 1)), [5, 3, 16]);
    const scales = b.reshape(f([15], integers("uint8", 15, 2).map((value) => 0.001 + value / 1000)), [5, 3, 1]);
    const zeroPoints = b.reshape(k("uint8", [15], integers("uint8", 15, 3)), [5, 3, 1]);
    const rows = b.reshape(b.dequantizeLinear(weights, scales, zeroPoints), [5, 48]);
    return b.matmul(input([1, 48]), b.transpose(rows));
  }, TOLERANCE);
});

/** The constants of the engine's graph with at least this many bytes. */
function constantsOf({ onnx }: Outcome, bytes: number): number[] {
  const sizes = onnx.initializers.map(({ data }) => data.byteLength);
  return sizes.filter((size) => size >= bytes).sort((a, b) => a - b);
}

Deno.test("constants keep their bits in memory, and zero points of symmetric ones are not stored", async () => {
  const of = (type: Weights, zeroPoint?: number): Program => (tools) => {
    const rows = tools.b.reshape(dequantized(tools, type, [64, 2, 64], [64, 2, 1], zeroPoint), [64, 128]);
    return tools.b.matmul(tools.input([1, 128]), tools.b.transpose(rows));
  };
  // 8,192 weights, 128 scales of 4 bytes, 128 zero points in 64 bytes.
  assertEquals(constantsOf(await assertBecomes(ONE, of("uint4"), TOLERANCE), 1), [64, 512, 4096]);
  assertEquals(constantsOf(await assertBecomes(ONE, of("uint4", 8), TOLERANCE), 1), [512, 4096]);
  assertEquals(constantsOf(await assertBecomes(ONE, of("int4", 0), TOLERANCE), 1), [512, 4096]);
  assertEquals(constantsOf(await assertBecomes(TWO, of("uint8"), TOLERANCE), 1), [64, 64, 512, 512, 4096, 4096]);
  assertEquals(constantsOf(await assertBecomes(TWO, of("int8", 0), TOLERANCE), 1), [64, 512, 512, 4096, 4096]);
});

Deno.test("weights of several products are stored once", async () => {
  const outcome = await assertBecomes([...ONE, ...ONE], (tools) => {
    const weights = dequantized(tools, "int4", [64, 64], [2, 64]);
    return [tools.b.matmul(tools.input([1, 64]), weights), tools.b.matmul(tools.input([1, 64]), weights)];
  }, TOLERANCE);
  assertEquals(constantsOf(outcome, 1024), [2048]);
});

Deno.test("weights that are also used elsewhere stay available for both uses", async () => {
  await assertBecomes(["MatMulNBits", "DequantizeLinear"], ({ b, f, input, k }) => {
    const weights = k("uint4", [4, 64], integers("uint4", 256, 1));
    const zeroPoint = k("uint4", [1, 1], [3]);
    const product = b.matmul(input([1, 64]), b.transpose(b.dequantizeLinear(weights, f([1, 1], 0.5), zeroPoint)));
    return [b.dequantizeLinear(weights, f([1, 1], 0.25), zeroPoint), product];
  }, TOLERANCE);
});

const lookAlikes: Readonly<Record<string, (tools: Tools, type: Weights) => MLOperand | MLOperand[]>> = {
  "weights on the left": (tools, type) =>
    tools.b.matmul(dequantized(tools, type, [5, 32], [5, 1]), tools.input([32, 3])),
  "blocks of 8": (tools, type) => tools.b.matmul(tools.input([1, 32]), dequantized(tools, type, [32, 5], [4, 5])),
  "blocks of 24": (tools, type) => tools.b.matmul(tools.input([1, 48]), dequantized(tools, type, [48, 5], [2, 5])),
  "few rows": (tools, type) => tools.b.matmul(tools.input([1, 8]), dequantized(tools, type, [8, 5], [1, 5])),
  "a slice from the middle": (tools, type) =>
    tools.b.matmul(
      tools.input([1, 32]),
      tools.b.slice(dequantized(tools, type, [64, 5], [2, 5]), [32, 0], [32, 5]),
    ),
  "every other row": (tools, type) =>
    tools.b.matmul(
      tools.input([1, 32]),
      tools.b.slice(dequantized(tools, type, [64, 5], [2, 5]), [0, 0], [64, 5], { strides: [2, 1] }),
    ),
  "rows that cross the rows of the constant": (tools, type) =>
    tools.b.matmul(
      tools.input([1, 32]),
      tools.b.reshape(
        tools.b.transpose(dequantized(tools, type, [5, 2, 16], [5, 1, 1]), { permutation: [1, 0, 2] }),
        [32, 5],
      ),
    ),
  "blocks that do not end with the row": (tools, type) =>
    tools.b.matmul(tools.input([1, 32]), tools.b.reshape(dequantized(tools, type, [160], [5]), [32, 5])),
  "several matrices": (tools, type) =>
    tools.b.matmul(tools.input([2, 1, 32]), dequantized(tools, type, [2, 32, 5], [2, 1, 5])),
  "more dimensions than a": (tools, type) =>
    tools.b.matmul(tools.input([1, 32]), dequantized(tools, type, [1, 1, 32, 5], [1, 1, 1, 5])),
  "a scale that is an input": ({ b, input, k }, type) =>
    b.matmul(
      input([1, 32]),
      b.dequantizeLinear(k(type, [32, 5], integers(type, 160, 1)), input([1, 5]), k(type, [1, 5], [1, 2, 3, 4, 5])),
    ),
  "weights with a relu before the product": (tools, type) =>
    tools.b.matmul(tools.input([1, 32]), tools.b.relu(dequantized(tools, type, [32, 5], [1, 5]))),
};

for (const [name, program] of Object.entries(lookAlikes)) {
  for (const type of TYPES) {
    Deno.test(`no packed weights of ${type}: ${name}`, () =>
      assertDoesNotBecome(ONE, (tools) => program(tools, type), TOLERANCE));
  }
}

Deno.test("no packed weights of 32 bits", () =>
  assertDoesNotBecome(ONE, ({ b, f, input, k }) => {
    const weights = k("int32", [32, 2], Array.from({ length: 64 }, (_, i) => i));
    return b.matmul(input([1, 32]), b.dequantizeLinear(weights, f([1, 2], [1, 2]), k("int32", [1, 2], [0, 0])));
  }, TOLERANCE));
