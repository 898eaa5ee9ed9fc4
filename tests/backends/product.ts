/**
 * The graph of the compile cache's tests.
 *
 * @module
 */
import type { MLGraph, MLGraphBuilder } from "../../mod.ts";

export const HEIGHT = 64;
export const WIDTH = 96;

/** The weights of {@linkcode product}: `scale` times small integers. */
export function weightsOf(scale: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: HEIGHT * WIDTH }, (_, i) => scale * ((i * 7) % 13 - 6));
}

/** y = relu(x · weights + 1), for x [1, HEIGHT]. */
export function product(builder: MLGraphBuilder, scale: number, weights = weightsOf(scale)): Promise<MLGraph> {
  const x = builder.input("x", { dataType: "float32", shape: [1, HEIGHT] });
  const factor = builder.constant({ dataType: "float32", shape: [HEIGHT, WIDTH] }, weights);
  const one = builder.constant({ dataType: "float32", shape: [WIDTH] }, new Float32Array(WIDTH).fill(1));
  return builder.build({ y: builder.relu(builder.add(builder.matmul(x, factor), one)) });
}

/** The result of {@linkcode product} for ones. It is exact, because all numbers are small integers. */
export function productOfOnes(weights: Float32Array): number[] {
  return Array.from({ length: WIDTH }, (_, column) => {
    let sum = 1;
    for (let row = 0; row < HEIGHT; row++) sum += weights[row * WIDTH + column]!;
    return Math.max(0, sum);
  });
}
