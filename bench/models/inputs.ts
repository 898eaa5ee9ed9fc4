/**
 * The inputs of the models: photos, pages of text, speech or sentences, or seeded random numbers for other models.
 *
 * @module
 */
import { join } from "node:path";
import wavefile from "wavefile";
import { decodeImage, type Image } from "../../examples/image.ts";
import { openDrawing } from "../../examples/ocr/drawing.ts";
import { detectionInput, recognitionInput } from "../../examples/ocr/networks.ts";
import { random } from "../../support/random.ts";
import { hasTestData, testData } from "../../support/test_data.ts";
import { planes } from "../support/planes.ts";
import type { Input } from "./model.ts";

const PHOTO = "models/images/horse_cart.jpg";
const SPEECH = new URL("../../examples/wakeword/alexa.wav", import.meta.url);
/** The source file to classify. */
const SOURCE_FILE = new URL("../../examples/ocr/main.ts", import.meta.url);
/** The number of bytes that magika takes from the start and from the end of a file. */
const FILE_PART = 1024;

/** Uniformly distributed random numbers, the same on each call. */
export function numbers(count: number, from: number, to: number): Float32Array {
  const next = random(1);
  return Float32Array.from({ length: count }, () => from + (to - from) * next());
}

/** A photo with planes of red, green and blue, [3, size, size]; if the test data is missing, the page of text. */
export async function photo(size: number, divisor: number): Promise<Float32Array> {
  const image = hasTestData(PHOTO) ? await decodeImage(await Deno.readFile(testData(PHOTO))) : await page();
  return planes(image, size, divisor);
}

/** A crop of the page of text in the format of PaddleOCR's detectors, [3, 320, 320]. */
export async function textPage(): Promise<Float32Array> {
  return detectionInput(crop(await page(), { left: 120, top: 90, width: 320, height: 320 })).data;
}

/** The start of a line of the page in the format of PaddleOCR's recognizers, [3, 48, width]. */
export async function textLine(width: number): Promise<Float32Array> {
  const box = { center: { x: 285, y: 367 }, angle: -4 * Math.PI / 180, width: 44 * width / 48, height: 44 };
  const { data, shape: [, , height, rowLength] } = recognitionInput(await page(), box);
  const rows = Array.from({ length: 3 * height }, (_, row) => data.subarray(row * rowLength, row * rowLength + width));
  return Float32Array.from(rows.flatMap((row) => [...row]));
}

/** A greyscale crop of the page, from −1 to 1, [1, height, width]. */
export async function characters(width: number, height: number): Promise<Float32Array> {
  const { data } = crop(await page(), { left: 200, top: 340, width, height });
  return Float32Array.from({ length: width * height }, (_, i) => {
    return (data[4 * i]! + data[4 * i + 1]! + data[4 * i + 2]!) / (1.5 * 255) - 1;
  });
}

/** A spoken word, repeated; samples are from −1 to 1. */
export async function speech(rate: number, length: number): Promise<Float32Array> {
  const wav = new wavefile.WaveFile(await Deno.readFile(SPEECH));
  wav.toBitDepth("32f");
  wav.toSampleRate(rate);
  const samples = wav.getSamples() as Float64Array;
  return Float32Array.from({ length }, (_, i) => samples[i % samples.length]!);
}

/** The loud part of the word. */
export async function speechFrame(rate: number, length: number): Promise<Float32Array> {
  const start = Math.round(0.25 * rate);
  return (await speech(rate, start + length)).slice(start);
}

/** The first and last bytes of a source file. */
export async function fileBytes(): Promise<Int32Array> {
  const bytes = await Deno.readFile(SOURCE_FILE);
  return Int32Array.from([...bytes.subarray(0, FILE_PART), ...bytes.subarray(-FILE_PART)]);
}

/** The tokenized text, which is stored next to MiniLM's files. */
export async function sentence(folder: string): Promise<Input[]> {
  const tokens = JSON.parse(await Deno.readTextFile(join(folder, "tokens.json"))) as Record<string, number[]>;
  return Object.entries(tokens).map(([name, ids]) => ({
    name,
    dataType: "int64",
    shape: [1, ids.length],
    data: BigInt64Array.from(ids, BigInt),
  }));
}

let drawn: Promise<Image> | undefined;

/** The page of text that the OCR example draws. */
function page(): Promise<Image> {
  return drawn ??= openDrawing().then((drawing) => drawing.drawSample());
}

interface Rectangle {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

function crop({ width: rowLength, data }: Image, { left, top, width, height }: Rectangle): Image {
  const part = new Uint8Array(4 * width * height);
  for (let row = 0; row < height; row++) {
    const from = 4 * ((top + row) * rowLength + left);
    part.set(data.subarray(from, from + 4 * width), 4 * row * width);
  }
  return { width, height, data: part };
}
