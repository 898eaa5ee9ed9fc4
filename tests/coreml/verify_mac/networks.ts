/**
 * The checks of `deno task verify:mac` with networks: their numbers for the reference's input and for photos, and the
 * times for building and running them.
 *
 * @module
 */

import { graphInfo, type MLContext } from "@webnn/deno";
import "@webnn/deno/polyfill"; // The networks use a browser's globals.
import { decodeImage, normalizeImage, resizeImage } from "../../../examples/image.ts";
import { createInference } from "../../../examples/inference.ts";
import { buildMobileNetV2 } from "../../../examples/mobilenetv2.ts";
import { parseSafetensors } from "../../../examples/safetensors.ts";
import { buildSqueezeNet } from "../../../examples/squeezenet.ts";
import type { CoreMLOptions } from "../../../src/backends/coreml/mod.ts";
import { messageOf } from "../../../src/errors.ts";
import { syntheticInput } from "../../support/networks.ts";
import { hasTestData, testData } from "../../support/test_data.ts";
import { type Setting, withContext } from "./measure.ts";

type Outputs = Record<string, Float32Array>;

/** The reference for a photo: classes for SqueezeNet; features for MobileNetV2, whose classifier is not trained. */
interface Photo {
  readonly file: string;
  readonly top5_probabilities?: readonly { readonly index: number }[];
  readonly features_first8?: readonly number[];
}

type Reference = Record<string, readonly number[]> & { readonly photos: Readonly<Record<string, Photo>> };

/** The networks, and the outputs to compare with their references. */
export const NETWORKS = [
  { name: "squeezenet1.1", build: buildSqueezeNet, outputs: ["logits", "probabilities"] },
  { name: "mobilenetv2", build: buildMobileNetV2, outputs: ["features", "logits"] },
] as const;

/** The tolerance with float32; with float16, it is relative to the largest number. */
const TOLERANCE = 1e-3;
const TOLERANCE_IN_FLOAT16 = 1e-2;

const SIZE = 224;

/** How much to do with a network. */
export interface Effort {
  /** The number of timed runs after the first. */
  readonly runs: number;
  /** The maximum number of photos. */
  readonly photos: number;
}

export const THOROUGH: Effort = { runs: 20, photos: Infinity };
/** For the fake framework, where a run takes a second. */
export const BRIEF: Effort = { runs: 0, photos: 1 };

/** The result of a network in one setting. Times are in milliseconds. */
export interface NetworkResult {
  readonly network: string;
  readonly setting: string;
  readonly passed: boolean;
  /** The largest difference from the reference, or why there is none. */
  readonly error: number | string;
  /** How many photos agree with the reference, and of how many. */
  readonly photos: readonly [correct: number, all: number];
  /** The kinds of devices that run the graph. */
  readonly devices: readonly string[];
  /** The time of a build that compiles the model. */
  readonly cold: number;
  /** The time of the same build in another context, which loads the compiled model from the cache. */
  readonly warm: number;
  readonly firstRun: number;
  /** The median of the later runs. */
  readonly run: number;
}

/** The files of the test data for a network. */
export function filesOf({ name }: { readonly name: string }): readonly [weights: string, reference: string] {
  return [`models/${name}.safetensors`, `models/${name}.reference.json`];
}

/** Builds a network twice, cold and warm, and runs it. `options` must have an empty folder for the cache. */
export async function measureNetwork(
  network: typeof NETWORKS[number],
  { title, float16 }: Setting,
  options: CoreMLOptions,
  effort: Effort,
): Promise<NetworkResult> {
  const common = { network: network.name, setting: title };
  try {
    const [weightsFile, referenceFile] = filesOf(network);
    const weights = parseSafetensors(await Deno.readFile(testData(weightsFile)));
    const reference: Reference = JSON.parse(await Deno.readTextFile(testData(referenceFile)));
    const build = (context: MLContext) => timed(() => network.build(context, weights));
    const { time: cold } = await withContext(options, build);
    return await withContext(options, async (context) => {
      const { value: built, time: warm } = await build(context);
      const inference = await createInference(context, built);
      const [name] = Object.keys(built.inputs);
      const run = (input: Float32Array) => inference.run({ [name!]: input });
      const first = await timed(() => run(syntheticInput("nchw")));
      const times: number[] = [];
      for (let i = 0; i < effort.runs; i++) times.push((await timed(() => run(syntheticInput("nchw")))).time);
      const { agrees, error } = compare(first.value, network.outputs, reference, float16);
      const photos = await countPhotos(run, reference, float16, effort.photos);
      return {
        ...common,
        passed: agrees && photos[0] === photos[1],
        error,
        photos,
        devices: graphInfo(built.graph).devices,
        cold,
        warm,
        firstRun: first.time,
        run: times.sort((a, b) => a - b)[times.length >> 1] ?? NaN,
      };
    });
  } catch (error) {
    const times = { cold: NaN, warm: NaN, firstRun: NaN, run: NaN };
    return { ...common, passed: false, error: messageOf(error), photos: [0, 0], devices: [], ...times };
  }
}

/** The error of the worst output, and whether all are within the tolerance. */
function compare(outputs: Outputs, names: readonly string[], reference: Reference, float16: boolean) {
  const results = names.map((name) => {
    const distance = distanceOf(outputs[name]!, reference[name]!);
    return { distance, agrees: distance <= toleranceOf(reference[name]!, float16) };
  });
  return {
    error: Math.max(...results.map(({ distance }) => distance)),
    agrees: results.every(({ agrees }) => agrees),
  };
}

function toleranceOf(expected: readonly number[], float16: boolean): number {
  return float16 ? TOLERANCE_IN_FLOAT16 * Math.max(...expected.map(Math.abs)) : TOLERANCE;
}

async function countPhotos(
  run: (input: Float32Array) => Promise<Outputs>,
  { photos }: Reference,
  float16: boolean,
  limit: number,
): Promise<[correct: number, all: number]> {
  const available = Object.values(photos).filter(({ file }) => hasTestData(`models/${file}`)).slice(0, limit);
  let correct = 0;
  for (const photo of available) if (isCorrect(await run(await photoInput(photo.file)), photo, float16)) correct++;
  return [correct, available.length];
}

function isCorrect(
  outputs: Outputs,
  { top5_probabilities: classes, features_first8: features }: Photo,
  float16: boolean,
) {
  if (classes) return best(outputs.probabilities!) === classes[0]!.index;
  if (features) return distanceOf(outputs.features!.subarray(0, 8), features) <= toleranceOf(features, float16);
  throw new Error("the reference has neither classes nor features for the photo");
}

async function photoInput(file: string): Promise<Float32Array> {
  const image = await decodeImage(await Deno.readFile(testData(`models/${file}`)));
  return normalizeImage(resizeImage(image, SIZE), "nchw");
}

/** The largest absolute difference; infinite if one is NaN or the lengths differ. */
function distanceOf(actual: Float32Array, expected: readonly number[]): number {
  if (actual.length !== expected.length) return Infinity;
  const largest = Math.max(...expected.map((value, i) => Math.abs(actual[i]! - value)));
  return Number.isNaN(largest) ? Infinity : largest;
}

function best(values: Float32Array): number {
  return values.indexOf(Math.max(...values));
}

async function timed<T>(action: () => Promise<T>): Promise<{ value: T; time: number }> {
  const start = performance.now();
  const value = await action();
  return { value, time: performance.now() - start };
}
