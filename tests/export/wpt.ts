/**
 * Exports WPT's numeric cases, and compares the results of PyPI's onnxruntime with the expected values.
 *
 * @module
 */

import { createContext, exportOnnx, MLGraphBuilder } from "../../mod.ts";
import { showProgress } from "../../support/program.ts";
import { decode } from "../reference/mod.ts";
import type { CaseTensor, WptCase } from "../wpt_cases/cases.ts";
import { compare, comparedElements } from "../wpt_cases/compare.ts";
import { exceptionsOf } from "../wpt_cases/exceptions.ts";
import { type Limits, NotInLimits } from "../wpt_cases/limits.ts";
import type { Exceptions } from "../wpt_cases/report.ts";
import { bytesOf, callOperators } from "../wpt_cases/run_case.ts";
import { type ExportedInput, type ExportedModel, type Finding, runModels } from "./models.ts";

/**
 * Cases with different results in onnxruntime, and why. This module works around them when it runs a graph, but not in
 * an export.
 */
const KNOWN_DIFFERENCES: Exceptions = {
  ...exceptionsOf("cpu"),
  "batchNormalization default + sigmoid":
    "onnxruntime's Sigmoid has an absolute error of 6e-8, as large as the result itself",
};

/** Verifies the cases, prints the differences, and returns the exit status. */
export async function verifyCases(python: string, cases: readonly WptCase[]): Promise<number> {
  const exported: WptCase[] = [];
  const { onnx, onnxruntime, results } = await runModels(python, (folder) => exportCases(folder, cases, exported));
  const problems = exported.flatMap((wptCase, i) => {
    const problem = wptCase.name in KNOWN_DIFFERENCES ? undefined : problemOf(wptCase, results[i]!);
    return problem === undefined ? [] : [`${wptCase.operator} ${wptCase.name}: ${problem}`];
  });
  for (const problem of problems) console.log(problem);
  const excepted = exported.filter(({ name }) => name in KNOWN_DIFFERENCES).length;
  console.log(
    `verify:export: ${
      exported.length - problems.length - excepted
    } of ${exported.length} cases passed, ${excepted} are known to ` +
      `differ; ${exported.filter(hasNibbles).length} of them only checked and not run (4-bit integers), ` +
      `${cases.length - exported.length} not within the limits; onnx ${onnx}, onnxruntime ${onnxruntime}`,
  );
  return problems.length === 0 ? 0 : 1;
}

/** Writes the model of each case that is within the limits, and adds those cases to `exported`. */
async function exportCases(folder: string, cases: readonly WptCase[], exported: WptCase[]): Promise<ExportedModel[]> {
  using context = await createContext({ device: "cpu" });
  const limits = context.opSupportLimits() as unknown as Limits;
  const jobs: ExportedModel[] = [];
  for (const [i, wptCase] of cases.entries()) {
    showProgress(i + 1 < cases.length ? `case ${i + 1} of ${cases.length}` : "");
    try {
      const model = `${folder}/${exported.length}.onnx`;
      const outputs = callOperators(new MLGraphBuilder(context), limits, wptCase);
      await Deno.writeFile(model, await exportOnnx(outputs));
      jobs.push({ model, inputs: inputsOf(wptCase), isChecked: hasNibbles(wptCase) });
      exported.push(wptCase);
    } catch (error) {
      if (!(error instanceof NotInLimits)) throw new Error(`${wptCase.operator} ${wptCase.name}`, { cause: error });
    }
  }
  return jobs;
}

function inputsOf({ inputs }: WptCase): ExportedInput[] {
  return inputTensors(inputs).map(([name, tensor]) => {
    const { buffer, byteOffset, byteLength } = bytesOf(tensor);
    const bytes = new Uint8Array(buffer, byteOffset, byteLength).toBase64();
    return { name, dataType: tensor.dataType, shape: tensor.shape, bytes };
  });
}

/** The inputs of a case that are not constants. */
function inputTensors(inputs: WptCase["inputs"]): [string, CaseTensor][] {
  return Object.entries(inputs).filter(([, { constant }]) => !constant);
}

/** Whether a case has 4-bit integers, which NumPy does not support. */
function hasNibbles({ inputs, expectedOutputs }: WptCase): boolean {
  return [...inputTensors(inputs), ...Object.entries(expectedOutputs)].some(([, { dataType }]) =>
    dataType.endsWith("int4")
  );
}

function problemOf(wptCase: WptCase, found: Finding): string | undefined {
  if (found.error !== undefined) return found.error;
  const expected = Object.keys(wptCase.expectedOutputs);
  if (expected.some((name) => !found.names!.includes(name))) return `the outputs are ${found.names}, not ${expected}`;
  if (found.outputs === undefined) return undefined;
  for (const [name, tensor] of Object.entries(wptCase.expectedOutputs)) {
    const bytes = Uint8Array.fromBase64(found.outputs[name]!).buffer;
    const { failure } = compare(decode(tensor.dataType, comparedElements(tensor), bytes), tensor, wptCase.tolerance);
    if (failure !== undefined) return `${name}${failure}`;
  }
  return undefined;
}
