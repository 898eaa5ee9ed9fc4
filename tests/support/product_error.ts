/**
 * The precision of float32 products on a context.
 *
 * @module
 */

import { type MLContext, MLGraphBuilder } from "@webnn/deno";
import { random } from "../../support/random.ts";

/** Few terms, so that rounding of the sums is small compared with rounding of the factors to fewer bits. */
const [ROWS, TERMS, COLUMNS] = [64, 64, 64];

/**
 * The largest error of an element in a product of random matrices, relative to the sum of the terms' magnitudes: about
 * 1e-7 for float32, 1e-4 for factors with the 10 bits of TensorFloat-32 or float16, more for bfloat16.
 * @param constant whether the second factor is a constant, like weights
 */
export async function productError(context: MLContext, constant: boolean): Promise<number> {
  const next = random(1);
  const a = Float32Array.from({ length: ROWS * TERMS }, () => next() - 0.5);
  const b = Float32Array.from({ length: TERMS * COLUMNS }, () => next() - 0.5);
  const product = await multiply(context, a, b, constant);
  let worst = 0;
  for (let row = 0; row < ROWS; row++) {
    for (let column = 0; column < COLUMNS; column++) {
      let [sum, magnitude] = [0, 0];
      for (let k = 0; k < TERMS; k++) {
        const term = a[row * TERMS + k]! * b[k * COLUMNS + column]!;
        sum += term;
        magnitude += Math.abs(term);
      }
      worst = Math.max(worst, Math.abs(product[row * COLUMNS + column]! - sum) / magnitude);
    }
  }
  return worst;
}

async function multiply(
  context: MLContext,
  a: Float32Array,
  b: Float32Array,
  constant: boolean,
): Promise<Float32Array> {
  const left = { dataType: "float32", shape: [ROWS, TERMS] } as const;
  const right = { dataType: "float32", shape: [TERMS, COLUMNS] } as const;
  const builder = new MLGraphBuilder(context);
  const factor = constant ? builder.constant(right, b) : builder.input("b", right);
  const graph = await builder.build({ y: builder.matmul(builder.input("a", left), factor) });
  const [x, z] = await Promise.all([left, right].map((each) => context.createTensor({ ...each, writable: true })));
  const y = await context.createTensor({ dataType: "float32", shape: [ROWS, COLUMNS], readable: true });
  context.writeTensor(x!, a);
  context.writeTensor(z!, b);
  context.dispatch(graph, constant ? { a: x! } : { a: x!, b: z! }, { y });
  return new Float32Array(await context.readTensor(y));
}
