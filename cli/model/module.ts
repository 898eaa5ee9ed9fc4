/**
 * Models that are programs: TypeScript modules whose default export is a function
 * `(builder: MLGraphBuilder, context: MLContext) => outputs`. It may be async; `outputs` are operands by name.
 *
 * @module
 */
import { type MLContext, MLGraphBuilder, type MLOperand } from "@webnn/deno";
import type { ModelPort } from "@webnn/deno/onnx";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Failure, fileError, messageOf } from "../errors.ts";

/** The first line of the help of commands that take a model. */
export const MODEL_HELP =
  "MODEL is an .onnx file, its https: URL, or a TypeScript module with the default export (builder, context) => outputs.";

/** Whether a model is a module that builds a graph. */
export function isModule(path: string): boolean {
  return /\.[cm]?[jt]s$/i.test(path);
}

/** The operands that a module built. */
export interface BuiltModule {
  readonly builder: MLGraphBuilder;
  readonly inputs: readonly ModelPort[];
  readonly outputs: Record<string, MLOperand>;
}

/** Runs the function of a module with a new builder. */
export async function buildModule(path: string, context: MLContext): Promise<BuiltModule> {
  const build = await importFunction(path);
  const builder = new RecordingBuilder(context);
  try {
    return { builder, inputs: builder.inputs, outputs: await build(builder, context) };
  } catch (error) {
    throw new Failure(`${path}: ${messageOf(error)}`, { cause: error });
  }
}

type BuildFunction = (
  builder: MLGraphBuilder,
  context: MLContext,
) => Record<string, MLOperand> | Promise<Record<string, MLOperand>>;

async function importFunction(path: string): Promise<BuildFunction> {
  await Deno.stat(path).catch((error) => {
    throw fileError(path, error);
  });
  const module = await import(pathToFileURL(resolve(path)).href).catch((error) => {
    throw new Failure(`${path} cannot be loaded: ${messageOf(error)}`, { cause: error });
  });
  if (typeof module.default === "function") return module.default;
  throw new Failure(`${path} needs a function as its default export: (builder, context) => outputs by name`);
}

/** A builder that records the inputs that are created. */
class RecordingBuilder extends MLGraphBuilder {
  readonly inputs: ModelPort[] = [];

  override input(...args: Parameters<MLGraphBuilder["input"]>): MLOperand {
    const operand = super.input(...args);
    const { dataType, shape } = operand;
    this.inputs.push({ name: args[0], dataType, elementType: dataType, shape });
    return operand;
  }
}

/** Describes the outputs of a graph as ports. */
export function portsOf(outputs: Readonly<Record<string, MLOperand>>): ModelPort[] {
  return Object.entries(outputs).map(([name, { dataType, shape }]) => ({
    name,
    dataType,
    elementType: dataType,
    shape,
  }));
}
