/**
 * Converts texts to vectors with transformers.js, on WebNN and on its own engine, and prints a comparison as JSON. The
 * arguments are the address of a hub that serves the model, and the name of a cache for its files.
 */
import "@webnn/deno/polyfill";
import { loadTransformers } from "../../../examples/embed/transformers.ts";
import { BERT_LENGTH, BERT_NAME } from "../bert.ts";
import { differences } from "../errors.ts";
import { recordWebNN } from "../recording.ts";

const TEXTS = [
  "The cat sat on the mat.",
  "A deep network paints pictures, and the engine runs fast; " + "is it? ".repeat(9),
];

const recording = recordWebNN();
const { AutoModel, AutoTokenizer, env } = await loadTransformers();
env.remoteHost = Deno.args[0]!;
env.allowLocalModels = false;
env.cacheKey = Deno.args[1]!;
await caches.delete(env.cacheKey);

const tokenizer = await AutoTokenizer.from_pretrained(BERT_NAME);
const tokens = TEXTS.map((text) =>
  tokenizer(text, { padding: "max_length", max_length: BERT_LENGTH, truncation: true })
);
const expected = await run("wasm");
recording.clear();
const actual = await run("webnn-cpu");
console.log(JSON.stringify({
  tokens: tokens.map(({ input_ids }) => Array.from(input_ids.data as BigInt64Array, Number)),
  ...recording.counts(),
  outputs: differences(actual, expected),
}));
await caches.delete(env.cacheKey);

async function run(device: "wasm" | "webnn-cpu"): Promise<Float32Array[]> {
  const model = await AutoModel.from_pretrained(BERT_NAME, {
    device,
    dtype: "fp32",
    session_options: { freeDimensionOverrides: { batch_size: 1, sequence_length: BERT_LENGTH } },
  });
  const outputs: Float32Array[] = [];
  for (const inputs of tokens) outputs.push((await model(inputs)).last_hidden_state.data as Float32Array);
  await model.dispose();
  return outputs;
}
