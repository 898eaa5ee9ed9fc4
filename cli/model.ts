/**
 * Models: an ONNX file, or a TypeScript module that builds a graph.
 *
 * A module exports by default a function `(builder: MLGraphBuilder, context: MLContext) => outputs`, which may be async;
 * `outputs` are operands by name.
 *
 * @module
 */
import { type ContextOptions, createContext, type MLContext, MLGraphBuilder, type MLOperand } from "@webnn/deno";
import type { ModelPort } from "@webnn/deno/onnx";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type Options, positiveInteger } from "./command.ts";
import { Failure, fileError, messageOf } from "./errors.ts";

/** Options of the commands that open a device. */
export const DEVICE_OPTIONS = {
  device: {
    kind: "text",
    value: "NAME",
    help: "cpu, gpu, npu, or a provider that webnn devices lists, such as openvino (cpu)",
  },
  threads: { kind: "text", value: "N", help: "how many CPU threads may be used (as many as cores)" },
} as const satisfies Options;

/** Opens the device that the options name. */
export function openContext(
  { device, threads }: { readonly device?: string | undefined; readonly threads?: string | undefined },
  others: ContextOptions = {},
): Promise<MLContext> {
  return createContext({
    ...(device === undefined ? {} : deviceOptions(device)),
    ...(threads === undefined ? {} : { threads: positiveInteger(threads, "--threads") }),
    ...others,
  });
}

/** The options of a context for what `--device` names. */
export function deviceOptions(name: string): ContextOptions {
  if (name === "cpu" || name === "gpu" || name === "npu") return { device: name };
  return name === "coreml" ? { backend: "coreml" } : { provider: name };
}

/** Whether a model is a program that builds it. */
export function isModule(path: string): boolean {
  return /\.[cm]?[jt]s$/i.test(path);
}

/** What a module built. */
export interface BuiltModule {
  readonly builder: MLGraphBuilder;
  readonly inputs: readonly ModelPort[];
  readonly outputs: Record<string, MLOperand>;
}

/** Runs the function of a module on a builder of its own. */
export async function buildModule(path: string, context: MLContext): Promise<BuiltModule> {
  const build = await importFunction(path);
  const builder = new NotingBuilder(context);
  try {
    const outputs = await build(builder, context);
    return { builder, inputs: builder.inputs, outputs };
  } catch (error) {
    throw new Failure(`${path}: ${messageOf(error)}`, { cause: error });
  }
}

type BuildFunction = (builder: MLGraphBuilder, context: MLContext) => Promise<Record<string, MLOperand>>;

async function importFunction(path: string): Promise<BuildFunction> {
  await Deno.stat(path).catch((error) => {
    throw fileError(path, error);
  });
  const module = await import(pathToFileURL(resolve(path)).href).catch((error) => {
    throw new Failure(`${path} cannot be loaded: ${messageOf(error)}`, { cause: error });
  });
  if (typeof module.default === "function") return module.default;
  throw new Failure(`${path} exports no function by default; it must be (builder, context) => outputs by name`);
}

/** A builder that remembers which inputs it was asked for. */
class NotingBuilder extends MLGraphBuilder {
  readonly inputs: ModelPort[] = [];

  override input(...args: Parameters<MLGraphBuilder["input"]>): MLOperand {
    const operand = super.input(...args);
    this.inputs.push({ name: args[0], dataType: operand.dataType, shape: operand.shape });
    return operand;
  }
}

/** The outputs of a graph as ports. */
export function portsOf(outputs: Readonly<Record<string, MLOperand>>): ModelPort[] {
  return Object.entries(outputs).map(([name, { dataType, shape }]) => ({ name, dataType, shape }));
}
