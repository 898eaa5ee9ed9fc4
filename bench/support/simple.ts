/**
 * A graph with little work per byte: 10 × {add(x, input), relu} on [1, 3, 224, 224].
 *
 * @module
 */
import type { Network } from "../../examples/inference.ts";
import { random } from "../../support/random.ts";
import { assertSameElements } from "./check.ts";
import type { Suite } from "./suite.ts";

const SHAPE = [1, 3, 224, 224];
const ROUNDS = 10;

const next = random(1);
const input = Float32Array.from({ length: 3 * 224 * 224 }, () => 2 * next() - 1);
const expected = input.map((value) => {
  let x = value;
  for (let round = 0; round < ROUNDS; round++) x = Math.max(Math.fround(x + value), 0);
  return x;
});

/** The network on a random input. */
export const simple: Suite = {
  name: "simple",
  build,
  inputs: { input },
  output: "output",
  check: (values) => assertSameElements(values, expected),
};

async function build(context: MLContext): Promise<Network> {
  const builder = new MLGraphBuilder(context);
  const input = builder.input("input", { dataType: "float32", shape: SHAPE });
  let x = input;
  for (let round = 0; round < ROUNDS; round++) x = builder.relu(builder.add(x, input));
  return { graph: await builder.build({ output: x }), inputs: { input: SHAPE }, outputs: { output: SHAPE } };
}
