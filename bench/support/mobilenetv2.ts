/**
 * MobileNetV2 of the examples, with its weights and the results that it must give.
 *
 * @module
 */
import { assert } from "@std/assert";
import { buildMobileNetV2 } from "../../examples/mobilenetv2.ts";
import { parseSafetensors } from "../../examples/safetensors.ts";
import { hasTestData, testData } from "../../tests/support/test_data.ts";
import type { Suite } from "./suite.ts";

const WEIGHTS = "models/mobilenetv2.safetensors";
const REFERENCE = "models/mobilenetv2.reference.json";
const TOLERANCE = 1e-4;

/** What the network cannot be measured without, as one line; `undefined` where everything is there. */
export function whatIsMissing(): string | undefined {
  const missing = [WEIGHTS, REFERENCE].filter((file) => !hasTestData(file));
  if (missing.length === 0) return undefined;
  return `mobilenetv2: skipped, no ${missing.join(", ")} in ${testData(".")}; WEBNN_TEST_DATA names the folder`;
}

/** The path of the weights. */
export function mobileNetV2Weights(): string {
  return testData(WEIGHTS);
}

/** The network on the input of its reference. Its inputs and weights lie in JavaScript's memory. */
export async function mobileNetV2(): Promise<Suite> {
  const weights = parseSafetensors(await Deno.readFile(mobileNetV2Weights()));
  const { features } = JSON.parse(await Deno.readTextFile(testData(REFERENCE))) as { features: number[] };
  return {
    name: "mobilenetv2",
    build: (context) => buildMobileNetV2(context, weights),
    inputs: { input: Float32Array.from({ length: 3 * 224 * 224 }, (_, i) => Math.sin(0.01 * i)) },
    output: "features",
    check: (values) => checkFeatures(values, features),
  };
}

function checkFeatures(values: Float32Array, expected: readonly number[]): void {
  const errors = expected.map((value, i) => Math.abs(value - values[i]!));
  const worst = errors.reduce((worst, error) => Math.max(worst, error), 0); // Of a NaN, NaN.
  assert(worst <= TOLERANCE, `mobilenetv2: the features differ from the reference by ${worst}, more than ${TOLERANCE}`);
}
