/**
 * Lowering of data movement.
 *
 * @module
 */

import { isFloat } from "../../../data_type.ts";
import type { movement as rows } from "../../../ops/movement.ts";
import type { NodeOf } from "../../../ops/operators.ts";
import type { MilValue } from "../mil.ts";
import { milShape, type MilWriter } from "../mil_writer.ts";
import type { Lowering } from "./lowering.ts";
import { surrounded } from "./padding.ts";

const concat: Lowering<"concat"> = ({ operands: { inputs }, attributes: { axis } }, mil) =>
  mil.concat(inputs.map((input) => mil.value(input)), axis);

const expand: Lowering<"expand"> = ({ operands: { input }, attributes: { newShape } }, mil) =>
  mil.expand(mil.value(input), milShape(newShape));

const pad: Lowering<"pad"> = (node, mil) => {
  const { operands: { input }, attributes: { beginningPadding, endingPadding, mode } } = node;
  const x = mil.value(input);
  const axes = input.shape.keys().toArray().filter((axis) => beginningPadding[axis]! + endingPadding[axis]! > 0);
  if (axes.length === 0) return x;
  const isInner = axes.every((axis) => axis >= input.shape.length - 2);
  if (isFloat(input.dataType) && (mode === "constant" || isInner)) return padded(node, x, mil);
  return axes.reduce((value, axis) => {
    if (mode !== "constant") return gatheredAxis(node, value, axis, mil);
    const sizes = [beginningPadding[axis]!, endingPadding[axis]!] as const;
    return surrounded(value, axis, sizes, Number(node.attributes.value), mil);
  }, x);
};

const PAD_MODES = { constant: "constant", edge: "replicate", reflection: "reflect" };

/** MIL's pad supports only floats, and repeats or mirrors only the last two dimensions. */
function padded({ attributes, outputs: [output] }: NodeOf<"pad">, x: MilValue, mil: MilWriter): MilValue {
  const { beginningPadding, endingPadding, mode, value } = attributes;
  const isInner = mode !== "constant";
  const first = isInner ? Math.max(x.shape.length - 2, 0) : 0;
  const sizes = beginningPadding.flatMap((size, axis) => axis < first ? [] : [size, endingPadding[axis]!]);
  return mil.op("pad", {
    x,
    pad: mil.ints(sizes),
    mode: mil.text(PAD_MODES[mode]),
    constant_val: mil.scalar(x.dataType, Number(value)),
  }, { dataType: x.dataType, shape: output!.shape });
}

/** Pads a dimension by gathering its own elements. */
function gatheredAxis({ attributes }: NodeOf<"pad">, x: MilValue, axis: number, mil: MilWriter): MilValue {
  const { beginningPadding, endingPadding, mode } = attributes;
  const last = x.shape[axis]! - 1;
  const positions = Array.from({ length: beginningPadding[axis]! + last + 1 + endingPadding[axis]! }, (_, i) => {
    const position = i - beginningPadding[axis]!;
    if (mode === "edge") return Math.min(Math.max(position, 0), last);
    return position > last ? 2 * last - position : Math.abs(position);
  });
  return mil.gather(x, mil.ints(positions), axis);
}

const reshape: Lowering<"reshape"> = ({ operands: { input }, attributes: { newShape } }, mil) =>
  mil.reshape(mil.value(input), milShape(newShape));

const reverse: Lowering<"reverse"> = ({ operands: { input }, attributes: { axes } }, mil) => {
  const x = mil.value(input);
  return axes.length === 0 ? x : mil.unary("reverse", x, { axes: mil.ints(axes) });
};

const slice: Lowering<"slice"> = ({ operands: { input }, attributes: { starts, sizes, strides } }, mil) => {
  const x = mil.value(input);
  return starts.length === 0 ? x : mil.slice(x, starts, starts.map((start, axis) => start + sizes[axis]!), strides);
};

const split: Lowering<"split"> = ({ operands: { input }, attributes: { splits, axis } }, mil) =>
  mil.split(mil.value(input), splits, axis);

const tile: Lowering<"tile"> = ({ operands: { input }, attributes: { repetitions } }, mil) =>
  mil.tile(mil.value(input), repetitions);

const transpose: Lowering<"transpose"> = ({ operands: { input }, attributes: { permutation } }, mil) =>
  mil.transpose(mil.value(input), permutation);

/**
 * MIL's `band_part` keeps a band around the main diagonal. If the triangle excludes the main diagonal, its complement
 * is such a band: a mask of it selects where to put 0.
 */
const triangular: Lowering<"triangular"> = ({ operands: { input }, attributes: { upper, diagonal } }, mil) => {
  const x = mil.value(input);
  const band = (value: MilValue, lower: number, upper: number) =>
    mil.unary("band_part", value, { lower: mil.int(lower), upper: mil.int(upper) });
  const keepsDiagonal = upper ? diagonal <= 0 : diagonal >= 0;
  if (keepsDiagonal) return upper ? band(x, -diagonal, -1) : band(x, -1, diagonal);
  const shape = [...x.shape.slice(0, -2).map(() => 1), ...x.shape.slice(-2)];
  const ones = mil.op("fill", { shape: mil.ints(shape), value: mil.scalar("fp32", 1) }, { dataType: "fp32", shape });
  const rest = upper ? band(ones, -1, diagonal - 1) : band(ones, -diagonal - 1, -1);
  return mil.select(mil.cast(rest, "bool"), mil.scalar(x.dataType, 0), x);
};

export const movement = { concat, expand, pad, reshape, reverse, slice, split, tile, transpose, triangular } satisfies {
  [Name in keyof typeof rows]: Lowering<Name>;
};
