/**
 * The values of a graph during a walk: known values, and operands of the builder.
 *
 * @module
 */

import type { MLOperand } from "../api/ml_operand.ts";
import { elementCount } from "../shape.ts";
import { ARRAYS, isPlain, type PlainType } from "./element_type.ts";
import { unsupported } from "./errors.ts";
import type { ElementType, KnownTensor } from "./model.ts";
import type { LateRange } from "./protobuf.ts";

/** A value that is computed when the graph runs. */
export interface Computed {
  readonly operand: MLOperand;
  /** The type in the model. The operand has the type that WebNN uses instead, see `operandType`. */
  readonly type: ElementType;
  readonly shape: readonly number[];
  /** The model inputs on whose elements it depends; none for a constant. */
  readonly sources: ReadonlySet<string>;
  /** A unique name, also among the values of unrolled bodies. */
  readonly key: string;
  /** The first output of the main graph's node that computes the value, directly or in a body. */
  readonly root: string;
}

/** A value of the graph. */
export type Value = KnownTensor | Computed;

/** Whether the elements are known while the graph is built. */
export function isKnown(value: Value): value is KnownTensor {
  return "bytes" in value;
}

/** The size of a known value, in bytes; known without reading them. */
export function sizeOf(value: KnownTensor): number {
  return value.range?.byteLength ?? value.bytes.byteLength;
}

/** A known value with the same bytes and another shape. */
export function withShape(value: KnownTensor, shape: readonly number[]): KnownTensor {
  return value.range ? lateTensor(value.type, shape, value.range) : { ...value, shape };
}

/** A known value whose bytes are read when they are first used. */
export function lateTensor(type: ElementType, shape: readonly number[], range: LateRange): KnownTensor {
  const { file, offset, byteLength } = range;
  return {
    type,
    shape,
    range,
    get bytes() {
      file.read(offset, offset + byteLength);
      return file.bytes.subarray(offset, offset + byteLength);
    },
  };
}

/** Elements as numbers, or as bigints for 64-bit integers. */
export type Elements = InstanceType<typeof ARRAYS[PlainType]>;

/** The elements of a known value: a view if the bytes are aligned, otherwise a copy. Four-bit integers become bytes. */
export function elementsOf({ type, shape, bytes }: KnownTensor): Elements {
  if (type === "int4" || type === "uint4") return unpackNibbles(bytes, elementCount(shape), type === "int4");
  if (type === "bfloat16") return widenBfloat16(bytes);
  if (!isPlain(type)) return unsupported("elements of this type are not supported");
  const array = ARRAYS[type];
  const aligned = bytes.byteOffset % array.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice();
  return new array(aligned.buffer as ArrayBuffer, aligned.byteOffset, aligned.byteLength / array.BYTES_PER_ELEMENT);
}

/** The elements as numbers; 64-bit integers beyond 2⁵³ are rounded. */
export function numbersOf(known: KnownTensor): number[] {
  return Array.from(elementsOf(known) as ArrayLike<number | bigint>, Number);
}

/** A known value with these elements, converted to the type. */
export function knownTensor(
  type: PlainType,
  shape: readonly number[],
  elements: Iterable<number | bigint>,
): KnownTensor {
  const array = type === "int64" || type === "uint64"
    ? new ARRAYS[type](Array.from(elements, (element) => BigInt(element)))
    : new ARRAYS[type as "float32"](Array.from(elements, Number));
  return { type, shape, bytes: new Uint8Array(array.buffer, array.byteOffset, array.byteLength) };
}

function unpackNibbles(bytes: Uint8Array, count: number, signed: boolean): Elements {
  const result = signed ? new Int8Array(count) : new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const nibble = (bytes[i >> 1]! >> (4 * (i & 1))) & 15;
    result[i] = signed && nibble > 7 ? nibble - 16 : nibble;
  }
  return result;
}

function widenBfloat16(bytes: Uint8Array): Elements {
  const words = new Uint32Array(bytes.byteLength >> 1);
  for (let i = 0; i < words.length; i++) words[i] = (bytes[2 * i]! << 16) | (bytes[2 * i + 1]! << 24);
  return new Float32Array(words.buffer);
}
