/**
 * Operators that move elements of known values.
 *
 * @module
 */

import { broadcastsTo, elementCount, formatShape, sameShape } from "../../shape.ts";
import type { KnownTensor } from "../model.ts";
import { elementBits } from "../element_type.ts";
import { unsupported } from "../errors.ts";
import { numbersOf } from "../value.ts";

/** The maximum number of elements to compute here; the engine computes larger tensors. */
export const MAX_ELEMENTS = 65536;

/** The elements as unsigned integers of the same width; `undefined` if several share a byte. */
function bitsOfElements({ type, bytes }: KnownTensor): Uint8Array | undefined {
  const Bits = { 8: Uint8Array, 16: Uint16Array, 32: Uint32Array, 64: BigUint64Array }[elementBits(type)];
  if (!Bits) return undefined;
  const aligned = bytes.byteOffset % Bits.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice();
  const count = aligned.byteLength / Bits.BYTES_PER_ELEMENT;
  return new Bits(aligned.buffer as ArrayBuffer, aligned.byteOffset, count) as unknown as Uint8Array;
}

/** A value of the given shape, with the elements of `value` at `positions`. */
function pick(value: KnownTensor, shape: readonly number[], positions: ArrayLike<number>): KnownTensor | undefined {
  const source = bitsOfElements(value);
  if (!source) return undefined;
  const target = new (source.constructor as Uint8ArrayConstructor)(positions.length);
  for (let i = 0; i < positions.length; i++) {
    const position = positions[i]!;
    if (!(position >= 0 && position < source.length)) unsupported("an index is out of range");
    target[i] = source[position]!;
  }
  return { type: value.type, shape, bytes: new Uint8Array(target.buffer) };
}

/**
 * A value of the given shape: a step along an axis moves by its stride in the elements of `value`. `undefined` if there
 * are too many elements.
 */
function move(
  value: KnownTensor,
  shape: readonly number[],
  strides: readonly number[],
  start = 0,
): KnownTensor | undefined {
  return elementCount(shape) > MAX_ELEMENTS ? undefined : pick(value, shape, positionsBy(shape, strides, start));
}

/** The distance between neighbours along each axis, in elements. */
export function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
}

/** For each position of a shape, in row-major order, `start` plus the sum of its coordinates times their strides. */
export function positionsBy(shape: readonly number[], strides: readonly number[], start = 0): Float64Array {
  const size = elementCount(shape);
  const positions = new Float64Array(size).fill(start);
  let inner = size;
  for (let axis = 0; axis < shape.length; axis++) {
    const outer = inner;
    inner /= shape[axis]!;
    for (let at = 0; at < size; at++) positions[at]! += Math.floor(at % outer / inner) * strides[axis]!;
  }
  return positions;
}

/** A value broadcast to a shape of at most `MAX_ELEMENTS` elements. */
export function expandTo(value: KnownTensor, shape: readonly number[]): KnownTensor {
  return expand(value, shape)!;
}

function expand(value: KnownTensor, shape: readonly number[]): KnownTensor | undefined {
  if (!broadcastsTo(value.shape, shape)) {
    return unsupported(`${formatShape(value.shape)} does not broadcast to ${formatShape(shape)}`);
  }
  const lead = shape.length - value.shape.length;
  const strides = stridesOf(value.shape).map((stride, axis) => value.shape[axis] === 1 ? 0 : stride);
  return move(value, shape, [...new Array<number>(lead).fill(0), ...strides]);
}

/** Converts an index that may count from the end; −∞ if it is out of range, which `pick` rejects. */
function inside(index: number, size: number): number {
  const from0 = index < 0 ? index + size : index;
  return from0 >= 0 && from0 < size ? from0 : -Infinity;
}

function gather(
  value: KnownTensor,
  indices: KnownTensor,
  { axis = 0 }: { axis?: number } = {},
): KnownTensor | undefined {
  const shape = value.shape.toSpliced(axis, 1, ...indices.shape);
  if (elementCount(shape) > MAX_ELEMENTS) return undefined;
  const at = numbersOf(indices);
  const size = value.shape[axis]!;
  const inner = elementCount(value.shape.slice(axis + 1));
  const rows = positionsBy([elementCount(value.shape.slice(0, axis)), at.length, inner], [size * inner, 0, 1]);
  for (let i = 0; i < rows.length; i++) rows[i]! += inside(at[Math.floor(i / inner) % at.length]!, size) * inner;
  return pick(value, shape, rows);
}

/** The positions in a tensor to which the indices of gatherElements or scatterElements refer. */
function positionsAlong(shape: readonly number[], indices: KnownTensor, axis: number): Float64Array {
  const strides = stridesOf(shape);
  const rest = positionsBy(indices.shape, strides.with(axis, 0));
  const along = numbersOf(indices);
  return rest.map((position, i) => position + inside(along[i]!, shape[axis]!) * strides[axis]!);
}

/** The positions in a tensor of all elements to which the indices of gatherND or scatterND refer. */
function positionsAt(shape: readonly number[], indices: KnownTensor): number[] {
  const depth = indices.shape.at(-1) ?? unsupported("the indices are a scalar");
  if (depth > shape.length) unsupported("the indices have more coordinates than the input axes");
  const strides = stridesOf(shape);
  const inner = elementCount(shape.slice(depth));
  const coordinates = numbersOf(indices);
  return Array.from({ length: elementCount(indices.shape.slice(0, -1)) * inner }, (_, i) => {
    const at = Math.floor(i / inner) * depth;
    let position = i % inner;
    for (let k = 0; k < depth; k++) position += inside(coordinates[at + k]!, shape[k]!) * strides[k]!;
    return position;
  });
}

function gatherND(value: KnownTensor, indices: KnownTensor): KnownTensor | undefined {
  const shape = [...indices.shape.slice(0, -1), ...value.shape.slice(indices.shape.at(-1))];
  return elementCount(shape) > MAX_ELEMENTS ? undefined : pick(value, shape, positionsAt(value.shape, indices));
}

function concat(values: readonly KnownTensor[], axis: number): KnownTensor {
  const [first] = values as [KnownTensor];
  const rest = first.shape.with(axis, 0);
  let total = 0, size = 0;
  for (const { type, shape, bytes } of values) {
    if (type !== first.type || shape.length !== rest.length || !sameShape(shape.with(axis, 0), rest)) {
      unsupported("the inputs have different types or shapes");
    }
    total += shape[axis]!;
    size += bytes.byteLength;
  }
  const outer = elementCount(first.shape.slice(0, axis));
  const joined = new Uint8Array(size);
  let at = 0;
  for (let i = 0; i < outer; i++) {
    for (const { bytes } of values) {
      const length = bytes.byteLength / outer;
      joined.set(bytes.subarray(i * length, (i + 1) * length), at);
      at += length;
    }
  }
  return { type: first.type, shape: first.shape.with(axis, total), bytes: joined };
}

/** Replaces the elements at positions. If a position occurs twice, the later element is used. */
function overwrite(value: KnownTensor, updates: KnownTensor, positions: ArrayLike<number>): KnownTensor | undefined {
  const count = elementCount(value.shape);
  const from = Array.from({ length: count }, (_, i) => i);
  for (let i = 0; i < positions.length; i++) {
    const position = positions[i]!;
    if (!(position >= 0 && position < count)) unsupported("an index is out of range");
    from[position] = count + i;
  }
  const both = concat([{ ...value, shape: [count] }, { ...updates, shape: [positions.length] }], 0);
  return pick(both, value.shape, from);
}

function slice(
  value: KnownTensor,
  starts: readonly number[],
  sizes: readonly number[],
  { strides = sizes.map(() => 1) }: { strides?: readonly number[] } = {},
): KnownTensor | undefined {
  const steps = stridesOf(value.shape);
  const shape = sizes.map((size, axis) => Math.ceil(size / strides[axis]!));
  const start = steps.reduce((sum, step, axis) => sum + starts[axis]! * step, 0);
  return move(value, shape, steps.map((step, axis) => strides[axis]! * step), start);
}

function reverse(value: KnownTensor, { axes }: { axes: readonly number[] }): KnownTensor | undefined {
  const { shape } = value;
  const strides = stridesOf(shape);
  const start = axes.reduce((sum, axis) => sum + (shape[axis]! - 1) * strides[axis]!, 0);
  return move(value, shape, strides.map((stride, axis) => axes.includes(axis) ? -stride : stride), start);
}

function tile(value: KnownTensor, repetitions: readonly number[]): KnownTensor | undefined {
  const shape = value.shape.map((size, axis) => size * repetitions[axis]!);
  const parts = value.shape.flatMap((size, axis) => [repetitions[axis]!, size]);
  const found = move(value, parts, stridesOf(value.shape).flatMap((stride) => [0, stride]));
  return found && { ...found, shape };
}

function transpose(value: KnownTensor, { permutation }: { permutation: readonly number[] }): KnownTensor | undefined {
  const strides = stridesOf(value.shape);
  const shape = permutation.map((axis) => value.shape[axis] ?? unsupported(`the input has no axis ${axis}`));
  return move(value, shape, permutation.map((axis) => strides[axis]!));
}

export const MOVEMENT = {
  concat,
  expand,
  gather,
  gatherElements: (value: KnownTensor, indices: KnownTensor, { axis = 0 }: { axis?: number } = {}) =>
    pick(value, indices.shape, positionsAlong(value.shape, indices, axis)),
  gatherND,
  reverse,
  scatterElements: (
    value: KnownTensor,
    indices: KnownTensor,
    updates: KnownTensor,
    { axis = 0 }: { axis?: number } = {},
  ) => overwrite(value, updates, positionsAlong(value.shape, indices, axis)),
  scatterND: (value: KnownTensor, indices: KnownTensor, updates: KnownTensor) =>
    overwrite(value, updates, positionsAt(value.shape, indices)),
  slice,
  tile,
  transpose,
};
