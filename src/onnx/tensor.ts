/**
 * TensorProto: the elements of an initializer or attribute, as a view of the file if possible.
 *
 * @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 * @module
 */

import { formatShape } from "../shape.ts";
import { bytesNeeded, elementBits, elementType } from "./element_type.ts";
import type { ElementType, KnownTensor } from "./model.ts";
import { lateTensor } from "./value.ts";
import { Damaged, type Fields, type LateFile, type LateRange, type Message, readFields, Wire } from "./protobuf.ts";

/** Returns the file with external data for a location in the model; `undefined` if it comes later. */
export type ExternalData = (location: string) => Uint8Array | LateFile | undefined;

/** The fields of a TensorProto. */
type TensorFields = ReturnType<typeof emptyTensor>;

function emptyTensor() {
  return {
    dims: [] as number[],
    type: 0,
    name: "",
    raw: undefined as Uint8Array | LateRange | undefined,
    external: undefined as Map<string, string> | undefined,
    isExternal: false,
    /** The bytes of a packed field of floats, which are already little-endian. */
    packed: undefined as Uint8Array | undefined,
    floats: [] as number[],
    /** Integers of at most 32 bits. */
    integers: [] as number[],
    /** The low and high 32 bits of each longer integer, one after the other. */
    halves: [] as number[],
  };
}

/** Reads a TensorProto. */
export function readTensor(message: Message, external: ExternalData): { name: string; tensor: KnownTensor } {
  const fields = readFields(message, emptyTensor(), TENSOR);
  const { name, dims, type: code } = fields;
  const what = name === "" ? "a tensor" : `the tensor ${JSON.stringify(name)}`;
  if (dims.some((dimension) => !(dimension >= 0 && dimension <= Number.MAX_SAFE_INTEGER))) {
    throw new Damaged(`${what} has the invalid shape ${formatShape(dims)}`);
  }
  const type = elementType(code);
  if (type === undefined) throw new Damaged(`${what} has the unknown element type ${code}`);
  if (type === "other" || type === "string") return { name, tensor: { type, shape: dims, bytes: new Uint8Array(0) } };
  const needed = bytesNeeded(type, dims);
  const bytes = fields.isExternal
    ? externalBytes(fields, needed, external, what)
    : fields.raw ?? typedBytes(fields, type, needed, what);
  if (bytes === undefined) return { name, tensor: { type, shape: dims, bytes: new Uint8Array(0) } };
  if (bytes.byteLength !== needed) {
    throw new Damaged(`${what}, ${type} ${formatShape(dims)}, needs ${needed} bytes but has ${bytes.byteLength}`);
  }
  const tensor = bytes instanceof Uint8Array ? { type, shape: dims, bytes } : lateTensor(type, dims, bytes);
  return { name, tensor };
}

const TENSOR: Fields<TensorFields> = {
  1: (fields, message) => message.integers(fields.dims),
  2: (fields, message) => fields.type = message.integer(),
  3: () => {
    throw new Damaged("a tensor is stored in segments, which ONNX does not define");
  },
  4: (fields, message) => readFloats(message, fields, 4),
  5: (fields, message) => message.integers(fields.integers),
  7: readHalves,
  8: (fields, message) => fields.name = message.string(),
  9: (fields, message) => fields.raw = message.lateBytes(),
  10: (fields, message) => readFloats(message, fields, 8),
  11: readHalves,
  13: (fields, message) => {
    const { key, value } = readFields(message.message(), { key: "", value: "" }, ENTRY);
    (fields.external ??= new Map()).set(key, value);
  },
  14: (fields, message) => fields.isExternal = message.integer() === 1,
};

/** StringStringEntryProto. */
const ENTRY: Fields<{ key: string; value: string }> = {
  1: (entry, message) => entry.key = message.string(),
  2: (entry, message) => entry.value = message.string(),
};

/** Keeps the bytes of a single packed field. Otherwise, collects the values as numbers. */
function readFloats(message: Message, fields: TensorFields, width: 4 | 8): void {
  if (message.wire === Wire.BYTES && fields.packed === undefined && fields.floats.length === 0) {
    fields.packed = message.bytes();
    return;
  }
  const earlier = fields.packed ?? new Uint8Array(0);
  const view = new DataView(earlier.buffer, earlier.byteOffset, earlier.byteLength - earlier.byteLength % width);
  for (let i = 0; i < view.byteLength; i += width) {
    fields.floats.push(width === 4 ? view.getFloat32(i, true) : view.getFloat64(i, true));
  }
  fields.packed = undefined;
  if (width === 4) message.floats(fields.floats);
  else message.doubles(fields.floats);
}

function readHalves(fields: TensorFields, message: Message): void {
  message.halves((low, high) => fields.halves.push(low, high));
}

/** The bytes of elements in a typed field. ONNX stores narrow integers and float16 bits there as wider integers. */
function typedBytes(fields: TensorFields, type: ElementType, needed: number, what: string): Uint8Array {
  if (type === "float32" || type === "float64") return fields.packed ?? floatBytes(fields.floats, type);
  const { halves, integers } = fields;
  // Each integer stores two four-bit elements.
  const width = Math.max(elementBits(type), 8) / 8;
  const words = width === 8 ? halves : integers.length > 0 ? integers : halves.filter((_, i) => i % 2 === 0);
  const count = width === 8 ? halves.length / 2 : words.length;
  if (count * width !== needed) throw new Damaged(`${what} has ${count} of ${needed / width} elements`);
  const { buffer } = width === 1
    ? new Uint8Array(words)
    : width === 2
    ? new Uint16Array(words)
    : new Uint32Array(words);
  return new Uint8Array(buffer);
}

function floatBytes(floats: readonly number[], type: "float32" | "float64"): Uint8Array {
  const array = type === "float32" ? new Float32Array(floats) : new Float64Array(floats);
  return new Uint8Array(array.buffer);
}

/** A range of a file with external data. */
function externalBytes(
  { external }: TensorFields,
  needed: number,
  data: ExternalData,
  what: string,
): Uint8Array | LateRange | undefined {
  const location = external?.get("location");
  if (!location) throw new Damaged(`${what} is stored in another file, but the file's name is missing`);
  const file = data(location);
  if (file === undefined) return undefined;
  const size = file instanceof Uint8Array ? file.byteLength : file.bytes.byteLength;
  const offset = Number(external?.get("offset") ?? 0);
  const length = Number(external?.get("length") ?? needed);
  if (!(offset >= 0 && length >= 0 && offset + length <= size)) {
    throw new Damaged(
      `${what} is at bytes ${offset} to ${offset + length} of ${location}, which has ${size} bytes`,
    );
  }
  return file instanceof Uint8Array ? file.subarray(offset, offset + length) : { file, offset, byteLength: length };
}
