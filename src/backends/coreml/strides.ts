/**
 * Arrays whose elements are not contiguous.
 *
 * @module
 */

import { type Pointer, view } from "../../../ffi/memory.ts";
import { elementCount, type Shape } from "../../shape.ts";

/** The memory layout of an array. */
export interface StridedLayout {
  readonly shape: Shape;
  /** The distance from one element of each dimension to the next, in elements. */
  readonly strides: readonly number[];
  /** The size of an element, in bytes. */
  readonly elementSize: 2 | 4;
}

/** The strides of contiguous elements, the last dimension innermost. */
export function rowMajorStrides(shape: Shape): number[] {
  return shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
}

/** Copies an array in native memory to contiguous elements. */
export function copyStrided(source: Pointer, layout: StridedLayout, target: Uint8Array<ArrayBuffer>): void {
  const { shape, strides, elementSize } = layout;
  const last = shape.reduce((offset, dimension, axis) => offset + (dimension - 1) * strides[axis]!, 0);
  const memory = view(source, (last + 1) * elementSize);
  const Elements = elementSize === 4 ? Uint32Array : Uint16Array;
  copyRows(new Elements(memory), layout, new Elements(target.buffer));
  memory.transfer(0); // Core ML owns the memory, and frees it.
}

type Elements = Uint32Array | Uint16Array;

/** Copies row by row; a row is copied at once if its elements are contiguous. */
function copyRows(source: Elements, { shape, strides }: StridedLayout, target: Elements): void {
  const [rowLength, rowStride] = [shape.at(-1)!, strides.at(-1)!];
  const outer = shape.slice(0, -1);
  const position = outer.map(() => 0);
  for (let written = 0, start = 0; written < target.length; written += rowLength) {
    if (rowStride === 1) target.set(source.subarray(start, start + rowLength), written);
    else for (let i = 0; i < rowLength; i++) target[written + i] = source[start + i * rowStride]!;
    for (let axis = outer.length - 1; axis >= 0; axis--) {
      start += strides[axis]!;
      if (++position[axis]! < outer[axis]!) break;
      start -= strides[axis]! * outer[axis]!;
      position[axis] = 0;
    }
  }
}
