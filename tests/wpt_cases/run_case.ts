/**
 * Runs a case with the W3C API: build, dispatch, read, compare.
 *
 * @module
 */

import { type MLContext, type MLGraph, MLGraphBuilder, MLOperand, type MLTensor } from "../../mod.ts";
import { decode, encode, sizeOf } from "../reference/mod.ts";
import { type CaseOperator, type CaseTensor, resolveOperands, resolveOptions, type WptCase } from "./cases.ts";
import { compare, comparedElements, type Comparison } from "./compare.ts";
import {
  checkGraphLimits,
  checkOperandLimits,
  checkOutputLimits,
  type Limits,
  namedOperands,
  NotInLimits,
} from "./limits.ts";
import type { CaseResult } from "./report.ts";

/** A builder whose methods are called by name. */
type BuilderMethods = Readonly<Record<string, (...args: unknown[]) => MLOperand | MLOperand[]>>;

/** Runs a case on a context with the given `opSupportLimits()`. Never rejects. */
export async function runCase(context: MLContext, limits: Limits, wptCase: WptCase): Promise<CaseResult> {
  const { operator, name, required, tolerance: { metricType, value } } = wptCase;
  const common = { operator, name, required, tolerance: `${value} ${metricType}` };
  try {
    const comparisons = await compareOutputs(context, limits, wptCase);
    const error = Math.max(...comparisons.map((comparison) => comparison.error));
    const failures = comparisons.flatMap(({ failure }) => failure ?? []);
    return failures.length === 0
      ? { ...common, outcome: "passed", error }
      : { ...common, outcome: "failed", error, reason: failures.join("; ") };
  } catch (thrown) {
    const outcome = thrown instanceof NotInLimits ? "not supported" : "failed";
    return { ...common, outcome, reason: describe(thrown) };
  }
}

/** The thrown value, in one line. */
function describe(thrown: unknown): string {
  const text = thrown instanceof NotInLimits ? thrown.message : String(thrown);
  return text.replaceAll(/\s+/g, " ").trim();
}

async function compareOutputs(context: MLContext, limits: Limits, wptCase: WptCase): Promise<Comparison[]> {
  const graph = await buildGraph(context, limits, wptCase);
  try {
    return await computeAndCompare(context, graph, wptCase);
  } finally {
    graph.destroy();
  }
}

function buildGraph(context: MLContext, limits: Limits, wptCase: WptCase): Promise<MLGraph> {
  const builder = new MLGraphBuilder(context);
  return builder.build(callOperators(builder, limits, wptCase));
}

/**
 * Calls the operators of a case on a builder, and returns the outputs.
 * @throws {NotInLimits} if the context does not support the case
 */
export function callOperators(builder: MLGraphBuilder, limits: Limits, wptCase: WptCase): Record<string, MLOperand> {
  const operands = new Map<string, MLOperand>();
  for (const [name, tensor] of Object.entries(wptCase.inputs)) {
    checkGraphLimits(limits, tensor.constant ? "constant" : "input", tensor);
    const descriptor = descriptorOf(tensor);
    const operand = tensor.constant ? builder.constant(descriptor, bytesOf(tensor)) : builder.input(name, descriptor);
    operands.set(name, operand);
  }
  for (const operator of wptCase.operators) callBuilder(builder, limits, operator, operands);
  const outputs = Object.entries(wptCase.expectedOutputs).map(([name, expected]): [string, MLOperand] => {
    checkGraphLimits(limits, "output", expected);
    checkDescriptor(name, operands.get(name)!, expected);
    return [name, operands.get(name)!];
  });
  return Object.fromEntries(outputs);
}

function callBuilder(
  builder: MLGraphBuilder,
  limits: Limits,
  { name, arguments: positional, options, outputs }: CaseOperator,
  operands: Map<string, MLOperand>,
): void {
  const args = positional.map((argument) => resolveOperands(argument, operands));
  const resolved = resolveOptions(options ?? {}, operands);
  for (const [operandName, operand] of namedOperands(name, args, resolved, (value) => value instanceof MLOperand)) {
    checkOperandLimits(limits, name, operandName, operand);
  }
  const methods = builder as unknown as BuilderMethods;
  const results = withinLimits(() => [methods[name]!(...args, ...(options === undefined ? [] : [resolved]))].flat());
  checkOutputLimits(limits, name, results);
  if (results.length !== outputs.length) {
    throw new Error(`${name} returned ${results.length} operands, not ${outputs.length}`);
  }
  outputs.forEach((output, i) => operands.set(output, results[i]!));
}

/** Converts the builder's error for an output that is not in `opSupportLimits()` to NotInLimits. */
function withinLimits<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    const lacking = /: the output would (?:be|have) (\w+|rank \d+)(?:, which is not|; at most \d+ is) supported$/;
    const [, what] = lacking.exec(String(error)) ?? [];
    throw what === undefined ? error : new NotInLimits(`output ${what}`);
  }
}

function checkDescriptor(name: string, { dataType, shape }: MLOperand, expected: CaseTensor): void {
  if (dataType === expected.dataType && `${shape}` === `${expected.shape}`) return;
  throw new Error(`${name} is ${dataType} [${shape}], not ${expected.dataType} [${expected.shape}]`);
}

async function computeAndCompare(context: MLContext, graph: MLGraph, wptCase: WptCase): Promise<Comparison[]> {
  const tensors: MLTensor[] = [];
  const create = async (tensor: CaseTensor, access: "readable" | "writable") => {
    const created = await context.createTensor({ ...descriptorOf(tensor), [access]: true });
    tensors.push(created);
    return created;
  };
  try {
    const inputs: Record<string, MLTensor> = {};
    for (const [name, tensor] of Object.entries(wptCase.inputs).filter(([, tensor]) => !tensor.constant)) {
      inputs[name] = await create(tensor, "writable");
      context.writeTensor(inputs[name], bytesOf(tensor));
    }
    const outputs: Record<string, MLTensor> = {};
    for (const [name, expected] of Object.entries(wptCase.expectedOutputs)) {
      outputs[name] = await create(expected, "readable");
    }
    context.dispatch(graph, inputs, outputs);
    return await Promise.all(
      Object.entries(outputs).map(async ([name, tensor]) => {
        const expected = wptCase.expectedOutputs[name]!;
        const bytes = await context.readTensor(tensor);
        const comparison = compare(
          decode(expected.dataType, comparedElements(expected), bytes),
          expected,
          wptCase.tolerance,
        );
        return comparison.failure === undefined
          ? comparison
          : { ...comparison, failure: `${name}${comparison.failure}` };
      }),
    );
  } finally {
    tensors.forEach((tensor) => tensor.destroy());
  }
}

/** The descriptor for the API; {@linkcode checkGraphLimits} has rejected types that are not in its enumeration. */
function descriptorOf({ dataType, shape }: CaseTensor): Parameters<MLContext["createTensor"]>[0] {
  return { dataType, shape: [...shape] } as Parameters<MLContext["createTensor"]>[0];
}

/** The bytes of a tensor. */
export function bytesOf({ dataType, shape, data, fill }: CaseTensor): ArrayBufferView<ArrayBuffer> {
  const bytes = encode(dataType, data);
  if (!fill) return bytes;
  const filled = encode(dataType, []).constructor as new (
    length: number,
  ) => { fill(value: unknown): ArrayBufferView<ArrayBuffer> };
  return new filled(sizeOf(shape)).fill(data[0]);
}
