/**
 * MobileNetV2 from the examples, with its weights and reference results.
 *
 * @module
 */
import { assert } from "@std/assert";
import { buildMobileNetV2, type MobileNetV2Options } from "../../examples/mobilenetv2.ts";
import { parseSafetensors } from "../../examples/safetensors.ts";
import { hasTestData, testData } from "../../support/test_data.ts";
import { mobileNetV2Input } from "./mobilenetv2_input.ts";
import type { Suite } from "./suite.ts";

const WEIGHTS = "models/mobilenetv2.safetensors";
const REFERENCE = "models/mobilenetv2.reference.json";
/** The features are at most about 6. */
const TOLERANCES = { float32: 1e-4, float16: 0.1 };

/** One line about the missing files of the network; `undefined` if none is missing. */
export function whatIsMissing(): string | undefined {
  const missing = [WEIGHTS, REFERENCE].filter((file) => !hasTestData(file));
  if (missing.length === 0) return undefined;
  return `mobilenetv2: skipped, no ${missing.join(", ")} in ${testData(".")}; deno task data downloads it`;
}

/** The path of the weights. */
export function mobileNetV2Weights(): string {
  return testData(WEIGHTS);
}

/** The network on the input of its reference, repeated for a batch. Inputs and weights are in JavaScript memory. */
export async function mobileNetV2(
  name = "mobilenetv2",
  { batch = 1, dataType = "float32" }: Pick<MobileNetV2Options, "batch" | "dataType"> = {},
): Promise<Suite> {
  const weights = parseSafetensors(await Deno.readFile(mobileNetV2Weights()));
  const { features } = JSON.parse(await Deno.readTextFile(testData(REFERENCE))) as { features: number[] };
  const picture = mobileNetV2Input();
  const input = new Float32Array(batch * picture.length);
  for (let i = 0; i < batch; i++) input.set(picture, i * picture.length);
  return {
    name,
    build: (context) => buildMobileNetV2(context, weights, { batch, dataType }),
    inputs: { input },
    output: "features",
    check: (values) => checkFeatures(name, values, features, TOLERANCES[dataType]),
  };
}

function checkFeatures(name: string, values: Float32Array, expected: readonly number[], tolerance: number): void {
  assert(values.length % expected.length === 0, `${name}: ${values.length} features`);
  // If one is NaN, the result is NaN.
  const worst = values.reduce(
    (worst, value, i) => Math.max(worst, Math.abs(value - expected[i % expected.length]!)),
    0,
  );
  assert(worst <= tolerance, `${name}: the features differ from the reference by ${worst}, more than ${tolerance}`);
}
