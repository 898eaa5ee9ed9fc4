/**
 * What `exportOnnx` writes, in onnxruntime-node: a sample of WPT's numeric cases from the folder that is named. Prints how
 * many it computed, or what it computed wrongly.
 */
import { createContext, exportOnnx, MLGraphBuilder } from "../../../mod.ts";
import { decode } from "../../reference/mod.ts";
import { loadCases, type WptCase } from "../../wpt_cases/cases.ts";
import { compare, comparedElements } from "../../wpt_cases/compare.ts";
import { exceptionsOf } from "../../wpt_cases/exceptions.ts";
import type { Limits } from "../../wpt_cases/limits.ts";
import { bytesOf, callOperators } from "../../wpt_cases/run_case.ts";

const ort = await import("npm:onnxruntime-node@1.30.0");

/** Of so many cases one is taken. */
const EACH = 40;

const [folder] = Deno.args;
const context = await createContext({ device: "cpu", threads: 1 });
const limits = context.opSupportLimits() as unknown as Limits;
const known = exceptionsOf("cpu");
const cases = (await loadCases(folder!)).filter((wptCase, i) =>
  i % EACH === 0 && !(wptCase.name in known) && isTaken(wptCase)
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

/** onnxruntime-node has no tensors of 4 bits; those of float16 it wants in an array that depends on its version. */
function isTaken({ inputs, expectedOutputs }: WptCase): boolean {
  const left = ["int4", "uint4", "float16"];
  return [...Object.values(inputs), ...Object.values(expectedOutputs)].every(({ dataType }) =>
    !left.includes(dataType)
  );
}
