/**
 * The models of the gallery, read, exported and run by onnxruntime beside the originals.
 *
 * @module
 */

import { createContext, exportOnnx, MLGraphBuilder } from "../../mod.ts";
import { buildOnnx } from "../../src/onnx/mod.ts";
import { fetchModel } from "../../bench/models/fetch.ts";
import { encodeInput } from "../../bench/models/inputs.ts";
import type { Model } from "../../bench/models/model.ts";
import { MODELS } from "../../bench/models/models.ts";
import { messageOf } from "../../src/errors.ts";
import { showProgress } from "../../support/program.ts";
import { type ExportedModel, type Finding, runModels } from "./models.ts";

/** The greatest difference of an element, in units of the greatest element, that counts as the same number. */
const TOLERANCE = 1e-5;
/** What is computed with fewer bits: a number beside a boundary may go to the other side where sums have another order. */
const COARSE: Readonly<Record<string, number>> = { "minilm-float16": 2e-3, "smart-turn": 2e-3 };

/** Verifies the models of a name, or all, prints what it finds, and answers the status of the program. */
export async function verifyGallery(python: string, filter: string | undefined): Promise<number> {
  const models = MODELS.filter(({ name }) => filter === undefined || name.includes(filter));
  if (models.length === 0) throw new Error(`no model of the gallery is called ${filter}`);
  const taken: Model[] = [];
  const { results } = await runModels(python, (folder) => exportModels(folder, models, taken));
  let failed = 0;
  for (const [i, { name }] of taken.entries()) {
    const { problem, difference } = judge(results[i]!, COARSE[name] ?? TOLERANCE);
    if (problem !== undefined) failed++;
    console.log(`${name}: ${problem ?? `the same to ${difference!.toExponential(1)} of the greatest element`}`);
  }
  const left = models.length - taken.length;
  console.log(
    `verify:export: ${taken.length - failed} of ${models.length} models passed, ${failed} failed, ${left} not exported`,
  );
  return failed === 0 ? 0 : 1;
}

async function exportModels(folder: string, models: readonly Model[], taken: Model[]): Promise<ExportedModel[]> {
  const exported: ExportedModel[] = [];
  for (const model of models) {
    showProgress(`exporting ${model.name}`);
    try {
      exported.push(await exportModel(`${folder}/${model.name}.onnx`, model));
      taken.push(model);
    } catch (error) {
      showProgress("");
      console.log(`${model.name}: not exported: ${messageOf(error).split("\n")[0]}`);
    }
  }
  showProgress("");
  return exported;
}

async function exportModel(file: string, model: Model): Promise<ExportedModel> {
  using context = await createContext({ device: "cpu" });
  const reference = await fetchModel(model);
  const inputs = await model.inputs(reference.replace(/[^\\/]*$/, ""));
  const builder = new MLGraphBuilder(context);
  const operands = inputs.map(({ name, dataType, shape }) => [name, builder.input(name, { dataType, shape })] as const);
  const elements = Object.fromEntries(inputs.map(({ name, data, shape }) => [name, { data, shape }]));
  const outputs = await buildOnnx(builder, reference, { context, inputs: Object.fromEntries(operands), elements });
  await Deno.writeFile(file, await exportOnnx(outputs));
  const encoded = inputs.map(encodeInput).map(({ base64, ...input }) => ({ ...input, bytes: base64 }));
  return { model: file, reference, inputs: encoded, isChecked: false };
}

/** The greatest difference of an output, as a part of its greatest element. */
function judge({ error, outputs, expected }: Finding, tolerance: number): { problem?: string; difference?: number } {
  if (error !== undefined) return { problem: error };
  const names = Object.keys(expected!);
  if (names.some((name) => !(name in outputs!))) return { problem: `the outputs are not ${names.join(", ")}` };
  const difference = Math.max(...names.map((name) => differenceOf(floats(outputs![name]!), floats(expected![name]!))));
  return difference <= tolerance ? { difference } : { problem: `differs by ${difference} of the greatest element` };
}

function floats(base64: string): Float64Array<ArrayBuffer> {
  return new Float64Array(Uint8Array.fromBase64(base64).buffer);
}

function differenceOf(found: Float64Array, expected: Float64Array): number {
  if (found.length !== expected.length) return Infinity;
  let [most, greatest] = [0, 0];
  expected.forEach((value, i) => {
    greatest = Math.max(greatest, Math.abs(value));
    const difference = Object.is(value, found[i]) ? 0 : Math.abs(value - found[i]!);
    most = Number.isNaN(difference) ? Infinity : Math.max(most, difference);
  });
  return most === 0 ? 0 : most / greatest;
}
