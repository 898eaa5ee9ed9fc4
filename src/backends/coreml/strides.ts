/**
 * Elements that do not lie side by side.
 *
 * @module
 */

import { type Pointer, view } from "../../../ffi/memory.ts";
import { elementCount, type Shape } from "../../shape.ts";

/** How the elements of an array lie in memory. */
export interface StridedLayout {
  readonly shape: Shape;
  /** From one element of a dimension to the next, in elements. */
  readonly strides: readonly number[];
  /** In bytes. */
  readonly elementSize: 2 | 4;
}

/** The strides of elements that lie side by side, the last dimension innermost. */
export function rowMajorStrides(shape: Shape): number[] {
  return shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
}

/** Copies an array in native memory into elements that lie side by side. */
export function copyStrided(source: Pointer, layout: StridedLayout, target: Uint8Array<ArrayBuffer>): void {
  const { shape, strides, elementSize } = layout;
  const last = shape.reduce((offset, dimension, axis) => offset + (dimension - 1) * strides[axis]!, 0);
  const memory = view(source, (last + 1) * elementSize);
  const Elements = elementSize === 4 ? Uint32Array : Uint16Array;
  copyRows(new Elements(memory), layout, new Elements(target.buffer));
  memory.transfer(0); // It is another's, who frees it.
}

type Elements = Uint32Array | Uint16Array;

/** Copies row by row: the last dimension at once where its elements lie side by side. */
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
