/**
 * Lowering of resampling.
 *
 * @module
 */

import { isFloat } from "../../../data_type.ts";
import type { NodeOf } from "../../../ops/operators.ts";
import type { resampling as rows } from "../../../ops/resample.ts";
import type { MilValue } from "../mil.ts";
import type { MilWriter } from "../mil_writer.ts";
import { inverse } from "./layout.ts";
import type { Lowering } from "./lowering.ts";
import { roundEven } from "./rounding.ts";

type Node = NodeOf<"resample2d">;

const resample2d: Lowering<"resample2d"> = (node, mil) =>
  node.attributes.mode === "linear" ? linear(node, mil) : nearest(node, mil);

/** MIL does not say which element its own operators take for the nearest: they are picked by their positions. */
function nearest({ operands: { input }, attributes: { axes }, outputs: [output] }: Node, mil: MilWriter): MilValue {
  return axes.reduce((value, axis) => {
    const [size, outputSize] = [input.shape[axis]!, output!.shape[axis]!];
    const positions = Array.from({ length: outputSize }, (_, i) => nearestPosition(i, size, outputSize));
    return size === outputSize ? value : mil.gather(value, mil.ints(positions), axis);
  }, mil.value(input));
}

/** The half-pixel coordinate `c = (i + ½)·size/outputSize − ½` to the nearest whole number, the lower of two. */
function nearestPosition(i: number, size: number, outputSize: number): number {
  const position = Math.ceil(((2 * i + 1) * size - 2 * outputSize) / (2 * outputSize));
  return Math.min(Math.max(position, 0), size - 1);
}

/** MIL interpolates floats in the last two dimensions; its sampling mode UNALIGN_CORNERS has the standard's coordinates. */
function linear({ operands: { input }, attributes: { axes }, outputs: [output] }: Node, mil: MilWriter): MilValue {
  const { dataType, shape } = input;
  const permutation = [...shape.keys()].sort((a, b) => Number(axes.includes(a)) - Number(axes.includes(b)) || a - b);
  const after = permutation.map((axis) => output!.shape[axis]!);
  const value = mil.value(input);
  const x = mil.transpose(isFloat(dataType) ? value : mil.cast(value, "fp32"), permutation);
  const resized = mil.op("resize_bilinear", {
    x,
    target_size_height: mil.int(after[2]!),
    target_size_width: mil.int(after[3]!),
    sampling_mode: mil.text("UNALIGN_CORNERS"),
  }, { dataType: x.dataType, shape: after });
  const result = mil.transpose(resized, inverse(permutation));
  return isFloat(dataType) ? result : mil.cast(roundEven(result, mil), "int32");
}

/** The lowering of resampling. */
export const resampling = { resample2d } satisfies { [Name in keyof typeof rows]: Lowering<Name> };
