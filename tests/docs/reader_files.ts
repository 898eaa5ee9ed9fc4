/** The files that the documentation's code uses: a program, models, pictures, sound and arrays. */
import { zipSync } from "fflate";
import jpeg from "jpeg-js";
import { join } from "node:path";
import * as npyjs from "npyjs";
import wavefile from "wavefile";
import { onnxFile } from "../support/onnx_writer.ts";
import { blocksOf, ROOT } from "./pages.ts";

/** An image classifier with eight classes. */
function classifier(input: string, output: string): Uint8Array {
  const weights = Float32Array.from({ length: 8 * 3 * 7 * 7 }, (_, i) => Math.sin(i) / 100);
  return onnxFile({
    nodes: [
      { op: "Conv", inputs: [input, "w"], outputs: ["c"], attributes: { strides: [4, 4] } },
      { op: "Relu", inputs: ["c"], outputs: ["r"] },
      { op: "GlobalAveragePool", inputs: ["r"], outputs: ["p"] },
      { op: "Flatten", inputs: ["p"], outputs: [output] },
    ],
    inputs: [{ name: input, shape: ["batch", 3, 224, 224] }],
    outputs: [{ name: output, shape: ["batch", 8] }],
    initializers: [{ name: "w", type: "float32", shape: [8, 3, 7, 7], data: weights }],
  });
}

/** A model with the inputs of a voice detector: samples, and a state. */
const DETECTOR = onnxFile({
  nodes: [
    { op: "ReduceMean", inputs: ["input"], outputs: ["output"] },
    { op: "Neg", inputs: ["state"], outputs: ["stateN"] },
  ],
  inputs: [
    { name: "input", shape: ["batch", "samples"] },
    { name: "state", shape: [2, "batch", 128] },
    { name: "sr", type: "int64", shape: [] },
  ],
  outputs: [{ name: "output", shape: [1, 1] }, { name: "stateN", shape: [2, "batch", 128] }],
});

/** A WAV file with a tone of one second. */
function sound(): Uint8Array {
  const wav = new wavefile.WaveFile();
  wav.fromScratch(1, 44_100, "16", Int16Array.from({ length: 44_100 }, (_, i) => 8_000 * Math.sin(i / 20)));
  return wav.toBuffer();
}

/** The program in README that builds a graph; other pages call it main.ts. */
function program(): string {
  const [graph] = blocksOf(new URL("README.md", ROOT)).filter(({ text }) => text.includes("new MLGraphBuilder"));
  return graph!.text;
}

/** Writes all files to `folder`. */
export async function writeReaderFiles(folder: string): Promise<void> {
  const photo = jpeg.encode({ width: 300, height: 200, data: new Uint8Array(300 * 200 * 4).fill(128) }, 90);
  const pixels = { data: new Float32Array(3 * 224 * 224).fill(0.5), shape: [1, 3, 224, 224] };
  const array = new Uint8Array(npyjs.dump(pixels.data, pixels.shape));
  const files: Record<string, string | Uint8Array> = {
    "main.ts": program(),
    "model.onnx": classifier("x", "y"),
    "squeezenet.onnx": classifier("data", "output"),
    "vad.onnx": DETECTOR,
    "photo.jpg": photo.data,
    "speech.wav": sound(),
    "x.npy": array,
    "inputs.npz": zipSync({ "x.npy": array }),
    "imagenet.txt": Array.from({ length: 8 }, (_, i) => `class ${i}\n`).join(""),
  };
  for (const [name, content] of Object.entries(files)) {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await Deno.writeFile(join(folder, name), bytes);
  }
}
