/**
 * Tensors as JSON: a number, nested lists of numbers, or `{ "shape": [...], "data": [...] }` with a flat list. 64-bit
 * integers may be strings, because JSON numbers are exact only up to 2⁵³.
 *
 * @module
 */
import type { ModelPort, TensorInput } from "@webnn/deno/onnx";
import { makeElements, sizeOf } from "../elements.ts";
import { Failure, messageOf } from "../errors.ts";
import { checkShape } from "../shapes.ts";

/** Reads the value of an input. If it is a flat list, and `wanted` has as many elements, its shape is `wanted`. */
export function readJson(
  port: ModelPort,
  text: string,
  source: string,
  wanted: readonly number[] | undefined,
): TensorInput {
  const { shape, values } = tensorOf(parseJson(text, source), source);
  const isFlat = wanted !== undefined && shape.length <= 1 && sizeOf(shape) === sizeOf(wanted);
  const actual = isFlat ? wanted : shape;
  checkShape(port, actual, source);
  const element = elementReader(port, source);
  return { data: makeElements(port.dataType, values.length, (i) => element(values[i])), shape: actual };
}

function parseJson(text: string, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Failure(`${source} is not valid JSON: ${messageOf(error)}`, { cause: error });
  }
}

interface Nested {
  readonly shape: readonly number[];
  readonly values: readonly unknown[];
}

function tensorOf(value: unknown, source: string): Nested {
  if (typeof value !== "object" || value === null) return { shape: [], values: [value] };
  if (Array.isArray(value)) return { shape: shapeOf(value, source), values: value.flat(Infinity) };
  const { shape, data } = value as { shape?: unknown; data?: unknown };
  const isShape = Array.isArray(shape) && shape.every((size) => Number.isInteger(size) && size >= 0);
  if (!isShape || !Array.isArray(data)) {
    throw new Failure(`${source} must hold a number, nested lists, or an object with "shape" and "data"`);
  }
  const values = data.flat(Infinity);
  if (values.length === sizeOf(shape)) return { shape, values };
  throw new Failure(`${source} has ${values.length} elements for the shape [${shape.join(", ")}]`);
}

/** The shape of nested lists. All lists at a depth must have the same length. */
function shapeOf(list: readonly unknown[], source: string): number[] {
  const inner = list.map((item) => Array.isArray(item) ? shapeOf(item, source) : undefined);
  const [first] = inner;
  if (inner.some((shape) => String(shape) !== String(first) || (shape === undefined) !== (first === undefined))) {
    throw new Failure(`${source} has lists of different lengths in one dimension`);
  }
  return [list.length, ...first ?? []];
}

/** Returns a function that converts a JSON value to an element, or throws a Failure. */
function elementReader({ name, dataType }: ModelPort, source: string): (value: unknown) => number | bigint {
  const isFloat = dataType.startsWith("float");
  const [min, max] = rangeOf(dataType);
  return (value) => {
    if (isFloat && typeof value === "number") return value;
    const number = typeof value === "boolean" ? Number(value) : value;
    const isInteger = Number.isSafeInteger(number) || (typeof number === "string" && /^-?\d+$/.test(number));
    if (!isFloat && isInteger && BigInt(number as number) >= min && BigInt(number as number) <= max) {
      return BigInt(number as number);
    }
    const text = JSON.stringify(value) ?? "nothing";
    throw new Failure(`${source} holds ${text}, but the input ${JSON.stringify(name)} is ${dataType}`);
  };
}

function rangeOf(dataType: string): [min: bigint, max: bigint] {
  const bits = BigInt(/\d+$/.exec(dataType)![0]);
  return dataType.startsWith("u") ? [0n, (1n << bits) - 1n] : [-(1n << bits - 1n), (1n << bits - 1n) - 1n];
}
