/**
 * The data types of the protocol, and their elements in binary data and in JSON.
 *
 * @module
 */

import type { ModelPort, TensorData } from "@webnn/deno/onnx";
import { badRequest } from "./errors.ts";
import { exactInteger } from "./json.ts";

/** A data type of the protocol that WebNN supports. BOOL is represented as uint8, and FP64 is computed in float32. */
export type DataTypeName = keyof typeof DATA_TYPES;

/** How to read and write elements. Binary data is little-endian, as are all platforms of Deno. */
interface DataType {
  /** The size of an element in binary data, in bytes. */
  readonly bytes: number;
  /** The data type of the model's input or output. */
  readonly dataType: ModelPort["dataType"];
  /** Binary data as elements: a view, or a copy if the offset is not aligned. */
  readonly view: (bytes: Uint8Array<ArrayBuffer>) => TensorData;
  /** Allocates an array for elements from JSON. */
  readonly allocate: (count: number) => TensorData;
  /** Converts an element from JSON; `undefined` if it is not valid for the type. */
  readonly element: (value: unknown) => number | bigint | undefined;
}

type ArrayType<T> = {
  new (buffer: ArrayBuffer, byteOffset: number, length: number): T;
  new (length: number): T;
  readonly BYTES_PER_ELEMENT: number;
};

function row<T extends TensorData>(
  dataType: ModelPort["dataType"],
  type: ArrayType<T>,
  element: DataType["element"],
): DataType {
  const bytes = type.BYTES_PER_ELEMENT;
  return {
    bytes,
    dataType,
    element,
    view(data) {
      const aligned = data.byteOffset % bytes === 0 ? data : data.slice();
      return new type(aligned.buffer, aligned.byteOffset, data.byteLength / bytes);
    },
    allocate: (count) => new type(count),
  };
}

/** Floating-point numbers with the largest finite value `max`. Numbers that would become infinity are rejected. */
function float(max: number): DataType["element"] {
  return (value) => {
    const number = typeof value === "bigint" ? Number(value) : value;
    return typeof number === "number" && Math.abs(number) <= max ? number : undefined;
  };
}

function integer(min: number, max: number): DataType["element"] {
  return (value) =>
    typeof value === "number" && Number.isInteger(value) && value >= min && value <= max ? value : undefined;
}

function bigInteger(min: bigint, max: bigint): DataType["element"] {
  return (value) => {
    const exact = exactInteger(value);
    return exact !== undefined && exact >= min && exact <= max ? exact : undefined;
  };
}

function boolean(value: unknown): number | undefined {
  return value === true || value === 1 ? 1 : value === false || value === 0 ? 0 : undefined;
}

// The largest numbers that still round to a finite float32 or float16.
const MAX_FLOAT32 = 2 ** 128 - 2 ** 103 - 2 ** 75;
const MAX_FLOAT16 = 65519.99;

const DATA_TYPES = {
  BOOL: bools(),
  UINT8: row("uint8", Uint8Array, integer(0, 255)),
  UINT32: row("uint32", Uint32Array, integer(0, 2 ** 32 - 1)),
  UINT64: row("uint64", BigUint64Array, bigInteger(0n, 2n ** 64n - 1n)),
  INT8: row("int8", Int8Array, integer(-128, 127)),
  INT32: row("int32", Int32Array, integer(-(2 ** 31), 2 ** 31 - 1)),
  INT64: row("int64", BigInt64Array, bigInteger(-(2n ** 63n), 2n ** 63n - 1n)),
  FP16: row("float16", Float16Array, float(MAX_FLOAT16)),
  FP32: row("float32", Float32Array, float(MAX_FLOAT32)),
  FP64: doubles(),
} as const;

/** Bools. Bytes other than 0 and 1 are rejected, because engines interpret them differently. */
function bools(): DataType {
  const bytes = row("uint8", Uint8Array, boolean);
  return {
    ...bytes,
    view(data) {
      if (data.some((byte) => byte > 1)) throw badRequest("BOOL data has a byte other than 0 and 1");
      return bytes.view(data);
    },
  };
}

/** Doubles, which are converted to float32. */
function doubles(): DataType {
  return {
    ...row("float32", Float32Array, float(MAX_FLOAT32)),
    bytes: 8,
    view(data) {
      const aligned = data.byteOffset % 8 === 0 ? data : data.slice();
      const numbers = new Float64Array(aligned.buffer, aligned.byteOffset, data.byteLength / 8);
      if (numbers.some((number) => Number.isFinite(number) && Math.abs(number) > MAX_FLOAT32)) {
        throw badRequest("FP64 data has a number out of the range of float32, in which the model is computed");
      }
      return Float32Array.from(numbers);
    },
  };
}

/** Whether the protocol and WebNN both have a data type of that name. */
export function isDataType(name: unknown): name is DataTypeName {
  return typeof name === "string" && Object.hasOwn(DATA_TYPES, name);
}

/** The names of all data types, for messages. */
export const DATA_TYPE_NAMES: readonly string[] = Object.keys(DATA_TYPES);

/** The size of an element in binary data, in bytes. */
export function bytesOf(name: DataTypeName): number {
  return DATA_TYPES[name].bytes;
}

/** Whether elements are floating-point numbers. gzip hardly reduces the size of their binary data. */
export function isFloat(name: DataTypeName): boolean {
  return webnnType(name).startsWith("float");
}

/** The data type of WebNN that represents a data type of the protocol. */
export function webnnType(name: DataTypeName): ModelPort["dataType"] {
  return DATA_TYPES[name].dataType;
}

/**
 * The protocol's data type for an input or output: the type in the model if the protocol and WebNN have it; otherwise,
 * the type that represents it in WebNN.
 * @throws {TypeError} for four-bit integers, which the protocol does not have
 */
export function protocolType({ name, dataType, elementType }: ModelPort): DataTypeName {
  if (elementType === "bool") return "BOOL";
  if (elementType === "float64") return "FP64";
  const found = (Object.keys(DATA_TYPES) as DataTypeName[]).find((type) =>
    type !== "BOOL" && type !== "FP64" && DATA_TYPES[type].dataType === dataType
  );
  if (!found) {
    throw new TypeError(`${JSON.stringify(name)} is ${dataType}, which the Open Inference Protocol does not have`);
  }
  return found;
}

/** Zeros, or false. */
export function zeros(name: DataTypeName, count: number): TensorData {
  return DATA_TYPES[name].allocate(count);
}

/** Reads elements from binary data of the right size. */
export function readBinary(name: DataTypeName, bytes: Uint8Array<ArrayBuffer>): TensorData {
  return DATA_TYPES[name].view(bytes);
}

/**
 * Reads elements from an array in JSON, which is flat or nested like the shape. `what` names the tensor in messages.
 */
export function readJson(
  name: DataTypeName,
  values: readonly unknown[],
  shape: readonly number[],
  what: string,
): TensorData {
  const { element, allocate } = DATA_TYPES[name];
  const elements = Array.isArray(values[0]) ? flatten(values, shape, what) : values;
  const count = shape.reduce((product, size) => product * size, 1);
  if (elements.length !== count) {
    throw badRequest(`${what} has ${elements.length} elements; its shape [${shape}] needs ${count}`);
  }
  const data = allocate(count);
  for (let i = 0; i < count; i++) {
    const value = element(elements[i]);
    if (value === undefined) {
      throw badRequest(`${what} has ${shown(elements[i])} at ${i}, which is not a valid ${name}`);
    }
    data[i] = value;
  }
  return data;
}

/** Flattens nested arrays. Throws if they do not match the shape. */
function flatten(values: readonly unknown[], shape: readonly number[], what: string): readonly unknown[] {
  let level = [values] as readonly unknown[];
  for (const size of shape) {
    const lists = level as readonly (readonly unknown[])[];
    if (!lists.every((list) => Array.isArray(list) && list.length === size)) {
      throw badRequest(`${what} has nested data that does not match its shape [${shape}]`);
    }
    level = lists.flat();
  }
  return level;
}

function shown(value: unknown): string {
  if (typeof value === "bigint") return `${value}`;
  return typeof value === "object" && value !== null
    ? (Array.isArray(value) ? "an array" : "an object")
    : JSON.stringify(value);
}

/** Writes elements as binary data. */
export function writeBinary(name: DataTypeName, data: TensorData): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = name === "FP64" ? Float64Array.from(data as Float32Array) : data;
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
}

/**
 * Writes elements as an array in JSON, integers with all digits. Throws for NaN and infinity, which JSON does not have.
 */
export function writeJson(name: DataTypeName, data: TensorData, what: string): string {
  if (name === "BOOL") return `[${Array.from(data as Uint8Array, (value) => value !== 0).join(",")}]`;
  if (data instanceof Float32Array || data instanceof Float16Array) {
    const wrong = data.findIndex((value: number) => !Number.isFinite(value));
    if (wrong >= 0) {
      throw badRequest(
        `${what} has ${data[wrong]} at ${wrong}, which JSON does not have; request it with "binary_data": true`,
      );
    }
  }
  return `[${data.join(",")}]`;
}
