/**
 * Ranks sentences by how close their meaning is to a query, with transformers.js on `navigator.ml`. See HELP.
 *
 * @module
 */
import "@webnn/deno/polyfill";
import { existsSync } from "node:fs";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { messageOf, positiveInteger, runProgram, showProgress } from "../../support/program.ts";
import { loadTransformers } from "./transformers.ts";

const HELP = `Ranks sentences by how close their meaning is to a query, with WebNN.

Usage: deno run --allow-ffi --allow-read --allow-env --allow-net examples/embed/main.ts <query> <sentence> ... [options]

  query, sentence   texts, in quotes
  --model           a model on the Hugging Face hub, or a folder with such a model (an absolute path, or one that
                    starts with "."): BERT, or another encoder that returns a vector per token (default
                    Xenova/all-MiniLM-L6-v2)
  --length          the maximum number of tokens; longer texts are cut (default 64)
  --help            print this text

transformers.js turns each text into a vector: it tokenizes it, runs the network on WebNN, and averages the vectors of
the tokens.`;

type Embed = (text: string) => Promise<Float32Array>;

const OPTIONS = {
  string: ["model", "length", "_"],
  default: { model: "Xenova/all-MiniLM-L6-v2", length: "64" },
} as const;

if (import.meta.main) {
  await runProgram("embed", HELP, OPTIONS, async (args) => {
    if (args._.length < 2) throw new Error("pass a query and the sentences to compare it with");
    if (args.model === "") throw new Error("--model must name a model or a folder");
    await rank(args._, args.model, positiveInteger(args.length, "--length"));
  });
}

async function rank([query = "", ...sentences]: readonly string[], model: string, length: number): Promise<void> {
  const embed = await openEmbedding(model, length).catch((cause) => {
    throw new Error(`cannot load the model ${model}: ${messageOf(cause)}`, { cause });
  });
  const vector = await embed(query);
  const ranked: { sentence: string; similarity: number }[] = [];
  for (const sentence of sentences) ranked.push({ sentence, similarity: dotProduct(vector, await embed(sentence)) });
  console.log(query);
  for (const { sentence, similarity } of ranked.toSorted((a, b) => b.similarity - a.similarity)) {
    console.log(`  ${similarity.toFixed(4).padStart(7)}  ${sentence}`);
  }
}

/** Loads the model. The vectors have length 1. */
async function openEmbedding(model: string, length: number): Promise<Embed> {
  const { AutoModel, AutoTokenizer, env, LogLevel, mean_pooling } = await loadTransformers();
  env.logLevel = LogLevel.ERROR;
  const isFolder = model.startsWith(".") || isAbsolute(model);
  const name = isFolder ? basename(resolve(model)) : model;
  if (isFolder) checkFolder(resolve(model));
  if (isFolder) env.localModelPath = `${pathToFileURL(dirname(resolve(model)))}/`;
  env.allowLocalModels = isFolder;
  env.allowRemoteModels = !isFolder;

  const progress_callback = showDownload;
  const tokenizer = await AutoTokenizer.from_pretrained(name, { progress_callback });
  const network = await AutoModel.from_pretrained(name, {
    progress_callback,
    device: "webnn-cpu",
    dtype: "fp32",
    // WebNN has fixed shapes: one text at a time, padded to `length`. The model's exporter chose the names.
    session_options: { freeDimensionOverrides: { batch_size: 1, sequence_length: length } },
  });
  showProgress("");
  return async (text) => {
    const inputs = tokenizer(text, { padding: "max_length", max_length: length, truncation: true });
    const { last_hidden_state } = await network(inputs);
    return mean_pooling(last_hidden_state, inputs.attention_mask).normalize(2, -1).data as Float32Array;
  };
}

/** Reports a missing file; the errors of transformers.js do not name it. */
function checkFolder(folder: string): void {
  for (const file of ["", "config.json", "tokenizer.json", "onnx/model.onnx"]) {
    const path = join(folder, file);
    if (!existsSync(path)) throw new Error(`there is no ${file === "" ? "folder" : "file"} ${path}`);
  }
}

function showDownload(progress: { status: string; file?: string; progress?: number }): void {
  if (progress.status === "progress") showProgress(`${progress.file}: ${progress.progress?.toFixed()} %`);
}

function dotProduct(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, index) => sum + value * b[index]!, 0);
}
