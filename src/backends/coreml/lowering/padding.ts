/**
 * Padding for any type: MIL's own pad supports only floats.
 *
 * @module
 */

import type { MilValue } from "../mil.ts";
import type { MilWriter } from "../mil_writer.ts";

/** Pads one dimension with `value` on both sides. */
export function surrounded(
  x: MilValue,
  axis: number,
  [begin, end]: readonly [number, number],
  value: number,
  mil: MilWriter,
): MilValue {
  const filled = (size: number) => {
    const shape = x.shape.with(axis, size);
    const parameters = { shape: mil.ints(shape), value: mil.scalar(x.dataType, value) };
    return size === 0 ? [] : [mil.op("fill", parameters, { dataType: x.dataType, shape })];
  };
  return mil.concat([...filled(begin), x, ...filled(end)], axis);
}
