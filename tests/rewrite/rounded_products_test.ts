/**
 * Products with 8-bit weights if reduced precision is allowed: for any number of rows, the weights stay unchanged, and
 * the activations are rounded to 8 bits per block.
 */
import { assert } from "@std/assert";
import { createContext, type MLGraphBuilder, MLGraphBuilder as Builder, type MLOperand } from "@webnn/deno";
import { random } from "../../support/random.ts";

const [INNER, COLUMNS, BLOCK] = [96, 20, 32];
const BLOCKS = INNER / BLOCK;

interface Matrix {
  readonly type: "int8" | "uint8";
  /** `[COLUMNS, INNER]`. */
  readonly elements: number[];
  /** `[COLUMNS, BLOCKS]`. */
  readonly scales: number[];
  readonly zeroPoints: number[];
}

function matrixOf(type: Matrix["type"], hasMiddle: boolean): Matrix {
  const next = random(8);
  const [min, max] = type === "int8" ? [-128, 127] : [0, 255];
  const many = (count: number, value: () => number) => Array.from({ length: count }, value);
  return {
    type,
    elements: many(COLUMNS * INNER, () => next.integer(min, max)),
    scales: many(COLUMNS * BLOCKS, () => 0.01 + next() / 10),
    zeroPoints: many(COLUMNS * BLOCKS, () => hasMiddle ? min + 128 : next.integer(min, max)),
  };
}

/** Forms of the product of x and the matrix. */
const WAYS: Readonly<Record<string, (b: MLGraphBuilder, x: MLOperand, matrix: Matrix) => MLOperand>> = {
  "matmul, transposed rows": (b, x, matrix) => b.matmul(x, b.transpose(dequantized(b, matrix))),
  "gemm, rows": (b, x, matrix) => b.gemm(x, dequantized(b, matrix), { bTranspose: true }),
  "matmul, columns": (b, x, matrix) => b.matmul(x, dequantized(b, matrix, true)),
};

function dequantized(b: MLGraphBuilder, { elements, scales, type, zeroPoints }: Matrix, byColumns = false): MLOperand {
  const constant = (dataType: "int8" | "uint8" | "float32", values: number[], width: number) => {
    const rows = values.length / width;
    const ordered = byColumns ? values.map((_, i) => values[i % rows * width + Math.floor(i / rows)]!) : values;
    const data = { int8: Int8Array, uint8: Uint8Array, float32: Float32Array }[dataType].from(ordered);
    return b.constant({ dataType, shape: byColumns ? [width, rows] : [rows, width] }, data);
  };
  return b.dequantizeLinear(
    constant(type, elements, INNER),
    constant("float32", scales, BLOCKS),
    constant(type, zeroPoints, BLOCKS),
  );
}

/** The product in float64, with or without rounding x. */
function expectedOf(x: Float32Array, { elements, scales, zeroPoints }: Matrix): number[] {
  return Array.from({ length: x.length / INNER * COLUMNS }, (_, i) => {
    const [row, n] = [Math.floor(i / COLUMNS), i % COLUMNS];
    let sum = 0;
    for (let k = 0; k < INNER; k++) {
      const block = n * BLOCKS + Math.floor(k / BLOCK);
      sum += x[row * INNER + k]! * (elements[n * INNER + k]! - zeroPoints[block]!) * Math.fround(scales[block]!);
    }
    return sum;
  });
}

function rounded(x: Float32Array): Float32Array {
  return x.map((value, i) => {
    const first = i - i % BLOCK;
    const largest = x.subarray(first, first + BLOCK).reduce((most, other) => Math.max(most, Math.abs(other)), 0);
    return Math.round(value / (largest / 127)) * (largest / 127);
  });
}

async function productOf(
  allowReducedPrecision: boolean,
  write: (b: MLGraphBuilder, x: MLOperand) => MLOperand,
  x: Float32Array<ArrayBuffer>,
): Promise<Float32Array> {
  const context = await createContext({ allowReducedPrecision });
  const builder = new Builder(context);
  const descriptor = { dataType: "float32", shape: [x.length / INNER, INNER] } as const;
  const graph = await builder.build({ y: write(builder, builder.input("x", descriptor)) });
  const input = await context.createTensor({ ...descriptor, writable: true });
  const shape = [x.length / INNER, COLUMNS];
  const output = await context.createTensor({ dataType: "float32", shape, readable: true });
  context.writeTensor(input, x);
  context.dispatch(graph, { x: input }, { y: output });
  const product = new Float32Array(await context.readTensor(output));
  context.destroy();
  return product;
}

function error(actual: Float32Array, expected: readonly number[]): number {
  const largest = Math.max(...expected.map(Math.abs));
  return Math.max(...expected.map((value, i) => Math.abs(value - actual[i]!))) / largest;
}

for (const [way, write] of Object.entries(WAYS)) {
  for (const type of ["int8", "uint8"] as const) {
    Deno.test(`${way} of ${type}: only activations are rounded, and only if that is allowed`, async () => {
      for (const [rows, hasMiddle] of [[1, true], [1, false], [5, true], [5, false]] as const) {
        const matrix = matrixOf(type, hasMiddle);
        const next = random(rows);
        const x = Float32Array.from({ length: rows * INNER }, () => 2 * next() - 1);
        const product = (isReduced: boolean) => productOf(isReduced, (b, x) => write(b, x, matrix), x);
        assert(error(await product(false), expectedOf(x, matrix)) < 4e-6);
        const reduced = await product(true);
        // A number halfway between two steps may be rounded either way.
        assert(error(reduced, expectedOf(rounded(x), matrix)) < 1e-3, `${rows} rows`);
        assert(error(reduced, expectedOf(x, matrix)) < 0.02);
      }
    });
  }
}
