/**
 * SqueezeNet 1.1 from the examples, with its weights and reference results.
 *
 * @module
 */
import { assert } from "@std/assert";
import { parseSafetensors } from "../../examples/safetensors.ts";
import { buildSqueezeNet } from "../../examples/squeezenet.ts";
import { hasTestData, testData } from "../../support/test_data.ts";
import type { Suite } from "./suite.ts";

const FILES = ["models/squeezenet1.1.safetensors", "models/squeezenet1.1.reference.json"] as const;
const TOLERANCE = 1e-4;

/** One line about the missing files of the network; `undefined` if none is missing. */
export function whatIsMissing(): string | undefined {
  const missing = FILES.filter((file) => !hasTestData(file));
  if (missing.length === 0) return undefined;
  return `squeezenet: skipped, no ${missing.join(", ")} in ${testData(".")}; deno task data downloads it`;
}

/** The network on the input of its reference. */
export async function squeezeNet(): Promise<Suite> {
  const weights = parseSafetensors(await Deno.readFile(testData(FILES[0])));
  const { logits } = JSON.parse(await Deno.readTextFile(testData(FILES[1]))) as { logits: number[] };
  return {
    name: "squeezenet",
    build: (context) => buildSqueezeNet(context, weights),
    inputs: { data: Float32Array.from({ length: 3 * 224 * 224 }, (_, i) => Math.sin(0.01 * i)) },
    output: "logits",
    check: (values) => checkLogits(values, logits),
  };
}

function checkLogits(values: Float32Array, expected: readonly number[]): void {
  const errors = expected.map((value, i) => Math.abs(value - values[i]!));
  const worst = errors.reduce((worst, error) => Math.max(worst, error), 0); // NaN if one is NaN.
  assert(worst <= TOLERANCE, `squeezenet: the logits differ from the reference by ${worst}, more than ${TOLERANCE}`);
}
