/**
 * Loads models that run: ONNX files, and modules that build graphs.
 *
 * @module
 */
import type { MLContext, MLTensor } from "@webnn/deno";
import {
  inspectOnnx,
  loadOnnx,
  type ModelPort,
  type TensorInput,
  type TensorOutput,
  type UnsupportedNode,
} from "@webnn/deno/onnx";
import { arrayOf } from "../elements.ts";
import { fileError, namingFile } from "../errors.ts";
import { buildModule, type BuiltModule, isModule, portsOf } from "./module.ts";
import { dimensionsOf, type Shapes } from "../shapes.ts";

/** A model that is ready to run. */
export interface LoadedModel extends Disposable {
  readonly inputs: readonly ModelPort[];
  readonly outputs: readonly ModelPort[];
  run(inputs: Readonly<Record<string, TensorInput>>): Promise<Record<string, TensorOutput>>;
}

/** A model with known inputs. It is built when the shapes are known too. */
export interface OpenedModel {
  readonly inputs: readonly ModelPort[];
  /** Builds the model for some shapes of its inputs. */
  load(shapes: Shapes): Promise<LoadedModel>;
}

/** Reads the inputs of a model. An error names the file. */
export async function openModel(path: string, context: MLContext): Promise<OpenedModel> {
  if (isModule(path)) {
    const built = await buildModule(path, context);
    return { inputs: built.inputs, load: () => namingFile(path, () => compileModule(built, context)) };
  }
  const { inputs, unsupported } = await namingFile(path, () => inspectOnnx(path, { context }));
  if (unsupported.length > 0) throw fileError(path, notSupported(unsupported));
  return { inputs, load: (shapes) => loadModel(path, context, dimensionsOf(inputs, shapes)) };
}

/** The error for unsupported nodes. It comes before inputs are read, because an input may be unsupported too. */
function notSupported(unsupported: readonly UnsupportedNode[]): Error {
  const lines = unsupported.map(({ operator, name, reason }) => `${operator} (${name}): ${reason}`);
  return new Error(["WebNN cannot compute these parts of the model:", ...lines].join("\n"));
}

/** Loads a model with the given sizes of free dimensions. An error names the file. */
export function loadModel(
  path: string,
  context: MLContext,
  dimensions: Readonly<Record<string, number>>,
): Promise<LoadedModel> {
  return namingFile(path, async () => {
    if (isModule(path)) return await compileModule(await buildModule(path, context), context);
    return await loadOnnx(path, { context, dimensions });
  });
}

async function compileModule({ builder, inputs, outputs }: BuiltModule, context: MLContext): Promise<LoadedModel> {
  const graph = await builder.build(outputs);
  const ports = portsOf(outputs);
  const inputTensors = await makeTensors(context, inputs, { writable: true });
  const outputTensors = await makeTensors(context, ports, { readable: true });
  const run = async (given: Readonly<Record<string, TensorInput>>) => {
    for (const [name, tensor] of Object.entries(inputTensors)) context.writeTensor(tensor, given[name]!.data);
    context.dispatch(graph, inputTensors, outputTensors);
    return await readAll(context, outputTensors);
  };
  return { inputs, outputs: ports, run, [Symbol.dispose]: () => graph.destroy() };
}

async function makeTensors(
  context: MLContext,
  ports: readonly ModelPort[],
  usage: { writable?: boolean; readable?: boolean },
): Promise<Record<string, MLTensor>> {
  const tensors: Record<string, MLTensor> = {};
  for (const { name, dataType, shape } of ports) {
    tensors[name] = await context.createTensor({ dataType, shape: shape as number[], ...usage });
  }
  return tensors;
}

async function readAll(
  context: MLContext,
  tensors: Readonly<Record<string, MLTensor>>,
): Promise<Record<string, TensorOutput>> {
  const read = async ([name, tensor]: [string, MLTensor]) => {
    const { dataType, shape } = tensor;
    const data = arrayOf(dataType, new Uint8Array(await context.readTensor(tensor)));
    return [name, { data, shape, dataType }] as const;
  };
  return Object.fromEntries(await Promise.all(Object.entries(tensors).map(read)));
}
