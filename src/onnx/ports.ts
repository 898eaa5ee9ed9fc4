/**
 * The inputs and outputs of a model: their possible shapes, and the values that callers pass.
 *
 * @module
 */

import type { MLOpSupportLimits } from "../api/support_limits.ts";
import { type MLOperandDataType, VIEW_NAMES } from "../data_type.ts";
import { withArticle } from "../errors.ts";
import { elementCount, formatShape } from "../shape.ts";
import type { Dimension, ElementType, KnownTensor, OnnxGraph, ValueInfo } from "./model.ts";
import { ARRAYS, bytesNeeded, isPlain, operandType } from "./element_type.ts";

/** The elements of a tensor, in the typed array of its data type; float16 also as bits in a Uint16Array. */
export type TensorData =
  | Float32Array
  | Float16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Int8Array
  | Uint8Array
  | Uint16Array;

/** An input of a run. */
export interface TensorInput {
  /** The elements in row-major order. */
  readonly data: TensorData;
  /** The shape; optional if the model and the number of elements determine it. */
  readonly shape?: readonly number[];
}

/** An output of a run. */
export interface TensorOutput {
  /** The elements in row-major order; four-bit integers are packed two per byte. */
  readonly data: TensorData;
  /** The shape; `[]` for a scalar. */
  readonly shape: readonly number[];
  /** The data type of the elements. */
  readonly dataType: MLOperandDataType;
}

/** An input or output of a model. Bool becomes uint8 with 0 and 1, as always in WebNN, and float64 becomes float32. */
export interface ModelPort {
  /** The name in the model. */
  readonly name: string;
  /** The data type that `run()` accepts or returns. */
  readonly dataType: MLOperandDataType;
  /** The element type in the model. */
  readonly elementType: ElementType;
  /**
   * For each dimension, its size; its name if it is free; or `null` if it is free and has no name. `undefined` if the
   * model does not specify the rank.
   */
  readonly shape: readonly Dimension[] | undefined;
}

/** The bytes and shape of an input in a run. */
export interface GivenInput {
  readonly bytes: Uint8Array;
  readonly shape: readonly number[];
}

/** Describes an input or output for a caller; `undefined` if WebNN does not support its type. */
export function portOf({ name, type, shape }: ValueInfo, limits: MLOpSupportLimits): ModelPort | undefined {
  if (type === undefined || type === "string" || type === "other") return undefined;
  return { name, dataType: operandType(type, limits), elementType: type, shape };
}

/** Replaces the free dimensions whose sizes are known. */
export function fixDimensions(
  shape: readonly Dimension[] | undefined,
  dimensions: Readonly<Record<string, number>>,
): readonly Dimension[] | undefined {
  return shape?.map((size) => typeof size === "string" ? dimensions[size] ?? size : size);
}

/** The names of free dimensions, `port[axis]` for those without a name, and the names of ports without a shape. */
export function freeDimensions(ports: readonly ModelPort[]): string[] {
  const free = ports.flatMap(({ name, shape }) =>
    shape?.flatMap((size, axis) => typeof size === "number" ? [] : [size ?? `${name}[${axis}]`]) ?? [name]
  );
  return [...new Set(free)];
}

/** The shape if all its dimensions are sizes; otherwise `undefined`. */
export function fixedShape(shape: readonly Dimension[] | undefined): readonly number[] | undefined {
  return shape?.every((size) => typeof size === "number") ? shape as readonly number[] : undefined;
}

/** Rejects invalid sizes of free dimensions. */
export function checkDimensions(dimensions: Readonly<Record<string, number>>, where: string): void {
  for (const [name, size] of Object.entries(dimensions)) {
    if (!Number.isInteger(size) || size < 0 || size > 2 ** 31 - 1) {
      throw new TypeError(`${where}: dimensions.${name} must be an integer from 0 to 2147483647, not ${size}`);
    }
  }
}

/**
 * Rejects a name unless it is a free dimension of an input or output. A size for a dimension that only inner values
 * have would have no effect.
 */
export function checkDimensionNames(
  dimensions: Readonly<Record<string, number>>,
  { inputs, outputs }: Pick<OnnxGraph, "inputs" | "outputs">,
  where: string,
): void {
  const shapes = [...inputs, ...outputs].flatMap(({ shape }) => shape ?? []);
  const free = new Set(shapes.filter((size) => typeof size === "string"));
  for (const name of Object.keys(dimensions)) {
    if (free.has(name)) continue;
    const names = Array.from(free, (known) => JSON.stringify(known)).join(", ");
    throw new TypeError(
      `${where}: the model has no free dimension ${JSON.stringify(name)}; its free dimensions: ${
        names || (shapes.includes(null) ? "none with a name" : "none")
      }`,
    );
  }
}

/** Checks the value passed for an input. `sizes` collects the sizes of free dimensions, on which inputs must agree. */
export function checkInput(
  port: ModelPort,
  value: unknown,
  sizes: Map<string, { size: number; input: string }>,
  where: string,
): GivenInput {
  const what = `${where}: the input ${JSON.stringify(port.name)}`;
  const { data, shape: given } = ArrayBuffer.isView(value)
    ? { data: value, shape: undefined }
    : (value ?? {}) as { data?: unknown; shape?: unknown };
  if (!ArrayBuffer.isView(data)) {
    throw new TypeError(
      `${what} must be ${withArticle(VIEW_NAMES[port.dataType][0]!)}, or { data, shape } with such data`,
    );
  }
  const kind = Object.prototype.toString.call(data).slice(8, -1);
  if (!VIEW_NAMES[port.dataType].includes(kind)) {
    throw new TypeError(
      `${what} is ${port.dataType} and must be ${withArticle(VIEW_NAMES[port.dataType].join(" or "))}, not ${
        withArticle(kind)
      }`,
    );
  }
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const shape = given === undefined ? guessShape(port, data, what) : checkShape(port, given, what);
  for (const [axis, size] of (port.shape ?? []).entries()) {
    if (typeof size === "string") checkSize(size, shape[axis]!, port.name, sizes, where);
  }
  const needed = bytesNeeded(port.dataType, shape);
  if (bytes.byteLength !== needed) {
    throw new TypeError(
      given === undefined
        ? `${what} has ${lengthOf(data)} elements, which do not match ${formatDimensions(port.shape!)}`
        : `${what} has ${bytes.byteLength} bytes; ${port.dataType} ${formatShape(shape)} needs ${needed}`,
    );
  }
  return { bytes, shape };
}

function checkShape(port: ModelPort, given: unknown, what: string): readonly number[] {
  if (!Array.isArray(given) || !given.every((size) => Number.isInteger(size) && size >= 0)) {
    throw new TypeError(`${what} must have a shape of non-negative integers`);
  }
  const { shape } = port;
  const fits = shape === undefined || (shape.length === given.length &&
    shape.every((size, axis) => typeof size !== "number" || size === given[axis]));
  if (!fits) throw new TypeError(`${what} must have the shape ${formatDimensions(shape!)}, not ${formatShape(given)}`);
  return given;
}

/** The shape of an input that was passed without one. At most one dimension may be free. */
function guessShape(port: ModelPort, data: ArrayBufferView, what: string): readonly number[] {
  const open = port.shape?.filter((size) => typeof size !== "number").length;
  if (open === undefined || open > 1) {
    const has = port.shape ? `has free dimensions, ${formatDimensions(port.shape)}` : "has no shape in the model";
    throw new TypeError(`${what} ${has}; pass { data, shape }`);
  }
  const count = lengthOf(data);
  const rest = elementCount(port.shape!.filter((size) => typeof size === "number"));
  return port.shape!.map((size) => typeof size === "number" ? size : rest === 0 ? 0 : Math.floor(count / rest));
}

function lengthOf(data: ArrayBufferView): number {
  return (data as unknown as { length: number }).length;
}

function checkSize(
  dimension: string,
  size: number,
  input: string,
  sizes: Map<string, { size: number; input: string }>,
  where: string,
): void {
  const earlier = sizes.get(dimension);
  if (earlier === undefined) sizes.set(dimension, { size, input });
  else if (earlier.size !== size) {
    throw new TypeError(
      `${where}: the dimension ${dimension} is ${earlier.size} in the input ${JSON.stringify(earlier.input)} and ` +
        `${size} in ${JSON.stringify(input)}`,
    );
  }
}

/** Formats a shape with free dimensions for a message. */
function formatDimensions(shape: readonly Dimension[]): string {
  return `[${shape.map((size) => size ?? "?").join(", ")}]`;
}

/** An output for the caller, with its bytes as the typed array of its data type. */
export function outputOf(dataType: MLOperandDataType, shape: readonly number[], buffer: ArrayBuffer): TensorOutput {
  return { data: new ARRAYS[isPlain(dataType) ? dataType : "uint8"](buffer), shape, dataType };
}

/** The known value of an input in a run. */
export function knownInput({ type }: ValueInfo, { dataType }: ModelPort, { bytes, shape }: GivenInput): KnownTensor {
  // The caller passed the elements in WebNN's type, such as float32 for float64. Only bool keeps its type in the model.
  return { type: type === "bool" ? "bool" : dataType, shape, bytes: bytes.slice() };
}
