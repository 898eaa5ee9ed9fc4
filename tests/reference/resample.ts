/**
 * resample2d, with half-pixel centres.
 *
 * @module
 */

import { attribute, type Compute, operand, type Rows } from "./operator.ts";
import { isFloat, roundEven } from "./round.ts";
import { accumulate, at, floatAt, generate, type Index, withAxis } from "./tensor.ts";

type Pair = readonly [number, number];

/** The input coordinate of an output coordinate; not an integer if it is between two elements. */
function inputCoordinate(output: number, outputSize: number, inputSize: number): number {
  const scale = outputSize / inputSize;
  return Math.min(Math.max((output + 0.5) / scale - 0.5, 0), inputSize - 1);
}

const resample2d: Compute = (operands, attributes) => {
  const input = operand(operands, "input");
  const axes = attribute<Pair>(attributes, "axes", [2, 3]);
  const scales = attribute<Pair>(attributes, "scales", [1, 1]);
  const sizes = attribute<readonly number[]>(
    attributes,
    "sizes",
    axes.map((axis, i) => Math.floor(input.shape[axis]! * Math.fround(scales[i]!))),
  );
  const shape = axes.reduce((shape, axis, i) => withAxis(shape, axis, sizes[i]!), [...input.shape]);
  const place = (index: Index, axis: number) => inputCoordinate(index[axis]!, shape[axis]!, input.shape[axis]!);
  const moved = (index: Index, first: number, second: number) =>
    withAxis(withAxis(index, axes[0], first), axes[1], second);

  if (attribute(attributes, "mode", "nearest-neighbor") === "nearest-neighbor") {
    const nearest = (index: Index, axis: number) => Math.ceil(place(index, axis) - 0.5);
    return [generate(input.dataType, shape, (index) => {
      return at(input, moved(index, nearest(index, axes[0]), nearest(index, axes[1])));
    })];
  }
  const value = (index: Index) => {
    const [p, q] = axes.map((axis) => place(index, axis)) as [number, number];
    const along = (first: number) =>
      floatAt(input, moved(index, first, Math.floor(q))) * (1 - (q - Math.floor(q))) +
      floatAt(input, moved(index, first, Math.ceil(q))) * (q - Math.floor(q));
    return along(Math.floor(p)) * (1 - (p - Math.floor(p))) + along(Math.ceil(p)) * (p - Math.floor(p));
  };
  if (!isFloat(input.dataType)) return [generate(input.dataType, shape, (index) => roundEven(value(index)))];
  // A coordinate c has the error cε, and the value has that times the difference of the neighbours.
  const largest = input.data.reduce((max: number, element) => Math.max(max, Math.abs(Number(element))), 0);
  const magnitude = (index: Index) => largest * (1 + axes.reduce((sum, axis) => sum + place(index, axis), 0));
  return [
    accumulate(input.dataType, shape, 8, (index) => ({ value: value(index), magnitude: magnitude(index) })),
  ];
};

export const resample: Rows = { resample2d };
