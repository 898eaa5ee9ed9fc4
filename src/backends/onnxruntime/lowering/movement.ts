/**
 * Lowering of data movement.
 *
 * @module
 */

import type { movement as rows } from "../../../ops/movement.ts";
import { carried } from "./carrier.ts";
import type { Lowering } from "./lowering.ts";

const concat: Lowering<"concat"> = ({ operands: { inputs }, attributes: { axis } }, onnx) =>
  onnx.node("Concat", inputs, { axis });

const expand: Lowering<"expand"> = ({ operands: { input }, attributes: { newShape } }, onnx) =>
  onnx.node("Expand", [input, onnx.ints(newShape)]);

const PAD_MODES = { constant: "constant", edge: "edge", reflection: "reflect" };

const pad: Lowering<"pad"> = ({ operands: { input }, attributes }, onnx) => {
  const { beginningPadding, endingPadding, mode, value } = attributes;
  if (beginningPadding.length === 0) return input;
  const pads = onnx.ints([...beginningPadding, ...endingPadding]);
  return onnx.node("Pad", [input, pads, onnx.scalar(input.dataType, value)], { mode: PAD_MODES[mode] });
};

const reshape: Lowering<"reshape"> = ({ operands: { input }, attributes: { newShape } }, onnx) =>
  onnx.reshape(input, newShape);

/**
 * A slice from the last element to before the first. That end is −size − 1, because ONNX reads −1 as the last element.
 */
const reverse: Lowering<"reverse"> = ({ operands: { input }, attributes: { axes } }, onnx) => {
  if (axes.length === 0) return input;
  const each = (value: (axis: number) => number) => onnx.ints(axes.map(value));
  const ends = each((axis) => -input.shape[axis]! - 1);
  return onnx.node("Slice", [input, each(() => -1), ends, each((axis) => axis), each(() => -1)]);
};

const slice: Lowering<"slice"> = ({ operands: { input }, attributes: { starts, sizes, strides } }, onnx) => {
  if (starts.length === 0) return input;
  const ends = starts.map((start, axis) => start + sizes[axis]!);
  const axes = starts.map((_, axis) => axis);
  return onnx.node("Slice", [input, ...[starts, ends, axes, strides].map((list) => onnx.ints(list))]);
};

const split: Lowering<"split"> = ({ operands: { input }, attributes: { splits, axis } }, onnx) =>
  onnx.nodes("Split", [input, onnx.ints(splits)], splits.length, { axis });

const tile: Lowering<"tile"> = ({ operands: { input }, attributes: { repetitions } }, onnx) =>
  repetitions.length === 0 ? input : onnx.node("Tile", [input, onnx.ints(repetitions)]);

const transpose: Lowering<"transpose"> = ({ operands: { input }, attributes: { permutation } }, onnx) =>
  onnx.transpose(input, permutation);

const triangular: Lowering<"triangular"> = ({ operands: { input }, attributes: { upper, diagonal } }, onnx) =>
  carried(
    "Trilu",
    [input],
    (inputs) => onnx.node("Trilu", [...inputs, onnx.scalar("int64", diagonal)], { upper: Number(upper) }),
    onnx,
  );

export const movement = { concat, expand, pad, reshape, reverse, slice, split, tile, transpose, triangular } satisfies {
  [Name in keyof typeof rows]: Lowering<Name>;
};
