/**
 * A model as a graph that is being built: for what looks at graphs, or writes them down.
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
import { buildOnnx } from "@webnn/deno/onnx";
import { fileError, messageOf } from "../errors.ts";
import { type InputOptions, type Inputs, readInputs } from "../inputs/read.ts";
import { openModel } from "./load.ts";
import { buildModule, isModule } from "./module.ts";

/** A model whose operands are there. */
export interface GraphModel {
  /** The inputs that the options give, those that nothing gives at random. */
  readonly inputs: Inputs;
  /** The outputs, for `builder.build()` or an export. */
  readonly outputs: Readonly<Record<string, MLOperand>>;
  readonly builder: MLGraphBuilder;
}

/**
 * Writes a model down on a builder, for the shapes that the options give. An error names the file, or the option.
 * @param isRun whether the model runs on those inputs: then random ones may decide over shapes too
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
    throw fileError(path, missingElements(error) ?? error);
  }
}

/** The same in the words of the command line. */
function missingElements(error: unknown): Error | undefined {
  const names = /the elements of (.+) decide over shapes/.exec(messageOf(error))?.[1];
  if (names === undefined) return undefined;
  const options = names.split(", ").map((name) => `--input ${name}=FILE`).join(" ");
  return new Error(`the elements of ${names} decide over shapes; say them: ${options}`, { cause: error });
}

/** Whether a file gives an input: one for it, or one for all. */
function isGiven(name: string, { input }: InputOptions): boolean {
  return input.some((text) => text.startsWith(`${name}=`) || /^[^=]+\.npz$/i.test(text));
}

/** Builds the graph of a model. An error names the file. */
export async function buildGraph(path: string, { builder, outputs }: GraphModel): Promise<MLGraph> {
  return await builder.build(outputs).catch((error) => {
    throw fileError(path, error);
  });
}

/** Makes tensors for a graph, with the inputs of its model, and gives what runs it once. */
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
