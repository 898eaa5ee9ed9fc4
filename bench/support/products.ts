/**
 * A graph that is nothing but weights: matrix products with 256 MiB of them.
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

/** Ones times matrices whose columns have the sum 1 are ones again, exactly. */
export const products: Suite = {
  name: "products",
  build,
  inputs: { x: new Float32Array(SIZE).fill(1) },
  output: "y",
  check: (values) => assertSameElements(values, new Float32Array(SIZE).fill(1)),
};

/** One array of JavaScript is enough for all matrices: each constant is a copy. */
async function build(context: MLContext): Promise<Network> {
  const builder = new MLGraphBuilder(context);
  const weights = new Float32Array(SIZE * SIZE).fill(1 / SIZE);
  let y = builder.input("x", { dataType: "float32", shape: [1, SIZE] });
  for (let i = 0; i < MATRICES; i++) {
    // ONNX Runtime keeps equal weights once, so no two are equal; what the first row has more, the second has less.
    weights.fill(1 / SIZE + i * 2 ** -20, 0, SIZE).fill(1 / SIZE - i * 2 ** -20, SIZE, 2 * SIZE);
    y = builder.matmul(y, builder.constant({ dataType: "float32", shape: [SIZE, SIZE] }, weights));
  }
  const graph = await builder.build({ y });
  return { graph, inputs: { x: [1, SIZE] }, outputs: { y: [1, SIZE] } };
}
