/**
 * A model as a graph that is being built: for what looks at graphs, or writes them down.
 *
 * @module
 */
import { type MLContext, type MLGraph, MLGraphBuilder, type MLOperand, type MLTensor } from "@webnn/deno";
import { buildOnnx, inspectOnnx, type ModelPort, type TensorInput } from "@webnn/deno/onnx";
import { fileError } from "../errors.ts";
import { buildModule, isModule } from "./module.ts";
import { checkShape, completeShapes, portNamed, type Shapes } from "./shapes.ts";

/** A model whose operands are there. */
export interface GraphModel {
  /** The inputs, with fixed shapes. */
  readonly inputs: readonly ModelPort[];
  /** The outputs, for `builder.build()` or an export. */
  readonly outputs: Readonly<Record<string, MLOperand>>;
  readonly builder: MLGraphBuilder;
}

/**
 * Writes a model down on a builder. An error names the file, or the option.
 * @param given the shapes of inputs that the model leaves open
 */
export async function graphOfModel(path: string, context: MLContext, given: Shapes): Promise<GraphModel> {
  if (isModule(path)) {
    const model = await buildModule(path, context);
    checkShapes(model.inputs, given);
    return model;
  }
  try {
    const { inputs } = await inspectOnnx(path, { context });
    checkShapes(inputs, given);
    const shapes = completeShapes(inputs, given);
    const ports = inputs.map((port) => ({ ...port, shape: shapes.get(port.name)! }));
    const builder = new MLGraphBuilder(context);
    const operands = Object.fromEntries(
      ports.map(({ name, dataType, shape }) => [name, builder.input(name, { dataType, shape })]),
    );
    return { inputs: ports, outputs: await buildOnnx(builder, path, { context, inputs: operands }), builder };
  } catch (error) {
    throw fileError(path, error);
  }
}

function checkShapes(inputs: readonly ModelPort[], given: Shapes): void {
  for (const [name, shape] of given) checkShape(portNamed(inputs, name, "--shape"), shape, `--shape ${name}`);
}

/** Builds the graph of a model. An error names the file. */
export async function buildGraph(path: string, { builder, outputs }: GraphModel): Promise<MLGraph> {
  return await builder.build(outputs).catch((error) => {
    throw fileError(path, error);
  });
}

/** Makes tensors for a graph, with the given inputs, and gives what runs it once. */
export async function runnerOf(
  context: MLContext,
  graph: MLGraph,
  { outputs }: GraphModel,
  inputs: Readonly<Record<string, TensorInput & { readonly shape: readonly number[] }>>,
  dataTypes: ReadonlyMap<string, ModelPort["dataType"]>,
): Promise<() => Promise<void>> {
  const given: Record<string, MLTensor> = {};
  for (const [name, { data, shape }] of Object.entries(inputs)) {
    given[name] = await context.createTensor({ dataType: dataTypes.get(name)!, shape, writable: true });
    context.writeTensor(given[name], data);
  }
  const results: Record<string, MLTensor> = {};
  for (const [name, { dataType, shape }] of Object.entries(outputs)) {
    results[name] = await context.createTensor({ dataType, shape, readable: true });
  }
  const [first] = Object.values(results);
  return async () => {
    context.dispatch(graph, given, results);
    await context.readTensor(first!);
  };
}
