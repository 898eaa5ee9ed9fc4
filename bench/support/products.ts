/**
 * A graph that is almost only weights: matrix products with 256 MiB of weights.
 *
 * @module
 */
import type { Network } from "../../examples/inference.ts";
import { assertSameElements } from "./check.ts";
import type { Suite } from "./suite.ts";

const SIZE = 512;
const MATRICES = 256;

/** The bytes of the weights. */
export const PRODUCTS_BYTES = MATRICES * SIZE * SIZE * 4;

/** A row of ones times a matrix whose columns sum to 1 is exactly a row of ones. */
export const products: Suite = {
  name: "products",
  build,
  inputs: { x: new Float32Array(SIZE).fill(1) },
  output: "y",
  check: (values) => assertSameElements(values, new Float32Array(SIZE).fill(1)),
};

/** All matrices use the same JavaScript array, because each constant is a copy. */
async function build(context: MLContext): Promise<Network> {
  const builder = new MLGraphBuilder(context);
  const weights = new Float32Array(SIZE * SIZE).fill(1 / SIZE);
  let y = builder.input("x", { dataType: "float32", shape: [1, SIZE] });
  for (let i = 0; i < MATRICES; i++) {
    // ONNX Runtime stores equal weights only once, so all matrices differ. What is added to the first row is subtracted
    // from the second, so the sums of the columns stay 1.
    weights.fill(1 / SIZE + i * 2 ** -20, 0, SIZE).fill(1 / SIZE - i * 2 ** -20, SIZE, 2 * SIZE);
    y = builder.matmul(y, builder.constant({ dataType: "float32", shape: [SIZE, SIZE] }, weights));
  }
  const graph = await builder.build({ y });
  return { graph, inputs: { x: [1, SIZE] }, outputs: { y: [1, SIZE] } };
}
