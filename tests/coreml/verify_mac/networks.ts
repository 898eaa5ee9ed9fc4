/**
 * What `deno task verify:mac` finds out with networks: their numbers on the input of the reference and on photos, and how
 * long building and running them takes.
 *
 * @module
 */

import { graphInfo, type MLContext } from "@webnn/deno";
import "@webnn/deno/polyfill"; // The networks are written for a browser.
import { decodeImage, normalizeImage, resizeImage } from "../../../examples/image.ts";
import { createInference } from "../../../examples/inference.ts";
import { buildMobileNetV2 } from "../../../examples/mobilenetv2.ts";
import { parseSafetensors } from "../../../examples/safetensors.ts";
import { buildSqueezeNet } from "../../../examples/squeezenet.ts";
import type { CoreMLOptions } from "../../../src/backends/coreml/mod.ts";
import { messageOf } from "../../../src/errors.ts";
import { hasTestData, testData } from "../../support/test_data.ts";
import { type Setting, withContext } from "./measure.ts";

type Outputs = Record<string, Float32Array>;

/** What a reference tells of a photo: the classes of SqueezeNet, and features of MobileNetV2, whose classes are not trained. */
interface Photo {
  readonly file: string;
  readonly top5_probabilities?: readonly { readonly index: number }[];
  readonly features_first8?: readonly number[];
}

type Reference = Record<string, readonly number[]> & { readonly photos: Readonly<Record<string, Photo>> };

/** The networks, and the outputs that are compared with their references. */
export const NETWORKS = [
  { name: "squeezenet1.1", build: buildSqueezeNet, outputs: ["logits", "probabilities"] },
  { name: "mobilenetv2", build: buildMobileNetV2, outputs: ["features", "logits"] },
] as const;

/** How far from the reference a number may be where float32 is kept; in float16, this share of the greatest number. */
const TOLERANCE = 1e-3;
const TOLERANCE_IN_FLOAT16 = 1e-2;

const SIZE = 224;

/** How much is done with a network. */
export interface Effort {
  /** Runs that are timed after the first. */
  readonly runs: number;
  /** Photos that it sees, at most. */
  readonly photos: number;
}

export const THOROUGH: Effort = { runs: 20, photos: Infinity };
/** For the fake framework, which takes a second for a run. */
export const BRIEF: Effort = { runs: 0, photos: 1 };

/** A network in one setting; times in milliseconds. */
export interface NetworkResult {
  readonly network: string;
  readonly setting: string;
  readonly passed: boolean;
  /** The largest distance of an output from the reference, or why there is none. */
  readonly error: number | string;
  /** The photos that it has seen, and of how many what it says is what the reference says. */
  readonly photos: readonly [right: number, seen: number];
  /** The kinds of devices that the graph runs on. */
  readonly devices: readonly string[];
  /** A build that compiles. */
  readonly cold: number;
  /** The same build in another context, which finds the compiled model in the cache. */
  readonly warm: number;
  readonly firstRun: number;
  /** The median of the runs that follow. */
  readonly run: number;
}

/** The files in the test data that a network needs. */
export function filesOf({ name }: { readonly name: string }): readonly [weights: string, reference: string] {
  return [`models/${name}.safetensors`, `models/${name}.reference.json`];
}

/** Builds a network twice, cold and warm, and runs it. `options` must name a folder for the cache that is empty. */
export async function measureNetwork(
  network: typeof NETWORKS[number],
  { title, float16 }: Setting,
  options: CoreMLOptions,
  effort: Effort,
): Promise<NetworkResult> {
  const of = { network: network.name, setting: title };
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
      const first = await timed(() => run(deterministicInput()));
      const times: number[] = [];
      for (let i = 0; i < effort.runs; i++) times.push((await timed(() => run(deterministicInput()))).time);
      const { agrees, error } = compare(first.value, network.outputs, reference, float16);
      const photos = await countPhotos(run, reference, float16, effort.photos);
      return {
        ...of,
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
    return { ...of, passed: false, error: messageOf(error), photos: [0, 0], devices: [], ...times };
  }
}

/** The distance of the worst output, and whether all are close enough. */
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
): Promise<[right: number, seen: number]> {
  const there = Object.values(photos).filter(({ file }) => hasTestData(`models/${file}`)).slice(0, limit);
  let right = 0;
  for (const photo of there) if (isRight(await run(await photoInput(photo.file)), photo, float16)) right++;
  return [right, there.length];
}

function isRight(
  outputs: Outputs,
  { top5_probabilities: classes, features_first8: features }: Photo,
  float16: boolean,
) {
  if (classes) return best(outputs.probabilities!) === classes[0]!.index;
  if (features) return distanceOf(outputs.features!.subarray(0, 8), features) <= toleranceOf(features, float16);
  throw new Error("the reference tells nothing of the photo");
}

async function photoInput(file: string): Promise<Float32Array> {
  const image = await decodeImage(await Deno.readFile(testData(`models/${file}`)));
  return normalizeImage(resizeImage(image, SIZE), "nchw");
}

/** x[i] = sin(0.01 i) over [1, 3, 224, 224]: the input of the references. */
function deterministicInput(): Float32Array {
  return Float32Array.from({ length: 3 * SIZE * SIZE }, (_, index) => Math.sin(index * 0.01));
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
