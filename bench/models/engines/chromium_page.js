/** The part of the contestant chromium.ts that runs in the page. The importer's bundle defines `onnx`. */
/* global navigator, MLGraphBuilder, onnx */
// deno-lint-ignore-file no-unused-vars -- chromium.ts calls the functions by their names

const ARRAYS = { float32: Float32Array, int32: Int32Array, int64: BigInt64Array };
let context, file, options, values, model;

async function prepare({ dimensions, inputs }) {
  if (!navigator.ml) throw new Error("this Chromium has no navigator.ml");
  context = await navigator.ml.createContext({ deviceType: "cpu" });
  file = new Uint8Array(await (await fetch("/model.onnx")).arrayBuffer());
  options = { dimensions };
  const entries = inputs.map(({ name, dataType, shape, base64 }) => {
    const { buffer } = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    return [name, { data: new ARRAYS[dataType](buffer), shape }];
  });
  values = Object.fromEntries(entries);
}

async function load() {
  model = await onnx.loadModel({ context, MLGraphBuilder }, file, options);
}

/** Runs the model once. The numbers of its outputs pass to the other process as plain arrays. */
async function run() {
  const outputs = Object.entries(await model.run(values));
  return Object.fromEntries(
    outputs.map(([name, { shape, data }]) => [name, { shape, data: Array.from(data, Number) }]),
  );
}

/** The milliseconds of each run. */
async function timed(count) {
  const milliseconds = [];
  for (let i = 0; i < count; i++) {
    const began = performance.now();
    await model.run(values);
    milliseconds.push(performance.now() - began);
  }
  return milliseconds;
}

function close() {
  model.dispose();
}
