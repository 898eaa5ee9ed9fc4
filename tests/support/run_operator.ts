/**
 * Runs a single operator through the W3C API: builds a graph, dispatches it, and reads the outputs.
 *
 * @module
 */

import { type MLContext, type MLGraph, MLGraphBuilder, type MLOperand, type MLTensor } from "../../mod.ts";
import { isList } from "../../src/graph/graph.ts";
import type { OperatorName } from "../../src/ops/operators.ts";
import { decode, encode, type RefTensor, sizeOf } from "../reference/mod.ts";
import { positionalNames } from "./rows.ts";

/** Operands by the names in the standard, including lists and optional ones. */
export type OperandsByName<T> = Readonly<Record<string, T | readonly T[] | undefined>>;

/** A builder whose methods are called by name. */
type Methods = Readonly<Record<string, (...args: unknown[]) => MLOperand | MLOperand[]>>;

/** Calls the builder's method. The row of the operator determines the positions of operands and parameters. */
export function callOperator(
  builder: MLGraphBuilder,
  name: OperatorName,
  operands: OperandsByName<MLOperand>,
  attributes: Readonly<Record<string, unknown>> = {},
): MLOperand[] {
  const given: Readonly<Record<string, unknown>> = { ...attributes, ...operands };
  const positional = positionalNames(name);
  const options = Object.fromEntries(Object.entries(given).filter(([key]) => !positional.includes(key)));
  return [(builder as unknown as Methods)[name]!(...positional.map((key) => given[key]), options)].flat();
}

/** Runs an operator. Operands named in `constants` are constants of the graph; the others are inputs. */
export async function runOperator(
  context: MLContext,
  name: OperatorName,
  operands: OperandsByName<RefTensor>,
  attributes: Readonly<Record<string, unknown>> = {},
  constants: readonly string[] = [],
): Promise<RefTensor[]> {
  const builder = new MLGraphBuilder(context);
  const inputs: Record<string, RefTensor> = {};
  const operand = (tensor: RefTensor, key: string) => {
    const descriptor = descriptorOf(tensor);
    if (constants.includes(key)) return builder.constant(descriptor, encode(tensor.dataType, tensor.data));
    const inputName = `${key}${Object.keys(inputs).length}`;
    inputs[inputName] = tensor;
    return builder.input(inputName, descriptor);
  };
  const named = Object.fromEntries(
    Object.entries(operands).map(([key, value]) => [
      key,
      value === undefined ? undefined : isList(value) ? value.map((item) => operand(item, key)) : operand(value, key),
    ]),
  );
  const outputs = callOperator(builder, name, named, attributes);
  return await runGraph(context, builder, inputs, outputs);
}

/** Builds a graph, passes it to `inspect`, runs it, and reads all outputs. */
export async function runGraph(
  context: MLContext,
  builder: MLGraphBuilder,
  inputs: Readonly<Record<string, RefTensor>>,
  outputs: readonly MLOperand[],
  inspect: (graph: MLGraph) => void = () => {},
): Promise<RefTensor[]> {
  const graph = await builder.build(Object.fromEntries(outputs.map((output, i) => [`output${i}`, output])));
  const tensors: MLTensor[] = [];
  try {
    inspect(graph);
    const inputTensors: Record<string, MLTensor> = {};
    for (const [key, input] of Object.entries(inputs)) {
      const tensor = await context.createTensor({ ...descriptorOf(input), writable: true });
      tensors.push(inputTensors[key] = tensor);
      context.writeTensor(tensor, encode(input.dataType, input.data));
    }
    const outputTensors: Record<string, MLTensor> = {};
    for (const [i, { dataType, shape }] of outputs.entries()) {
      tensors.push(outputTensors[`output${i}`] = await context.createTensor({ dataType, shape, readable: true }));
    }
    context.dispatch(graph, inputTensors, outputTensors);
    return await Promise.all(outputs.map(async ({ dataType, shape }, i) => {
      const bytes = await context.readTensor(outputTensors[`output${i}`]!);
      return { dataType, shape: [...shape], data: decode(dataType, sizeOf(shape), bytes) };
    }));
  } finally {
    for (const tensor of tensors) tensor.destroy();
    graph.destroy();
  }
}

type Descriptor = Parameters<MLGraphBuilder["input"]>[1];

/** The descriptor for the API, which does not list the reference's two 4-bit types. */
function descriptorOf({ dataType, shape }: RefTensor): Descriptor {
  return { dataType, shape: [...shape] } as Descriptor;
}
