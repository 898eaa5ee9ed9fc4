/**
 * Compares the examples' SqueezeNet and MobileNetV2 with their references on a device, for a synthetic input and four
 * photos.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { type ContextOptions, createContext } from "@webnn/deno";
import "@webnn/deno/polyfill";
import { decodeImage, normalizeImage, resizeImage } from "../../examples/image.ts";
import { createInference } from "../../examples/inference.ts";
import { buildMobileNetV2 } from "../../examples/mobilenetv2.ts";
import { parseSafetensors } from "../../examples/safetensors.ts";
import { buildSqueezeNet } from "../../examples/squeezenet.ts";
import { testData } from "./test_data.ts";

/** The layout of a picture. */
export type Layout = "nchw" | "nhwc";

/** A network and its check. */
export interface CheckedNetwork {
  readonly name: string;
  /** The files of the test data that it needs. */
  readonly files: readonly string[];
  /**
   * Runs it on a device.
   * @returns the largest difference of a logit from the reference, for the synthetic input
   * @throws if a result differs too much from the reference
   */
  check(options: ContextOptions, layout: Layout): Promise<number>;
}

type Outputs = Record<string, Float32Array>;
type Run = (input: Float32Array) => Promise<Outputs>;

interface Score {
  index: number;
  value: number;
}

interface SqueezeNetReference {
  input: { sha256_le_bytes: string };
  logits: number[];
  probabilities: number[];
  top5: Score[];
  photos: Record<string, { file: string; top5_logits: Score[]; top5_probabilities: Score[] }>;
}

interface MobileNetV2Reference {
  input: { sha256_le_bytes: string };
  features: number[];
  logits: number[];
  photos: Record<string, { file: string; features_first8: number[] }>;
}

const SIZE = 224;
const PHOTOS = ["red_panda", "chameleon", "goldfish", "horse_cart"].map((name) => `models/images/${name}.jpg`);
const SQUEEZENET = ["models/squeezenet1.1.safetensors", "models/squeezenet1.1.reference.json"] as const;
const MOBILENET = ["models/mobilenetv2.safetensors", "models/mobilenetv2.reference.json"] as const;

/** The networks. */
export const networks: readonly CheckedNetwork[] = [
  { name: "SqueezeNet 1.1", files: [...SQUEEZENET, ...PHOTOS], check: checkSqueezeNet },
  { name: "MobileNetV2", files: [...MOBILENET, ...PHOTOS], check: checkMobileNetV2 },
];

async function checkSqueezeNet(options: ContextOptions, layout: Layout): Promise<number> {
  const reference: SqueezeNetReference = await readJson(SQUEEZENET[1]);
  return await withNetwork(options, buildSqueezeNet, SQUEEZENET[0], layout, async (run) => {
    const outputs = await run(await checkedInput(layout, reference.input.sha256_le_bytes));
    const error = assertClose(outputs.logits!, reference.logits, 1e-4, "logits");
    assertClose(outputs.probabilities!, reference.probabilities, 1e-6, "probabilities");
    assertEquals(top5(outputs.probabilities!), reference.top5.map(({ index }) => index));
    for (const photo of Object.values(reference.photos)) await checkClasses(run, layout, photo);
    return error;
  });
}

async function checkMobileNetV2(options: ContextOptions, layout: Layout): Promise<number> {
  const reference: MobileNetV2Reference = await readJson(MOBILENET[1]);
  return await withNetwork(options, buildMobileNetV2, MOBILENET[0], layout, async (run) => {
    const outputs = await run(await checkedInput(layout, reference.input.sha256_le_bytes));
    assertClose(outputs.features!, reference.features, 1e-4, "features");
    const error = assertClose(outputs.logits!, reference.logits, 1e-4, "logits");
    assertClose(outputs.probabilities!, softmax(reference.logits), 1e-6, "probabilities");
    for (const { file, features_first8 } of Object.values(reference.photos)) {
      const { features } = await run(await photoInput(file, layout));
      assertClose(features!.subarray(0, 8), features_first8, 1e-4, `features of ${file}`);
    }
    return error;
  });
}

async function checkClasses(run: Run, layout: Layout, photo: SqueezeNetReference["photos"][string]): Promise<void> {
  const { logits, probabilities } = await run(await photoInput(photo.file, layout));
  const indices = photo.top5_probabilities.map(({ index }) => index);
  assertEquals(top5(probabilities!), indices, photo.file);
  // For photos, the reference has six digits; half of the last digit is added to the tolerance.
  for (const { index, value } of photo.top5_logits) {
    assertClose(logits!.subarray(index, index + 1), [value], 1.5e-4, `logit ${index} of ${photo.file}`);
  }
  for (const { index, value } of photo.top5_probabilities) {
    assertClose(probabilities!.subarray(index, index + 1), [value], 1.5e-6, `probability ${index} of ${photo.file}`);
  }
}

async function withNetwork<T>(
  options: ContextOptions,
  build: typeof buildSqueezeNet,
  weightsFile: string,
  layout: Layout,
  check: (run: Run) => Promise<T>,
): Promise<T> {
  const weights = parseSafetensors(await Deno.readFile(testData(weightsFile)));
  const context = await createContext(options);
  try {
    const network = await build(context, weights, { layout });
    const [inputName] = Object.keys(network.inputs);
    const inference = await createInference(context, network);
    return await check((input) => inference.run({ [inputName!]: input }));
  } finally {
    context.destroy();
  }
}

/** The synthetic input, checked against the reference's hash. */
async function checkedInput(layout: Layout, sha256: string): Promise<Float32Array> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", syntheticInput("nchw")));
  assertEquals(digest.toHex(), sha256, "the synthetic input differs from that of the reference");
  return syntheticInput(layout);
}

/** x[i] = sin(0.01 i) over [1, 3, 224, 224]. */
export function syntheticInput(layout: Layout): Float32Array<ArrayBuffer> {
  const nchw = Float32Array.from({ length: 3 * SIZE * SIZE }, (_, index) => Math.sin(index * 0.01));
  if (layout === "nchw") return nchw;
  return Float32Array.from(nchw, (_, index) => nchw[(index % 3) * SIZE * SIZE + Math.floor(index / 3)]!);
}

async function photoInput(file: string, layout: Layout): Promise<Float32Array> {
  const image = await decodeImage(await Deno.readFile(testData(`models/${file}`)));
  return normalizeImage(resizeImage(image, SIZE), layout);
}

async function readJson<T>(file: string): Promise<T> {
  return JSON.parse(await Deno.readTextFile(testData(file)));
}

function top5(values: Float32Array): number[] {
  return [...values.keys()].sort((a, b) => values[b]! - values[a]!).slice(0, 5);
}

function softmax(logits: number[]): number[] {
  const powers = logits.map((value) => Math.exp(value - Math.max(...logits)));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/** Asserts that all values are close. Returns the largest difference. */
function assertClose(actual: Float32Array, expected: number[], tolerance: number, what: string): number {
  assertEquals(actual.length, expected.length, `${what}: number of elements`);
  return expected.reduce((worst, value, index) => {
    const error = Math.abs(actual[index]! - value);
    assert(error <= tolerance, `${what}[${index}] is ${actual[index]}, ${error} from the reference ${value}`);
    return Math.max(worst, error);
  }, 0);
}
