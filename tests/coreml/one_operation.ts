/**
 * Runs one MIL operation on given or generated values, and checks its outputs.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { MilConstant, MilOperation, MilType } from "../../src/backends/coreml/mil.ts";
import { evaluate, type RefTensor } from "../reference/mod.ts";
import { random } from "../../support/random.ts";
import { constantValue, runOperation, type Tensor, tensorOf } from "./interpreter/mod.ts";

/** The types of tensors. */
export type Numeric = Tensor["dataType"];

/** The types of the operations that {@linkcode run} has run. */
export const testedTypes: Set<string> = new Set();

/** A tensor of numbers. */
export function tensor(type: Numeric, shape: readonly number[], data: readonly number[]): Tensor {
  return tensorOf(type, shape, data);
}

/** A scalar. */
export function scalar(type: Numeric, value: number): Tensor {
  return tensor(type, [], [value]);
}

/** A vector of int32. */
export function ints(...values: number[]): Tensor {
  return tensor("int32", [values.length], values);
}

/** The two boolean scalars. */
export const YES = scalar("bool", 1);
export const NO = scalar("bool", 0);

/** Uniform random numbers in [−2, 2). */
export function noise(type: Numeric, shape: readonly number[], seed = 1): Tensor {
  const next = random(seed);
  const count = shape.reduce((product, dimension) => product * dimension, 1);
  return tensor(type, shape, Array.from({ length: count }, () => 4 * next() - 2));
}

/** A constant with the elements of a tensor. */
export function constant(name: string, { dataType, shape, data }: Tensor): MilConstant {
  return { name, dataType, shape, data: new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength) };
}

/** A string constant. */
export function text(name: string, data: string): MilConstant {
  return { name, dataType: "string", shape: [], data };
}

/** Parameters by name. */
export type Inputs = Readonly<Record<string, Tensor | string | readonly Tensor[]>>;

function operand(name: string, value: Tensor | string | readonly Tensor[]): MilConstant | MilConstant[] {
  if (typeof value === "string") return text(name, value);
  return "dataType" in value ? constant(name, value) : value.map((item, i) => constant(`${name}_${i}`, item));
}

/** Runs one operation on constants. `expected` has the types of the outputs. */
export function run(type: string, inputs: Inputs, expected: readonly Pick<Tensor, "dataType" | "shape">[]): Tensor[] {
  testedTypes.add(type);
  const operands = Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, operand(name, value)]));
  const attributes = type.startsWith("constexpr_");
  const operation: MilOperation = {
    type,
    name: `${type}_0`,
    inputs: attributes ? {} : operands,
    outputs: expected.map(({ dataType, shape }, i) => ({ name: `output_${i}`, dataType, shape })),
    ...(attributes && { attributes: operands as Record<string, MilConstant> }),
  };
  return runOperation(operation, (value) => constantValue(value as MilConstant));
}

/** The maximum difference between computations that round intermediate results differently. */
const TOLERANCES: Partial<Record<MilType, number>> = { fp32: 2 ** -19, fp16: 2 ** -8 };

/** Asserts type, shape and elements. */
export function assertClose(actual: Tensor, expected: Tensor, message: string): void {
  const tolerance = TOLERANCES[expected.dataType] ?? 0;
  assertEquals([actual.dataType, actual.shape], [expected.dataType, expected.shape], message);
  expected.data.forEach((value, i) => {
    const found = actual.data[i]!;
    const allowed = Number.isFinite(value) ? tolerance * Math.max(1, Math.abs(value)) : 0;
    const close = Object.is(found, value) || Math.abs(found - value) <= allowed;
    assert(close, `${message}: element ${i} is ${found}, not ${value}`);
  });
}

const REFERENCE_TYPES = { fp32: "float32", fp16: "float16", int32: "int32", int8: "int8", uint8: "uint8" } as const;

function toReference({ dataType, shape, data }: Tensor): RefTensor {
  return { dataType: REFERENCE_TYPES[dataType as keyof typeof REFERENCE_TYPES], shape, data: [...data] };
}

/** The result of WebNN's reference, as MIL values. */
export function reference(
  name: string,
  operands: Readonly<Record<string, Tensor>>,
  attributes: Readonly<Record<string, unknown>> = {},
): Tensor[] {
  const converted = Object.entries(operands).map(([name, value]) => [name, toReference(value)]);
  const types = Object.fromEntries(Object.entries(REFERENCE_TYPES).map(([mil, webnn]) => [webnn, mil as Numeric]));
  return evaluate(name, Object.fromEntries(converted), attributes).map(({ dataType, shape, data }) =>
    tensor(types[dataType]!, shape, data.map(Number))
  );
}

/** Asserts that an operation has these outputs. */
export function assertAgrees(type: string, inputs: Inputs, expected: readonly Tensor[]): void {
  const actual = run(type, inputs, expected);
  expected.forEach((output, i) => assertClose(actual[i]!, output, type));
}
