/**
 * Builds the graph of a model, for the commands that describe, profile or export it.
 *
 * @module
 */
import {
  describeGraph,
  type MLContext,
  type MLGraph,
  MLGraphBuilder,
  type MLOperand,
  type MLTensor,
} from "@webnn/deno";
import { buildOnnx, NeedsElements } from "@webnn/deno/onnx";
import { fileError } from "../errors.ts";
import { explainRandom, type InputOptions, type Inputs, isGiven, readInputs } from "../inputs/read.ts";
import { openModel } from "./load.ts";
import { buildModule, isModule } from "./module.ts";

/** A model as operands of a builder. */
export interface GraphModel {
  /** The inputs that the options give, and random ones for the others. */
  readonly inputs: Inputs;
  /** The outputs, for `builder.build()` or an export. */
  readonly outputs: Readonly<Record<string, MLOperand>>;
  readonly builder: MLGraphBuilder;
}

/**
 * Builds the operands of a model for the shapes of the options. An error names the file or the option.
 * @param isRun whether the model will run on these inputs: then shapes may depend on random inputs too
 */
export async function graphOfModel(
  path: string,
  context: MLContext,
  options: InputOptions,
  isRun: boolean,
): Promise<GraphModel> {
  if (isModule(path)) {
    const { builder, inputs, outputs } = await buildModule(path, context);
    return { builder, inputs: await readInputs(inputs, options), outputs };
  }
  const { inputs: ports } = await openModel(path, context);
  const inputs = await readInputs(ports, options);
  const builder = new MLGraphBuilder(context);
  const operands = Object.fromEntries(
    ports.map(({ name, dataType }) => [name, builder.input(name, { dataType, shape: inputs[name]!.shape })]),
  );
  const elements = Object.fromEntries(Object.entries(inputs).filter(([name]) => isRun || isGiven(name, options)));
  try {
    return { inputs, outputs: await buildOnnx(builder, path, { context, inputs: operands, elements }), builder };
  } catch (error) {
    throw fileError(path, missingElements(error) ?? (isRun ? explainRandom(error, ports, options) : error));
  }
}

/** Replaces the importer's error about missing elements by one that names the option. */
export function missingElements(error: unknown): Error | undefined {
  if (!(error instanceof NeedsElements)) return undefined;
  const options = error.inputs.map((name) => `--input ${name}=FILE`).join(" ");
  return new Error(`shapes depend on the elements of ${error.inputs.join(", ")}; give them with ${options}`, {
    cause: error,
  });
}

/** Builds the graph of a model. An error names the file. */
export async function buildGraph(path: string, { builder, outputs }: GraphModel): Promise<MLGraph> {
  return await builder.build(outputs).catch((error) => {
    throw fileError(path, error);
  });
}

/** Makes the tensors of a graph and writes its inputs. Returns a function that runs the graph once. */
export async function runnerOf(
  context: MLContext,
  graph: MLGraph,
  { inputs }: GraphModel,
): Promise<() => Promise<void>> {
  const given: Record<string, MLTensor> = {};
  const results: Record<string, MLTensor> = {};
  for (const node of describeGraph(graph).nodes) {
    if (node.kind !== "input" && node.kind !== "output") continue;
    const { name, dataType, shape } = node;
    if (node.kind === "output") results[name] = await context.createTensor({ dataType, shape, readable: true });
    else {
      given[name] = await context.createTensor({ dataType, shape, writable: true });
      context.writeTensor(given[name], inputs[name]!.data);
    }
  }
  const [first] = Object.values(results);
  return async () => {
    context.dispatch(graph, given, results);
    await context.readTensor(first!);
  };
}
