/**
 * Lowering of resampling.
 *
 * @module
 */

import { isFloat } from "../../../data_type.ts";
import type { NodeOf } from "../../../ops/operators.ts";
import type { resampling as rows } from "../../../ops/resample.ts";
import { sameShape } from "../../../shape.ts";
import type { MilValue } from "../mil.ts";
import type { MilWriter } from "../mil_writer.ts";
import { inverse } from "./layout.ts";
import type { Lowering } from "./lowering.ts";
import { inFloat32 } from "./precision.ts";
import { roundEven } from "./rounding.ts";

type Node = NodeOf<"resample2d">;

const resample2d: Lowering<"resample2d"> = (node, mil) => {
  const { operands: { input }, attributes: { mode }, outputs: [output] } = node;
  const x = mil.value(input);
  if (sameShape(input.shape, output!.shape)) return x;
  if (mode === "nearest-neighbor") return nearest(node, x, mil);
  const linear = hasWholeFactors(node) ? upsampled : interpolated;
  return isFloat(input.dataType)
    ? linear(node, x, mil)
    : mil.cast(roundEven(linear(node, mil.cast(x, "fp32"), mil), mil), "int32");
};

/** Apple does not document which element its own operators round to, so the elements are gathered by index. */
function nearest(node: Node, x: MilValue, mil: MilWriter): MilValue {
  // Exactly between two elements, this chooses the lower one.
  return alongAxes(
    node,
    x,
    (x, axis, positions) => picked(x, axis, positions.map((position) => Math.ceil(position - 0.5)), mil),
  );
}

/** Resamples one axis after the other, given the input position of each output element. */
function alongAxes(
  { operands: { input }, attributes: { axes }, outputs: [output] }: Node,
  x: MilValue,
  resample: (x: MilValue, axis: number, positions: readonly number[]) => MilValue,
): MilValue {
  return axes.reduce((value, axis) => {
    const [size, outputSize] = [input.shape[axis]!, output!.shape[axis]!];
    return size === outputSize ? value : resample(value, axis, positionsOf(outputSize, size));
  }, x);
}

/** `(i + ½)·size/outputSize − ½` for each `i`, clamped to the input. */
function positionsOf(outputSize: number, size: number): number[] {
  return Array.from({ length: outputSize }, (_, i) => {
    // Numerator and denominator are exact, so integers and halves come out exactly.
    const position = ((2 * i + 1) * size - outputSize) / (2 * outputSize);
    return Math.min(Math.max(position, 0), size - 1);
  });
}

function picked(x: MilValue, axis: number, positions: readonly number[], mil: MilWriter): MilValue {
  return mil.gather(x, mil.ints(positions), axis);
}

function hasWholeFactors({ operands: { input }, attributes: { axes }, outputs: [output] }: Node): boolean {
  return axes.every((axis) => output!.shape[axis]! % input.shape[axis]! === 0);
}

/**
 * MIL's own operator, which the Neural Engine supports, for the last two dimensions and integer factors: Apple tests
 * those on all compute units, and ONNX Runtime uses it for no others, because results for factors below 1 differed
 * between versions of macOS. resize_bilinear takes sizes, but Apple's tests of it are marked as crashing with ML
 * Programs (rdar://78343191), though not in the sampling mode needed here. So it is not used.
 */
function upsampled(
  { operands: { input }, attributes: { axes }, outputs: [output] }: Node,
  x: MilValue,
  mil: MilWriter,
): MilValue {
  const permutation = [...x.shape.keys()].sort((a, b) => Number(axes.includes(a)) - Number(axes.includes(b)) || a - b);
  const [height, width] = permutation.slice(2).map((axis) => output!.shape[axis]! / input.shape[axis]!);
  const image = mil.transpose(x, permutation);
  const result = mil.op("upsample_bilinear", {
    x: image,
    scale_factor_height: mil.scalar("fp32", height!),
    scale_factor_width: mil.scalar("fp32", width!),
    align_corners: mil.bool(false),
    half_pixel_centers: mil.bool(true),
  }, { dataType: x.dataType, shape: permutation.map((axis) => output!.shape[axis]!) });
  return mil.transpose(result, inverse(permutation));
}

/** Any size, by the definition: gathers both neighbours of each position and weighs them by distance. */
function interpolated(node: Node, x: MilValue, mil: MilWriter): MilValue {
  const axisOf = (x: MilValue, axis: number, positions: readonly number[]) => interpolatedAxis(x, axis, positions, mil);
  return inFloat32([x], (x) => alongAxes(node, x, axisOf), mil);
}

function interpolatedAxis(x: MilValue, axis: number, positions: readonly number[], mil: MilWriter): MilValue {
  if (positions.every(Number.isInteger)) return picked(x, axis, positions, mil);
  const weighed = (round: (position: number) => number, weights: readonly number[]) => {
    const neighbours = picked(x, axis, positions.map(round), mil);
    return mil.binary(
      "mul",
      neighbours,
      mil.constant("fp32", x.shape.map(() => 1).with(axis, positions.length), weights),
    );
  };
  const distances = positions.map((position) => position - Math.floor(position));
  return mil.binary(
    "add",
    weighed(Math.floor, distances.map((distance) => 1 - distance)),
    weighed(Math.ceil, distances),
  );
}

export const resampling = { resample2d } satisfies { [Name in keyof typeof rows]: Lowering<Name> };
