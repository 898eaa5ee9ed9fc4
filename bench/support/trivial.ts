/**
 * A graph with almost nothing to compute: it adds two numbers. Its time is the overhead of a dispatch and a read.
 *
 * @module
 */
import type { Network } from "../../examples/inference.ts";
import { assertSameElements } from "./check.ts";
import type { Suite } from "./suite.ts";

const SHAPE = [1];

/** The sum of 1.5 and 2. */
export const trivial: Suite = {
  name: "trivial",
  build,
  inputs: { a: Float32Array.of(1.5), b: Float32Array.of(2) },
  output: "sum",
  check: (values) => assertSameElements(values, Float32Array.of(3.5)),
};

async function build(context: MLContext): Promise<Network> {
  const builder = new MLGraphBuilder(context);
  const operand = (name: string) => builder.input(name, { dataType: "float32", shape: SHAPE });
  const graph = await builder.build({ sum: builder.add(operand("a"), operand("b")) });
  return { graph, inputs: { a: SHAPE, b: SHAPE }, outputs: { sum: SHAPE } };
}
