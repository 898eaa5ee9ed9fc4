/**
 * Exports a sample of WPT's numeric cases with `exportOnnx`, and runs them in onnxruntime-node. The argument is the folder
 * of the cases. Prints their number, or the failures.
 */
import { createContext, exportOnnx, MLGraphBuilder } from "../../../mod.ts";
import { decode } from "../../reference/mod.ts";
import { loadCases, type WptCase } from "../../wpt_cases/cases.ts";
import { compare, comparedElements } from "../../wpt_cases/compare.ts";
import { exceptionsOf } from "../../wpt_cases/exceptions.ts";
import type { Limits } from "../../wpt_cases/limits.ts";
import { bytesOf, callOperators } from "../../wpt_cases/run_case.ts";

const ort = await import("npm:onnxruntime-node@1.30.0");

/** One in this many cases is run. */
const INTERVAL = 40;

const [folder] = Deno.args;
const context = await createContext({ device: "cpu", threads: 1 });
const limits = context.opSupportLimits() as unknown as Limits;
const known = exceptionsOf("cpu");
const cases = (await loadCases(folder!)).filter((wptCase, i) =>
  i % INTERVAL === 0 && !(wptCase.name in known) && isSupported(wptCase)
);
const failures: string[] = [];
for (const wptCase of cases) {
  const outputs = callOperators(new MLGraphBuilder(context), limits, wptCase);
  const session = await ort.InferenceSession.create(await exportOnnx(outputs), { logSeverityLevel: 4 });
  const results = await session.run(Object.fromEntries(
    Object.entries(wptCase.inputs).filter(([, { constant }]) => !constant).map(([name, tensor]) => [
      name,
      new ort.Tensor(tensor.dataType as "float32", bytesOf(tensor) as Float32Array, tensor.shape),
    ]),
  ));
  for (const [name, expected] of Object.entries(wptCase.expectedOutputs)) {
    const { buffer, byteOffset, byteLength } = results[name]!.data as Float32Array<ArrayBuffer>;
    const values = decode(
      expected.dataType,
      comparedElements(expected),
      buffer.slice(byteOffset, byteOffset + byteLength),
    );
    const { failure } = compare(values, expected, wptCase.tolerance);
    if (failure !== undefined) failures.push(`${wptCase.operator} ${wptCase.name}: ${name}${failure}`);
  }
  await session.release();
}
context.destroy();
console.log(failures.length === 0 ? `${cases.length} cases` : failures.join("\n"));

/** onnxruntime-node has no 4-bit tensors; for float16, the type of array that it needs depends on its version. */
function isSupported({ inputs, expectedOutputs }: WptCase): boolean {
  const unsupported = ["int4", "uint4", "float16"];
  return [...Object.values(inputs), ...Object.values(expectedOutputs)].every(({ dataType }) =>
    !unsupported.includes(dataType)
  );
}
