/** Writes GGUF files for tests: metadata, tensors of random blocks, and the numbers that these represent. */
import { random } from "../../support/random.ts";

/** The block types: the number in a file, and the elements and bytes of a block. */
export const TYPES = {
  F32: { number: 0, elements: 1, bytes: 4 },
  F16: { number: 1, elements: 1, bytes: 2 },
  Q4_0: { number: 2, elements: 32, bytes: 18 },
  Q4_1: { number: 3, elements: 32, bytes: 20 },
  Q5_0: { number: 6, elements: 32, bytes: 22 },
  Q8_0: { number: 8, elements: 32, bytes: 34 },
  Q4_K: { number: 12, elements: 256, bytes: 144 },
  Q5_K: { number: 13, elements: 256, bytes: 176 },
  Q6_K: { number: 14, elements: 256, bytes: 210 },
} as const;

/** The name of a block type. */
export type TypeName = keyof typeof TYPES;

/** A tensor to write. */
export interface TensorSpec {
  readonly name: string;
  readonly type: TypeName;
  /** The last dimension is contiguous. */
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** Metadata to write; integers become uint32, other numbers float32. */
export type Metadata = Readonly<Record<string, unknown>>;

/** A growing array of bytes. */
class Output {
  readonly #parts: Uint8Array[] = [];
  length = 0;

  bytes(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    this.length += bytes.length;
  }

  number(width: number, set: (view: DataView) => void): void {
    const view = new DataView(new ArrayBuffer(width));
    set(view);
    this.bytes(new Uint8Array(view.buffer));
  }

  uint32(value: number): void {
    this.number(4, (view) => view.setUint32(0, value, true));
  }

  uint64(value: number): void {
    this.number(8, (view) => view.setBigUint64(0, BigInt(value), true));
  }

  string(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.uint64(bytes.length);
    this.bytes(bytes);
  }

  joined(): Uint8Array<ArrayBuffer> {
    const joined = new Uint8Array(this.length);
    let at = 0;
    for (const part of this.#parts) {
      joined.set(part, at);
      at += part.length;
    }
    return joined;
  }
}

const STRING = 8;
const ARRAY = 9;

function typeOf(value: unknown): number {
  if (typeof value === "string") return STRING;
  if (typeof value === "boolean") return 7;
  if (Array.isArray(value)) return ARRAY;
  return Number.isInteger(value) && Number(value) >= 0 ? 4 : 6;
}

function writeValue(output: Output, value: unknown): void {
  if (typeof value === "string") output.string(value);
  else if (typeof value === "boolean") output.bytes(Uint8Array.of(Number(value)));
  else if (Array.isArray(value)) {
    output.uint32(typeOf(value[0]));
    output.uint64(value.length);
    for (const element of value) writeValue(output, element);
  } else if (typeOf(value) === 4) output.uint32(Number(value));
  else output.number(4, (view) => view.setFloat32(0, Number(value), true));
}

/** The bytes of a file. */
export function ggufFile(metadata: Metadata, tensors: readonly TensorSpec[]): Uint8Array<ArrayBuffer> {
  const output = new Output();
  output.bytes(new TextEncoder().encode("GGUF"));
  output.uint32(3);
  output.uint64(tensors.length);
  output.uint64(Object.keys(metadata).length);
  for (const [key, value] of Object.entries(metadata)) {
    output.string(key);
    output.uint32(typeOf(value));
    writeValue(output, value);
  }
  let offset = 0;
  for (const { bytes, name, shape, type } of tensors) {
    output.string(name);
    output.uint32(shape.length);
    for (const dimension of shape.toReversed()) output.uint64(dimension);
    output.uint32(TYPES[type].number);
    output.uint64(offset);
    offset += Math.ceil(bytes.length / 32) * 32;
  }
  for (const { bytes } of tensors) {
    output.bytes(new Uint8Array(-output.length & 31));
    output.bytes(bytes);
  }
  return output.joined();
}

/** The float16 bytes of a number. */
function half(value: number): [low: number, high: number] {
  const view = new DataView(new ArrayBuffer(2));
  view.setFloat16(0, value, true);
  return [view.getUint8(0), view.getUint8(1)];
}

/** The offsets of a block's float16 numbers: of scales, and of the scales of minima. */
const HALVES: Readonly<Record<TypeName, { readonly scale?: number; readonly minimum?: number }>> = {
  F32: {},
  F16: {},
  Q4_0: { scale: 0 },
  Q4_1: { scale: 0, minimum: 2 },
  Q5_0: { scale: 0 },
  Q8_0: { scale: 0 },
  Q4_K: { scale: 0, minimum: 2 },
  Q5_K: { scale: 0, minimum: 2 },
  Q6_K: { scale: 208 },
};
/** The largest magnitude of an element relative to its block's scale. */
const LARGEST: Readonly<Record<TypeName, number>> = {
  F32: 1,
  F16: 1,
  Q4_0: 8,
  Q4_1: 8,
  Q5_0: 16,
  Q8_0: 128,
  Q4_K: 15 * 63,
  Q5_K: 31 * 63,
  Q6_K: 32 * 128,
};

/** Random blocks whose numbers have a magnitude of about `size`. */
export function randomBlocks(type: TypeName, count: number, size: number, seed: number): Uint8Array {
  const next = random(seed);
  const { bytes, elements } = TYPES[type];
  const blocks = new Uint8Array(count / elements * bytes);
  if (type === "F32" || type === "F16") {
    const numbers = Array.from({ length: count }, () => (2 * next() - 1) * size);
    return new Uint8Array(type === "F32" ? Float32Array.from(numbers).buffer : Float16Array.from(numbers).buffer);
  }
  for (let i = 0; i < blocks.length; i++) blocks[i] = next.integer(0, 255);
  const { minimum, scale } = HALVES[type];
  for (let at = 0; at < blocks.length; at += bytes) {
    const unit = (0.5 + next()) * size / LARGEST[type];
    if (scale !== undefined) blocks.set(half(unit), at + scale);
    // In blocks of 256, minima have up to 63 steps.
    if (minimum !== undefined) blocks.set(half(type === "Q4_1" ? -8 * unit : 8 * unit), at + minimum);
  }
  return blocks;
}

/** Decodes blocks to float64, element by element as the format defines. */
export function numbersOf(type: TypeName, bytes: Uint8Array): Float64Array {
  const { bytes: width, elements } = TYPES[type];
  const numbers = new Float64Array(bytes.length / width * elements);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < numbers.length; i++) {
    numbers[i] = ELEMENTS[type](view, Math.floor(i / elements) * width, i % elements);
  }
  return numbers;
}

type Element = (view: DataView, at: number, i: number) => number;

/** The nibble of an element in 16 bytes: low for the first half of the elements, high for the second. */
const nibble32: Element = (view, at, i) => i < 16 ? view.getUint8(at + i) & 15 : view.getUint8(at + i - 16) >> 4;
/** The nibble of an element in 32 bytes for each 64 elements. */
const nibble64: Element = (view, at, i) => {
  const byte = view.getUint8(at + Math.floor(i / 64) * 32 + i % 32);
  return i % 64 < 32 ? byte & 15 : byte >> 4;
};

/** The 6-bit scale and minimum of the part of 32 elements that contains `i`, in a block of 256. */
function parts(view: DataView, at: number, i: number): { scale: number; minimum: number } {
  const j = Math.floor(i / 32);
  const byte = (k: number) => view.getUint8(at + 4 + k);
  const scale = j < 4 ? byte(j) % 64 : byte(j + 4) % 16 + 16 * Math.floor(byte(j - 4) / 64);
  const minimum = j < 4 ? byte(j + 4) % 64 : Math.floor(byte(j + 4) / 16) + 16 * Math.floor(byte(j) / 64);
  return {
    scale: view.getFloat16(at, true) * scale,
    minimum: view.getFloat16(at + 2, true) * minimum,
  };
}

const ELEMENTS: Readonly<Record<TypeName, Element>> = {
  F32: (view, at) => view.getFloat32(at, true),
  F16: (view, at) => view.getFloat16(at, true),
  Q4_0: (view, at, i) => view.getFloat16(at, true) * (nibble32(view, at + 2, i) - 8),
  Q4_1: (view, at, i) => view.getFloat16(at, true) * nibble32(view, at + 4, i) + view.getFloat16(at + 2, true),
  Q5_0: (view, at, i) => {
    const high = Math.floor(view.getUint32(at + 2, true) / 2 ** i) % 2;
    return view.getFloat16(at, true) * (nibble32(view, at + 6, i) + 16 * high - 16);
  },
  Q8_0: (view, at, i) => view.getFloat16(at, true) * view.getInt8(at + 2 + i),
  Q4_K: (view, at, i) => {
    const { minimum, scale } = parts(view, at, i);
    return scale * nibble64(view, at + 16, i) - minimum;
  },
  Q5_K: (view, at, i) => {
    const { minimum, scale } = parts(view, at, i);
    const high = Math.floor(view.getUint8(at + 16 + i % 32) / 2 ** Math.floor(i / 32)) % 2;
    return scale * (nibble64(view, at + 48, i) + 16 * high) - minimum;
  },
  Q6_K: (view, at, i) => {
    const [half, within] = [Math.floor(i / 128), i % 128];
    const low = view.getUint8(at + 64 * half + within % 64);
    const high = Math.floor(view.getUint8(at + 128 + 32 * half + within % 32) / 4 ** Math.floor(within / 32)) % 4;
    const value = (within < 64 ? low % 16 : low >> 4) + 16 * high - 32;
    return view.getFloat16(at + 208, true) * view.getInt8(at + 192 + Math.floor(i / 16)) * value;
  },
};
