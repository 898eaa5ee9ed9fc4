/**
 * `deno task verify:export`: what `exportOnnx` makes of WPT's numeric cases is accepted by onnx.checker and PyPI's
 * onnxruntime, which computes the numbers that the cases expect. Exits with 1 if not, unless the reason is given here.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { createContext, exportOnnx, MLGraphBuilder } from "../../mod.ts";
import { runProgram, showProgress } from "../../support/program.ts";
import { pythonWith, runCommand } from "../../support/python.ts";
import { decode } from "../reference/mod.ts";
import { hasTestData, testData } from "../support/test_data.ts";
import { type CaseTensor, loadCases, type WptCase } from "./cases.ts";
import { compare, comparedElements } from "./compare.ts";
import { exceptionsOf } from "./exceptions.ts";
import { type Limits, NotInLimits } from "./limits.ts";
import { CASES } from "./main.ts";
import type { Exceptions } from "./report.ts";
import { bytesOf, callOperators } from "./run_case.ts";

const HELP = `Exports WPT's numeric cases as ONNX files, checks them with onnx.checker, and compares what PyPI's
onnxruntime computes with what the cases expect. Both are installed from PyPI into the cache.

Usage: deno task verify:export [--filter OPERATOR]

  --filter   the cases of one operator only
  --help     this text`;

const PACKAGES = ["onnx==1.18.0", "onnxruntime==1.30.0"];

/** Cases whose numbers onnxruntime computes otherwise, and why: its kernels are as they are, and our way around is not exported. */
const OTHER_NUMBERS: Exceptions = {
  ...exceptionsOf("cpu"),
  "batchNormalization default + sigmoid":
    "onnxruntime's Sigmoid has an absolute error of 6e-8, which is all of the result",
};

/** What verify_export.py is told of a case. */
interface ExportedCase {
  readonly model: string;
  readonly inputs: readonly { name: string; dataType: string; shape: readonly number[]; bytes: string }[];
  /** Whether it is not run: NumPy has no integers of 4 bits. */
  readonly isChecked: boolean;
}

/** What it finds. */
interface Findings {
  readonly onnx: string;
  readonly onnxruntime: string;
  readonly results: readonly {
    readonly error?: string;
    readonly names?: readonly string[];
    readonly inputs?: readonly string[];
    readonly outputs?: Readonly<Record<string, string>>;
  }[];
}

const OPTIONS = { string: ["filter"] } as const;

async function verify(python: string, cases: readonly WptCase[]): Promise<number> {
  const folder = await Deno.makeTempDir({ prefix: "webnn-export-" });
  try {
    const taken = await exportCases(folder, cases);
    await runCommand(python, [fileURLToPath(new URL("verify_export.py", import.meta.url)), folder]);
    return report(taken, JSON.parse(await Deno.readTextFile(`${folder}/results.json`)), cases.length);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Writes the model of each case that is within the limits, and gives those cases. */
async function exportCases(folder: string, cases: readonly WptCase[]): Promise<WptCase[]> {
  using context = await createContext({ device: "cpu" });
  const limits = context.opSupportLimits() as unknown as Limits;
  const taken: WptCase[] = [];
  const exported: ExportedCase[] = [];
  for (const [i, wptCase] of cases.entries()) {
    showProgress(i + 1 < cases.length ? `case ${i + 1} of ${cases.length}` : "");
    try {
      const model = `${taken.length}.onnx`;
      const outputs = callOperators(new MLGraphBuilder(context), limits, wptCase);
      await Deno.writeFile(`${folder}/${model}`, await exportOnnx(outputs));
      exported.push({ model, inputs: inputsOf(wptCase), isChecked: hasNibbles(wptCase) });
      taken.push(wptCase);
    } catch (error) {
      if (!(error instanceof NotInLimits)) throw new Error(`${wptCase.operator} ${wptCase.name}`, { cause: error });
    }
  }
  await Deno.writeTextFile(`${folder}/cases.json`, JSON.stringify(exported));
  return taken;
}

function inputsOf({ inputs }: WptCase): ExportedCase["inputs"] {
  return fed(inputs).map(([name, tensor]) => {
    const { buffer, byteOffset, byteLength } = bytesOf(tensor);
    const bytes = new Uint8Array(buffer, byteOffset, byteLength).toBase64();
    return { name, dataType: tensor.dataType, shape: tensor.shape, bytes };
  });
}

function fed(inputs: WptCase["inputs"]): [string, CaseTensor][] {
  return Object.entries(inputs).filter(([, { constant }]) => !constant);
}

function hasNibbles({ inputs, expectedOutputs }: WptCase): boolean {
  return [...fed(inputs), ...Object.entries(expectedOutputs)].some(([, { dataType }]) => dataType.endsWith("int4"));
}

function report(cases: readonly WptCase[], findings: Findings, all: number): number {
  const problems = cases.flatMap((wptCase, i) => {
    const problem = problemOf(wptCase, findings.results[i]!);
    return problem === undefined || wptCase.name in OTHER_NUMBERS
      ? []
      : [`${wptCase.operator} ${wptCase.name}: ${problem}`];
  });
  for (const problem of problems) console.log(problem);
  const checked = cases.filter(hasNibbles).length;
  const excepted = cases.filter(({ name }) => name in OTHER_NUMBERS).length;
  console.log(
    `verify:export: ${
      cases.length - problems.length
    } of ${cases.length} cases passed or are known to differ (${excepted}); ${checked} of ` +
      `them checked and not run (integers of 4 bits), ${all - cases.length} not within the limits; ` +
      `onnx ${findings.onnx}, onnxruntime ${findings.onnxruntime}`,
  );
  return problems.length === 0 ? 0 : 1;
}

function problemOf(wptCase: WptCase, found: Findings["results"][number]): string | undefined {
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

if (import.meta.main) {
  await runProgram("verify:export", HELP, OPTIONS, async ({ filter }) => {
    if (!hasTestData(CASES)) throw new Error(`no ${CASES} in the test data; WEBNN_TEST_DATA names its folder`);
    const cases = await loadCases(testData(CASES), filter);
    if (cases.length === 0) throw new Error(`no cases of ${filter}`);
    return await verify(await pythonWith(PACKAGES), cases);
  });
}
