/**
 * Exports the models of `bench:models`, and compares their outputs in PyPI's onnxruntime with those of the originals.
 *
 * @module
 */

import { createContext, exportOnnx, MLGraphBuilder } from "../../mod.ts";
import { buildOnnx } from "../../src/onnx/mod.ts";
import { fetchModel } from "../../bench/models/fetch.ts";
import { encodeInput } from "../../bench/models/encoded.ts";
import type { Model } from "../../bench/models/model.ts";
import { MODELS } from "../../bench/models/models.ts";
import { messageOf } from "../../src/errors.ts";
import { showProgress } from "../../support/program.ts";
import { type ExportedModel, type Finding, runModels } from "./models.ts";

/** The maximum difference of an element that passes, relative to the largest element. */
const TOLERANCE = 1e-5;
/** Tolerances of models that round to fewer bits: another order of additions can change how an element is rounded. */
const TOLERANCES: Readonly<Record<string, number>> = { "minilm-float16": 2e-3, "smart-turn": 2e-3 };

/** Verifies all models, or those whose names contain `filter`. Prints the results, and returns the exit status. */
export async function verifyGallery(python: string, filter: string | undefined): Promise<number> {
  const models = MODELS.filter(({ name }) => filter === undefined || name.includes(filter));
  if (models.length === 0) throw new Error(`no model's name contains ${JSON.stringify(filter)}`);
  const exported: Model[] = [];
  const { results } = await runModels(python, (folder) => exportModels(folder, models, exported));
  let failed = 0;
  for (const [i, { name }] of exported.entries()) {
    const { problem, difference } = judge(results[i]!, TOLERANCES[name] ?? TOLERANCE);
    if (problem !== undefined) failed++;
    console.log(`${name}: ${problem ?? `the largest relative difference is ${difference!.toExponential(1)}`}`);
  }
  const [passed, skipped] = [exported.length - failed, models.length - exported.length];
  console.log(
    `verify:export: ${passed} of ${models.length} models passed, ${failed} failed, ${skipped} not exported`,
  );
  return failed === 0 ? 0 : 1;
}

/** Exports the models into a folder, and adds those that could be exported to `exported`. */
async function exportModels(folder: string, models: readonly Model[], exported: Model[]): Promise<ExportedModel[]> {
  const jobs: ExportedModel[] = [];
  for (const model of models) {
    showProgress(`exporting ${model.name}`);
    try {
      jobs.push(await exportModel(`${folder}/${model.name}.onnx`, model));
      exported.push(model);
    } catch (error) {
      showProgress("");
      console.log(`${model.name}: not exported: ${messageOf(error).split("\n")[0]}`);
    }
  }
  showProgress("");
  return jobs;
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

/** The largest difference of an output from the expected one, relative to its largest element, or what is wrong. */
function judge({ error, outputs, expected }: Finding, tolerance: number): { problem?: string; difference?: number } {
  if (error !== undefined) return { problem: error };
  const names = Object.keys(expected!);
  if (names.some((name) => !(name in outputs!))) return { problem: `the outputs are not ${names.join(", ")}` };
  const difference = Math.max(...names.map((name) => differenceOf(floats(outputs![name]!), floats(expected![name]!))));
  return difference <= tolerance
    ? { difference }
    : { problem: `the largest relative difference is ${difference}, above ${tolerance}` };
}

function floats(base64: string): Float64Array<ArrayBuffer> {
  return new Float64Array(Uint8Array.fromBase64(base64).buffer);
}

function differenceOf(found: Float64Array, expected: Float64Array): number {
  if (found.length !== expected.length) return Infinity;
  let [difference, largest] = [0, 0];
  expected.forEach((value, i) => {
    largest = Math.max(largest, Math.abs(value));
    const own = Object.is(value, found[i]) ? 0 : Math.abs(value - found[i]!);
    difference = Number.isNaN(own) ? Infinity : Math.max(difference, own);
  });
  return difference === 0 ? 0 : difference / largest;
}
