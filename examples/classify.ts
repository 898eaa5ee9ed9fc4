/**
 * Classifies photos with SqueezeNet or MobileNetV2 on `navigator.ml`. See HELP.
 *
 * @module
 */
import { contextInfo } from "@webnn/deno";
import "@webnn/deno/polyfill";
import { basename, join, resolve } from "node:path";
import { messageOf, positiveInteger, readFile, runProgram } from "../support/program.ts";
import { median } from "../support/statistics.ts";
import { decodeImage, normalizeImage, resizeImage } from "./image.ts";
import { createInference, type Inference } from "./inference.ts";
import { buildMobileNetV2 } from "./mobilenetv2.ts";
import { parseSafetensors } from "./safetensors.ts";
import { buildSqueezeNet } from "./squeezenet.ts";

const HELP = `Classifies photos with WebNN.

Usage: deno task classify [photo ...] [--model squeezenet|mobilenetv2] [--repeat N]

  photo      JPEG or PNG files (default: a red panda)
  --model    squeezenet (default), or mobilenetv2, for which features are compared instead of printing labels
  --repeat   timed inferences of each photo, after the first (default 10)
  --help     print this text

The models are read from models/ in the folder WEBNN_TEST_DATA (default: shared/ next to the repository). If they are
missing, download them with: deno task data`;

/** The width and height of the input of both networks. */
const INPUT_SIZE = 224;

interface Model {
  title: string;
  weights: string;
  input: string;
  build: typeof buildSqueezeNet;
  /** Loads the labels or reference values that the report needs. */
  createReport(): Promise<Report>;
  /** A note printed after the reports. */
  remark?: string;
}

/** Returns lines that describe the outputs for a photo. */
type Report = (photo: Photo, outputs: Record<string, Float32Array>) => string[];

const MODELS: Record<string, Model> = {
  squeezenet: {
    title: "SqueezeNet 1.1",
    weights: "squeezenet1.1.safetensors",
    input: "data",
    build: buildSqueezeNet,
    createReport: createLabelReport,
  },
  mobilenetv2: {
    title: "MobileNetV2 1.0",
    weights: "mobilenetv2.safetensors",
    input: "input",
    build: buildMobileNetV2,
    createReport: createFeatureReport,
    remark: "No labels: the weights of the last layer are synthetic, because the trained ones are not available.\n" +
      "The features before that layer come from trained weights.",
  },
};

interface Photo {
  name: string;
  bytes: Uint8Array;
  width: number;
  height: number;
  /** The picture, scaled to the input size: many photos in full size would need too much memory. */
  rgb: Float32Array;
}

interface Timings {
  build: number;
  first: number;
  later: number[];
}

const OPTIONS = { string: ["model", "repeat", "_"], default: { model: "squeezenet", repeat: "10" } } as const;

if (import.meta.main) {
  await runProgram("classify", HELP, OPTIONS, async (args) => {
    const model = Object.hasOwn(MODELS, args.model) ? MODELS[args.model] : undefined;
    if (model === undefined) {
      throw new Error(`--model must be ${Object.keys(MODELS).join(" or ")}, not "${args.model}"`);
    }
    const repeat = positiveInteger(args.repeat, "--repeat");
    const photos = await readPhotos(args._);
    if (photos.length > 0) await classifyAll(photos, model, repeat);
    return photos.length < args._.length ? 1 : 0;
  });
}

async function classifyAll(photos: readonly Photo[], model: Model, repeat: number): Promise<void> {
  const weights = parseSafetensors(await readModelFile(model.weights));
  const report = await model.createReport();

  const context = await navigator.ml.createContext();
  try {
    const layout = context.opSupportLimits().preferredInputLayout;
    const [inference, build] = await timed(async () =>
      await createInference(context, await model.build(context, weights, { layout }))
    );
    const timings: Timings = { build, first: NaN, later: [] };
    for (const photo of photos) {
      const inputs = { [model.input]: normalizeImage(photo.rgb, layout) };
      const outputs = await classify(inference, inputs, repeat, timings);
      console.log(`${photo.name} (${photo.width} × ${photo.height})`);
      console.log(report(photo, outputs).map((line) => `  ${line}\n`).join(""));
    }
    console.log(`${model.title}, ${layout}, ${describe(context)}`);
    console.log(timingLines(timings).map((line) => `  ${line}`).join("\n"));
    if (model.remark) console.log(`\n${model.remark}`);
  } finally {
    context.destroy();
  }
}

/**
 * Runs once, then `repeat` times more, and adds the durations to `timings`. `timings.first` is the first run of the
 * first photo; the first runs of other photos are not counted.
 */
async function classify(
  inference: Inference,
  inputs: Record<string, Float32Array>,
  repeat: number,
  timings: Timings,
): Promise<Record<string, Float32Array>> {
  const [outputs, duration] = await timed(() => inference.run(inputs));
  if (Number.isNaN(timings.first)) timings.first = duration;
  for (let run = 0; run < repeat; run++) {
    const [, duration] = await timed(() => inference.run(inputs));
    timings.later.push(duration);
  }
  return outputs;
}

/** The five most likely classes, with probabilities. */
async function createLabelReport(): Promise<Report> {
  const labels = new TextDecoder().decode(await readModelFile("imagenet_labels.txt")).trimEnd().split("\n");
  return (_photo, outputs) =>
    Array.from(outputs.probabilities!, (probability, index) => ({ probability, label: labels[index]! }))
      .sort((a, b) => b.probability - a.probability)
      .slice(0, 5)
      .map(({ probability, label }) => `${(100 * probability).toFixed(2).padStart(6)} %  ${label}`);
}

/** The largest difference from the reference, which has the first eight features of some photos. */
async function createFeatureReport(): Promise<Report> {
  const reference = JSON.parse(new TextDecoder().decode(await readModelFile("mobilenetv2.reference.json")));
  const photos = Object.values(reference.photos as Record<string, { file: string; features_first8: number[] }>);
  const known = await Promise.all(
    photos.map(async ({ file, features_first8 }) => ({ bytes: await readModelFile(file), features: features_first8 })),
  );
  return (photo, { features }) => {
    const expected = known.find(({ bytes }) => sameBytes(bytes, photo.bytes))?.features;
    if (expected === undefined) {
      return ["not one of the reference photos, so there is nothing to compare its features with"];
    }
    const error = Math.max(...expected.map((value, index) => Math.abs(value - features![index]!)));
    return [`features: the first ${expected.length} differ from the reference by at most ${error.toExponential(1)}`];
  };
}

function timingLines({ build, first, later }: Timings): string[] {
  const rows = [["build", build], ["first inference", first], [`median of ${later.length}`, median(later)]] as const;
  return rows.map(([label, duration]) => `${label.padEnd(16)} ${duration.toFixed(1).padStart(8)} ms`);
}

/** The engine of a context, from `contextInfo`, an extension of this module. */
function describe(context: MLContext): string {
  const { backend, version, device, threads } = contextInfo(context);
  return `${backend} ${version}, ${device}, ${threads} ${threads === 1 ? "thread" : "threads"}`;
}

/** Reads the photos. Prints an error for each one that cannot be read, and skips it. */
async function readPhotos(paths: string[]): Promise<Photo[]> {
  if (paths.length === 0) {
    const file = "images/red_panda.jpg";
    return [await decodePhoto(file, await readModelFile(file))];
  }
  const photos: Photo[] = [];
  for (const path of paths) {
    try {
      photos.push(await decodePhoto(path, await readFile(path)));
    } catch (error) {
      console.error(`classify: ${messageOf(error)}`);
    }
  }
  return photos;
}

async function decodePhoto(path: string, bytes: Uint8Array): Promise<Photo> {
  try {
    const image = await decodeImage(bytes);
    const { width, height } = image;
    return { name: basename(path), bytes, width, height, rgb: resizeImage(image, INPUT_SIZE) };
  } catch (cause) {
    throw new Error(`${path}: ${messageOf(cause)}`, { cause });
  }
}

async function readModelFile(name: string): Promise<Uint8Array> {
  const folder = Deno.env.get("WEBNN_TEST_DATA") || join(import.meta.dirname!, "../../shared");
  const path = resolve(folder, "models", name);
  try {
    return await Deno.readFile(path);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new Error(
      `${path} is missing; run deno task data, or set WEBNN_TEST_DATA to the folder that holds models/${name}`,
      { cause },
    );
  }
}

async function timed<T>(work: () => Promise<T>): Promise<[result: T, milliseconds: number]> {
  const start = performance.now();
  const result = await work();
  return [result, performance.now() - start];
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
