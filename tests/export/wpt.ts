/**
 * WPT's numeric cases, exported and run by onnxruntime.
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

/** Cases whose numbers onnxruntime computes otherwise, and why: its kernels are as they are, and our way around is not exported. */
const OTHER_NUMBERS: Exceptions = {
  ...exceptionsOf("cpu"),
  "batchNormalization default + sigmoid":
    "onnxruntime's Sigmoid has an absolute error of 6e-8, which is all of the result",
};

/** Verifies cases, prints what it finds, and answers the status of the program. */
export async function verifyCases(python: string, cases: readonly WptCase[]): Promise<number> {
  const taken: WptCase[] = [];
  const { onnx, onnxruntime, results } = await runModels(python, (folder) => exportCases(folder, cases, taken));
  const problems = taken.flatMap((wptCase, i) => {
    const problem = wptCase.name in OTHER_NUMBERS ? undefined : problemOf(wptCase, results[i]!);
    return problem === undefined ? [] : [`${wptCase.operator} ${wptCase.name}: ${problem}`];
  });
  for (const problem of problems) console.log(problem);
  const excepted = taken.filter(({ name }) => name in OTHER_NUMBERS).length;
  console.log(
    `verify:export: ${
      taken.length - problems.length - excepted
    } of ${taken.length} cases passed, ${excepted} are known to ` +
      `differ; ${taken.filter(hasNibbles).length} of them checked and not run (integers of 4 bits), ` +
      `${cases.length - taken.length} not within the limits; onnx ${onnx}, onnxruntime ${onnxruntime}`,
  );
  return problems.length === 0 ? 0 : 1;
}

/** Writes the model of each case that is within the limits, and adds those cases to `taken`. */
async function exportCases(folder: string, cases: readonly WptCase[], taken: WptCase[]): Promise<ExportedModel[]> {
  using context = await createContext({ device: "cpu" });
  const limits = context.opSupportLimits() as unknown as Limits;
  const exported: ExportedModel[] = [];
  for (const [i, wptCase] of cases.entries()) {
    showProgress(i + 1 < cases.length ? `case ${i + 1} of ${cases.length}` : "");
    try {
      const model = `${folder}/${taken.length}.onnx`;
      const outputs = callOperators(new MLGraphBuilder(context), limits, wptCase);
      await Deno.writeFile(model, await exportOnnx(outputs));
      exported.push({ model, inputs: inputsOf(wptCase), isChecked: hasNibbles(wptCase) });
      taken.push(wptCase);
    } catch (error) {
      if (!(error instanceof NotInLimits)) throw new Error(`${wptCase.operator} ${wptCase.name}`, { cause: error });
    }
  }
  return exported;
}

function inputsOf({ inputs }: WptCase): ExportedInput[] {
  return fed(inputs).map(([name, tensor]) => {
    const { buffer, byteOffset, byteLength } = bytesOf(tensor);
    const bytes = new Uint8Array(buffer, byteOffset, byteLength).toBase64();
    return { name, dataType: tensor.dataType, shape: tensor.shape, bytes };
  });
}

function fed(inputs: WptCase["inputs"]): [string, CaseTensor][] {
  return Object.entries(inputs).filter(([, { constant }]) => !constant);
}

/** NumPy has no integers of 4 bits. */
function hasNibbles({ inputs, expectedOutputs }: WptCase): boolean {
  return [...fed(inputs), ...Object.entries(expectedOutputs)].some(([, { dataType }]) => dataType.endsWith("int4"));
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
