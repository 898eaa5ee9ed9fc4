/** SqueezeNet and MobileNetV2 as ML Programs: encoded, read back and interpreted. */

import { assert, assertEquals } from "@std/assert";
import "@webnn/deno/polyfill";
import { createInference } from "../../examples/inference.ts";
import { buildMobileNetV2 } from "../../examples/mobilenetv2.ts";
import { parseSafetensors } from "../../examples/safetensors.ts";
import { buildSqueezeNet } from "../../examples/squeezenet.ts";
import { createMLContext } from "../../src/api/ml_context.ts";
import type { MilProgram } from "../../src/backends/coreml/mil.ts";
import { syntheticInput } from "../support/networks.ts";
import { testData, testWithData } from "../support/test_data.ts";
import { openInterpretedDevice } from "./interpreted_device.ts";

const NETWORKS = [
  { name: "squeezenet1.1", build: buildSqueezeNet, outputs: ["logits", "probabilities"], convolutions: 26 },
  { name: "mobilenetv2", build: buildMobileNetV2, outputs: ["features", "logits"], convolutions: 52 },
] as const;

for (const { name, build, outputs, convolutions } of NETWORKS) {
  const files = [`models/${name}.safetensors`, `models/${name}.reference.json`] as const;
  for (const layout of ["nchw", "nhwc"] as const) {
    testWithData(files, `${name} as an ML Program agrees with the reference, ${layout}`, async () => {
      const reference = JSON.parse(await Deno.readTextFile(testData(files[1])));
      const { results, program } = await run(files[0], build, layout, false);
      for (const output of outputs) assertClose(results[output]!, reference[output], 1e-4, output);
      assertEquals(program.operations.filter(({ type }) => type === "conv").length, convolutions);
    });
  }

  testWithData(
    files,
    `${name} in float16 agrees with the reference to one hundredth of its largest value`,
    async () => {
      const reference = JSON.parse(await Deno.readTextFile(testData(files[1])));
      const { results } = await run(files[0], build, "nchw", true);
      const [output] = outputs;
      const expected: number[] = reference[output];
      const largest = Math.max(...expected.map(Math.abs));
      assertClose(results[output]!, expected, largest / 100, output);
      assertEquals(indexOfLargest(results[output]!), indexOfLargest(expected));
    },
  );
}

/** The output of a network for the synthetic input, and its program. */
async function run(
  weightsFile: string,
  build: typeof buildSqueezeNet,
  layout: "nchw" | "nhwc",
  float16: boolean,
): Promise<{ results: Record<string, Float32Array>; program: MilProgram }> {
  const weights = parseSafetensors(await Deno.readFile(testData(weightsFile)));
  const device = openInterpretedDevice({ specificationVersion: 8, float16 });
  const context = createMLContext(device);
  const network = await build(context, weights, { layout });
  const inference = await createInference(context, network);
  const [inputName] = Object.keys(network.inputs);
  const results = await inference.run({ [inputName!]: syntheticInput(layout) });
  context.destroy();
  return { results, program: device.programs[0]! };
}

function indexOfLargest(values: ArrayLike<number>): number {
  return Array.from(values).reduce((best, value, i) => value > values[best]! ? i : best, 0);
}

function assertClose(actual: Float32Array, expected: readonly number[], tolerance: number, what: string): void {
  assertEquals(actual.length, expected.length, `${what}: number of elements`);
  for (const [index, value] of expected.entries()) {
    const error = Math.abs(actual[index]! - value);
    assert(error <= tolerance, `${what}[${index}] is ${actual[index]}, ${error} from the reference ${value}`);
  }
}
