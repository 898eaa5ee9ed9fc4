/**
 * Helpers of evaluators: selecting elements by position, broadcasting shapes, and results of a type.
 *
 * @module
 */

import { broadcast, formatShape } from "../../shape.ts";
import type { Known } from "../model.ts";
import { elementBits } from "../tensor.ts";
import { type Elements, elementsOf, sizeOf, Unsupported } from "../value.ts";

/** The elements as unsigned integers of the same width, for operators that only move elements. */
function bitsOfElements({ type, bytes }: Known): Uint8Array | Uint16Array | Uint32Array | BigUint64Array {
  const width = elementBits(type) / 8;
  const aligned = bytes.byteOffset % Math.max(width, 1) === 0 ? bytes : bytes.slice();
  const part = [aligned.buffer as ArrayBuffer, aligned.byteOffset, aligned.byteLength / width] as const;
  switch (width) {
    case 1:
      return new Uint8Array(...part);
    case 2:
      return new Uint16Array(...part);
    case 4:
      return new Uint32Array(...part);
    case 8:
      return new BigUint64Array(...part);
    default:
      throw new Unsupported(`elements of type ${type} cannot be selected one by one`);
  }
}

/** The value of a shape whose elements are those at `positions` of another value. */
export function pick(value: Known, shape: readonly number[], positions: ArrayLike<number>): Known {
  const source = bitsOfElements(value);
  const target = new (source.constructor as Uint8ArrayConstructor)(positions.length) as Uint8Array;
  for (let i = 0; i < positions.length; i++) {
    const position = positions[i]!;
    if (!(position >= 0 && position < source.length)) throw new Unsupported("an index is out of range");
    target[i] = source[position] as number;
  }
  return { type: value.type, shape, bytes: new Uint8Array(target.buffer) };
}

/** The distance between neighbours along each axis, in elements. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1]! * shape[axis + 1]!;
  return strides;
}

/** The maximum number of elements that the evaluator creates. */
const MAX_ELEMENTS = 2 ** 24;

/**
 * For each position of a shape, in row-major order, the sum over the axes of `offsets[axis](coordinate)`: where the
 * element comes from.
 */
export function positionsBy(shape: readonly number[], offsets: readonly ((i: number) => number)[]): Float64Array {
  const size = sizeOf(shape);
  if (size > MAX_ELEMENTS) throw new Unsupported(`${size} elements are too many for constant folding`);
  const positions = new Float64Array(size);
  let inner = size;
  shape.forEach((length, axis) => {
    inner /= length;
    const along = Array.from({ length }, (_, i) => offsets[axis]!(i));
    for (let at = 0; at < size;) {
      for (const offset of along) for (const end = at + inner; at < end; at++) positions[at]! += offset;
    }
  });
  return positions;
}

/** For each element of a shape, its position in a value that is broadcast to it. */
export function broadcastPositions(from: readonly number[], to: readonly number[]): Float64Array {
  const strides = stridesOf(from);
  const lead = to.length - from.length;
  return positionsBy(
    to,
    to.map((_, axis) => {
      const stride = axis < lead || from[axis - lead] === 1 ? 0 : strides[axis - lead]!;
      return (i) => i * stride;
    }),
  );
}

/** The shape to which all shapes broadcast. */
export function commonShape(shapes: readonly (readonly number[])[]): readonly number[] {
  return shapes.reduce((a, b) => {
    const common = broadcast(a, b);
    if (!common) throw new Unsupported(`the shapes ${formatShape(a)} and ${formatShape(b)} do not broadcast`);
    return common;
  });
}

/** A value broadcast to a shape. */
export function expandTo(value: Known, shape: readonly number[]): Known {
  return pick(value, shape, broadcastPositions(value.shape, shape));
}

/** The elements as an array of numbers or bigints. */
export function listOf(value: Known): (number | bigint)[] {
  return Array.from(elementsOf(value) as Iterable<number | bigint>);
}

/** Whether the elements are bigints. */
export function isBig(elements: Elements): elements is BigInt64Array | BigUint64Array {
  return elements instanceof BigInt64Array || elements instanceof BigUint64Array;
}

/** Converts an axis that may count from the end to one that counts from 0. */
export function axisOf(axis: number, rank: number): number {
  const from0 = axis < 0 ? axis + rank : axis;
  if (!(from0 >= 0 && from0 < rank)) throw new Unsupported(`axis ${axis} is out of range for rank ${rank}`);
  return from0;
}
