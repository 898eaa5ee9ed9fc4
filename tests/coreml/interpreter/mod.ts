/**
 * An interpreter of ML Programs for tests: simple, strict, and independent of the lowering and the encoder.
 *
 * It runs a program that was read back from its bytes. It rejects programs that Core ML rejects or is known to compute
 * wrongly: with unknown operations, unknown or missing parameters, variables where constants are required, types or
 * shapes that differ from their declaration, or indices out of range.
 *
 * @module
 */

import type { MilConstant, MilOperation, MilProgram, MilValue } from "../../../src/backends/coreml/mil.ts";
import { sameShape } from "../../../src/shape.ts";
import { binary } from "./binary.ts";
import { convolution } from "./convolution.ts";
import { elementwise } from "./elementwise.ts";
import { indexing } from "./indexing.ts";
import { matrix } from "./matrix.ts";
import { movement } from "./movement.ts";
import { normalization } from "./normalization.ts";
import { isInlineConstant, type Parameters, parametersOf, type Rows, type Value } from "./operation.ts";
import { pooling } from "./pooling.ts";
import { quantization } from "./quantization.ts";
import { recurrent } from "./recurrent.ts";
import { reduction } from "./reduction.ts";
import { resample } from "./resample.ts";
import { type Elements, formatType, type Tensor, tensorOfBytes, tensorOfConstant } from "./tensor.ts";

export { type Elements, type Tensor, tensorOf } from "./tensor.ts";

/** All operations of the interpreter, by their MIL names. */
export const OPERATIONS: Rows = {
  ...binary,
  ...convolution,
  ...elementwise,
  ...indexing,
  ...matrix,
  ...movement,
  ...normalization,
  ...pooling,
  ...quantization,
  ...recurrent,
  ...reduction,
  ...resample,
};

/** The types of a model's inputs and outputs. */
const FEATURE_TYPES = ["fp32", "fp16", "int32"];

/** Core ML's highest rank. */
const MAX_RANK = 5;

/**
 * Runs a program.
 * @param program with one function, including its constants
 * @param inputs by name: bytes (little-endian), or a typed array of the input's type
 * @returns the outputs by name
 * @throws {TypeError} if the program or an input is wrong; the message names the operation
 * @throws {RangeError} if an index or a divisor has an undefined result on Core ML
 */
export function runProgram(
  program: MilProgram,
  inputs: Readonly<Record<string, Elements>>,
): Record<string, Tensor> {
  const values = new Map<string, Value>();
  const define = (name: string, value: Value) => {
    if (values.has(name)) throw new TypeError(`two values have the name ${name}`);
    values.set(name, value);
  };
  for (const input of program.inputs) {
    checkFeature("input", input);
    define(input.name, { content: readInput(input, inputs[input.name]), constant: false });
  }
  for (const constant of program.constants) {
    checkShape(constant);
    define(constant.name, constantValue(constant));
  }
  for (const operation of program.operations) {
    const constant = operation.type.startsWith("constexpr_");
    runOperation(operation, (value) => lookUp(values, value)).forEach((content, i) => {
      define(operation.outputs[i]!.name, { content, constant });
    });
  }
  const computed = new Set(program.operations.flatMap(({ outputs }) => outputs.map(({ name }) => name)));
  return Object.fromEntries(program.outputs.map((output) => {
    checkFeature("output", output);
    if (!computed.has(output.name)) throw new TypeError(`output ${output.name} is not the result of an operation`);
    return [output.name, checkedOutput(output, values.get(output.name)!.content as Tensor)];
  }));
}

/**
 * Runs one operation and checks its outputs.
 * @param valueOf returns the value of an earlier operation, an input or a constant
 * @returns the outputs in order
 */
export function runOperation(operation: MilOperation, valueOf: (value: MilValue) => Value): Tensor[] {
  const row = OPERATIONS[operation.type];
  if (row === undefined) throw new TypeError(`the interpreter has no operation ${operation.type} (${operation.name})`);
  try {
    const parameters: Parameters = parametersOf(operation, row, valueOf);
    const computed = [row.compute(parameters)].flat();
    if (computed.length !== operation.outputs.length) {
      throw new TypeError(`has ${computed.length} outputs, not ${operation.outputs.length}`);
    }
    return operation.outputs.map((output, i) => checkedOutput(output, computed[i]!));
  } catch (error) {
    if (error instanceof Error) error.message = `${operation.type} ${operation.name}: ${error.message}`;
    throw error;
  }
}

/** The value of a constant. */
export function constantValue(constant: MilConstant): Value {
  return { content: typeof constant.data === "string" ? constant.data : tensorOfConstant(constant), constant: true };
}

function lookUp(values: ReadonlyMap<string, Value>, value: MilValue): Value {
  const found = values.get(value.name);
  if (found !== undefined) return found;
  if (isInlineConstant(value)) return constantValue(value);
  throw new TypeError(`nothing defines ${value.name} before it is read`);
}

function readInput(input: MilValue, given: Elements | undefined): Tensor {
  if (given === undefined) throw new TypeError(`input ${input.name} is missing`);
  const bytes = new Uint8Array(given.buffer as ArrayBuffer, given.byteOffset, given.byteLength);
  const tensor = tensorOfBytes(`input ${input.name}`, input, bytes);
  if (!(given instanceof Uint8Array) && given.constructor !== tensor.data.constructor) {
    throw new TypeError(`input ${input.name} is ${input.dataType}, not the elements of a ${given.constructor.name}`);
  }
  return tensor;
}

function checkFeature(kind: string, value: MilValue): void {
  checkShape(value);
  if (!FEATURE_TYPES.includes(value.dataType) || value.shape.length === 0) {
    throw new TypeError(
      `${kind} ${value.name} must be fp32, fp16 or int32 of rank 1 or more, not ${formatType(value)}`,
    );
  }
}

function checkShape(value: MilValue): void {
  if (value.shape.length > MAX_RANK || value.shape.some((dimension) => dimension < 1)) {
    throw new TypeError(`${value.name} is ${formatType(value)}: its rank is over ${MAX_RANK}, or a dimension is 0`);
  }
}

/** Checks that a result has its declared type. */
function checkedOutput(declared: MilValue, computed: Tensor): Tensor {
  checkShape(declared);
  if (declared.dataType !== computed.dataType || !sameShape(declared.shape, computed.shape)) {
    throw new TypeError(`${declared.name} is declared as ${formatType(declared)} but is ${formatType(computed)}`);
  }
  return computed;
}
