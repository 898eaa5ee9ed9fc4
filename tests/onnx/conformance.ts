/**
 * Runs one of ONNX's node tests: loads the model, runs it on the test's inputs, and compares the outputs.
 *
 * @module
 */

import { join } from "node:path";
import { createContext, type MLContext } from "@webnn/deno";
import { loadOnnx, type OnnxModel, type TensorInput } from "../../src/onnx/mod.ts";
import type { KnownTensor, ModelProto } from "../../src/onnx/model.ts";
import { Message } from "../../src/onnx/protobuf.ts";
import { finish } from "../../src/event_loop.ts";
import { readModel } from "../../src/onnx/read.ts";
import { readTensor } from "../../src/onnx/tensor.ts";
import { elementsOf } from "../../src/onnx/value.ts";

/** The result of a test. */
export type Outcome =
  /** The results are right; computed by a graph, or completely folded when it was built. */
  | { readonly name: string; readonly status: "passed"; readonly by: "graph" | "folding" }
  /** The importer rejects the model as unsupported. */
  | { readonly name: string; readonly status: "refused"; readonly reason: string }
  /** Wrong numbers or shape, or another error. */
  | { readonly name: string; readonly status: "wrong"; readonly reason: string }
  /** The test does not apply: it is random, or has types that WebNN does not support. */
  | { readonly name: string; readonly status: "other"; readonly reason: string };

/** The types of the inputs and outputs of a test that applies. */
const TYPES: readonly string[] = [
  "float32",
  "float16",
  "float64",
  "int32",
  "uint32",
  "int64",
  "uint64",
  "int8",
  "uint8",
  "bool",
];

/** Operators with random results. */
const RANDOM = /^(Bernoulli|Multinomial|Random)/;

/**
 * Tests whose expected outputs contradict the operator's definition in their own release of ONNX: they wrap outside of
 * the range of int8, but the definition says `saturate`. There, our results must be the limit of the range.
 */
const WRAPPED = /^test_qlinearmatmul_[23]D_int8_/;

/** Runs the node test in a folder. */
export async function runNodeTest(folder: string, name: string): Promise<Outcome> {
  const bytes = await Deno.readFile(join(folder, name, "model.onnx"));
  const model = readIfPossible(bytes);
  const other = typeof model === "string" ? model : otherReason(model);
  if (other || typeof model === "string") return { name, status: "other", reason: other ?? "" };
  const context = await createContext();
  try {
    const verdict = await compare(context, bytes, model, join(folder, name, "test_data_set_0"), WRAPPED.test(name));
    return { name, ...verdict };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const isRefusal = error instanceof DOMException && error.name === "NotSupportedError";
    return isRefusal ? { name, status: "refused", reason } : { name, status: "wrong", reason };
  } finally {
    context.destroy();
  }
}

function readIfPossible(bytes: Uint8Array): ModelProto | string {
  try {
    return finish(readModel(bytes, () => new Uint8Array(0)));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function otherReason({ graph }: ModelProto): string | undefined {
  const port = [...graph.inputs, ...graph.outputs].find(({ type }) => !TYPES.includes(type ?? ""));
  if (port) return port.typeName;
  const random = graph.nodes.find(({ operator }) => RANDOM.test(operator));
  return random && `${random.operator} is random`;
}

type Verdict =
  | { readonly status: "passed"; readonly by: "graph" | "folding" }
  | { readonly status: "wrong" | "other"; readonly reason: string };

async function compare(
  context: MLContext,
  bytes: Uint8Array,
  { graph }: ModelProto,
  data: string,
  wraps: boolean,
): Promise<Verdict> {
  const inputs: Record<string, TensorInput> = {};
  for (const [i, info] of graph.inputs.entries()) inputs[info.name] = asInput(await tensorAt(data, `input_${i}.pb`));
  using model = await loadOnnx(bytes, { context });
  const results = await model.run(inputs);
  for (const [i, { name }] of graph.outputs.entries()) {
    const expected = await tensorAt(data, `output_${i}.pb`);
    const { data: elements, shape } = results[name]!;
    const difference = differenceOf(elements as ArrayLike<number | bigint>, shape, expected, wraps);
    if (difference) return { status: "wrong", reason: `${name}: ${difference}` };
  }
  if (wraps) return { status: "other", reason: "the expected numbers wrap, but the definition says saturate" };
  return { status: "passed", by: await runsGraph(context, model, inputs) ? "graph" : "folding" };
}

/** Whether a run dispatches a graph. Observes one more run, for which the graph already exists. */
async function runsGraph(context: MLContext, model: OnnxModel, inputs: Record<string, TensorInput>): Promise<boolean> {
  let dispatches = 0;
  const watched = (...args: Parameters<MLContext["dispatch"]>) => {
    dispatches++;
    Object.getPrototypeOf(context).dispatch.apply(context, args);
  };
  Object.defineProperty(context, "dispatch", { value: watched, configurable: true });
  await model.run(inputs);
  return dispatches > 0;
}

async function tensorAt(folder: string, file: string): Promise<KnownTensor> {
  const bytes = await Deno.readFile(join(folder, file));
  return readTensor(new Message(bytes), () => new Uint8Array(0)).tensor;
}

/** Converts float64 to float32, which the importer uses for it. */
function asInput(tensor: KnownTensor): TensorInput {
  const elements = elementsOf(tensor);
  const data = elements instanceof Float64Array ? new Float32Array(elements) : elements;
  return { data: data as TensorInput["data"], shape: tensor.shape };
}

/** The first difference, if any. Tolerances: float32 1e-5 + 1e-3 relative, float16 1e-2 of both, integers none. */
export function differenceOf(
  actual: ArrayLike<number | bigint>,
  shape: readonly number[],
  expected: KnownTensor,
  wraps = false,
): string | undefined {
  if (shape.join() !== expected.shape.join()) return `the shape is [${shape}], not [${expected.shape}]`;
  const numbers = elementsOf(expected) as ArrayLike<number | bigint>;
  const [relative, absolute] = tolerance(expected.type);
  for (let i = 0; i < numbers.length; i++) {
    const [a, e] = [actual[i]!, numbers[i]!];
    if (a === e || (a !== a && e !== e) || (wraps && (a === -128 || a === 127))) continue;
    if (Math.abs(Number(a) - Number(e)) <= absolute + relative * Math.abs(Number(e))) continue;
    return `element ${i} is ${a}, not ${e}`;
  }
  return undefined;
}

function tolerance(type: KnownTensor["type"]): readonly [relative: number, absolute: number] {
  if (type === "float32" || type === "float64") return [1e-3, 1e-5];
  return type === "float16" ? [1e-2, 1e-2] : [0, 0];
}
