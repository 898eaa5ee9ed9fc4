/**
 * A deep graph: 50 × {add(x, x), relu, mul(x, x), relu} on [1, 3, 224, 224], then a global averagePool2d.
 *
 * A round maps x to 4x², which diverges to 0 or ∞ from every positive value except 0.25, and from every negative value
 * except −0.25. Each element of the input is +0.25 or −0.25, so each output is 0.25 times the share of positive
 * elements of its channel.
 *
 * @module
 */
import type { Network } from "../../examples/inference.ts";
import { random } from "../../support/random.ts";
import { assertCloseElements } from "./check.ts";
import type { Suite } from "./suite.ts";

const CHANNELS = 3;
const CHANNEL_ELEMENTS = 224 * 224;
const INPUT_SHAPE = [1, CHANNELS, 224, 224];
const OUTPUT_SHAPE = [1, CHANNELS, 1, 1];
const ROUNDS = 50;

const next = random(2);
const input = Float32Array.from({ length: CHANNELS * CHANNEL_ELEMENTS }, () => next() < 0.5 ? 0.25 : -0.25);
const expected = Float32Array.from({ length: CHANNELS }, (_, channel) => {
  const values = input.subarray(channel * CHANNEL_ELEMENTS, (channel + 1) * CHANNEL_ELEMENTS);
  return 0.25 * values.filter((value) => value > 0).length / CHANNEL_ELEMENTS;
});

/** The network on an input of ±0.25. */
export const complex: Suite = {
  name: "complex",
  build,
  inputs: { input },
  output: "output",
  check: (values) => assertCloseElements(values, expected, 1e-6),
};

async function build(context: MLContext): Promise<Network> {
  const builder = new MLGraphBuilder(context);
  let x = builder.input("input", { dataType: "float32", shape: INPUT_SHAPE });
  for (let round = 0; round < ROUNDS; round++) {
    x = builder.relu(builder.add(x, x));
    x = builder.relu(builder.mul(x, x));
  }
  const output = builder.averagePool2d(x);
  return { graph: await builder.build({ output }), inputs: { input: INPUT_SHAPE }, outputs: { output: OUTPUT_SHAPE } };
}
