/**
 * Writes models and their inputs to a folder, for a machine without a network: NAME.onnx, and NAME.json, which is a
 * {@linkcode Job}. Its arguments are the folder, and the names of models; without names, all models.
 *
 * @module
 */
import { join } from "node:path";
import { encodeInput } from "./encoded.ts";
import type { Job } from "./engine.ts";
import { fetchModel } from "./fetch.ts";
import { MODELS } from "./models.ts";

const [folder, ...names] = Deno.args;
for (const model of MODELS) {
  const { name, dimensions } = model;
  if (names.length > 0 && !names.includes(name)) continue;
  const source = await fetchModel(model);
  const file = `${name}.onnx`;
  const inputs = (await model.inputs(join(source, ".."))).map(encodeInput);
  const job: Job = { file, threads: 1, dimensions, inputs };
  await Deno.copyFile(source, join(folder!, file));
  await Deno.writeTextFile(join(folder!, `${name}.json`), JSON.stringify(job));
}
