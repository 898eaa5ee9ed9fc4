/**
 * Quantisation: at run time, and of constants when a model is loaded.
 *
 * @module
 */

import { formatShape, sameShape, type Shape } from "../../../src/shape.ts";
import { roundEven } from "../../reference/round.ts";
import type { Parameters, Rows } from "./operation.ts";
import { normalizeAxis, offsets, stridesOf, type Tensor, zeros } from "./tensor.ts";

/** Returns the scale or zero point for the element at an offset. */
type Reader = (offset: number) => number;

/** A reader of a parameter that is a scalar or has one element per position of an axis; zero if it is missing. */
function readerOf(parameter: Tensor | undefined, shape: Shape, axisOf: () => number): Reader {
  if (parameter === undefined) return () => 0;
  const { data } = parameter;
  if (parameter.shape.length === 0) return () => data[0]!;
  const axis = normalizeAxis(axisOf(), shape.length);
  if (!sameShape(parameter.shape, [shape[axis]!])) {
    throw new TypeError(`${formatShape(parameter.shape)} does not fit axis ${axis} of ${formatShape(shape)}`);
  }
  const stride = stridesOf(shape)[axis]!;
  return (offset) => data[Math.floor(offset / stride) % data.length]!;
}

/** Scale and zero point of `quantize` and `dequantize`. They have an axis only if they are vectors. */
function readers(p: Parameters, input: Tensor): { scale: Reader; zeroPoint: Reader } {
  const scale = p.tensor("scale");
  const zeroPoint = p.optional("zero_point");
  const axis = p.optional("axis");
  if ((scale.shape.length === 0) === (axis !== undefined)) {
    throw new TypeError("axis must be given if scale is a vector, and only then");
  }
  if (zeroPoint !== undefined && !sameShape(zeroPoint.shape, scale.shape)) {
    throw new TypeError(`zero_point must have the shape of scale, ${formatShape(scale.shape)}`);
  }
  const axisOf = () => p.number("axis");
  return { scale: readerOf(scale, input.shape, axisOf), zeroPoint: readerOf(zeroPoint, input.shape, axisOf) };
}

function quantize(p: Parameters): Tensor {
  const input = p.tensor("input");
  const dataType = p.text("output_dtype", ["uint8", "int8"]);
  const given = p.optional("zero_point")?.dataType ?? dataType;
  if (given !== dataType) throw new TypeError(`zero_point must be ${dataType}, not ${given}`);
  const { scale, zeroPoint } = readers(p, input);
  const [min, max] = dataType === "int8" ? [-128, 127] : [0, 255];
  const result = zeros(dataType, input.shape);
  input.data.forEach((x, i) => {
    // The quotient is rounded to the type of the input, then to an integer.
    const quotient = input.dataType === "fp16" ? Math.f16round(x / scale(i)) : Math.fround(x / scale(i));
    result.data[i] = Math.min(Math.max(roundEven(quotient) + zeroPoint(i), min), max);
  });
  return result;
}

/** `scale · (input − zero point)`. */
function shiftAndScale(input: Tensor, scale: Reader, zeroPoint: Reader, { dataType }: Tensor): Tensor {
  const result = zeros(dataType, input.shape);
  input.data.forEach((x, i) => result.data[i] = (x - zeroPoint(i)) * scale(i));
  return result;
}

function dequantize(p: Parameters): Tensor {
  const input = p.tensor("input");
  const { scale, zeroPoint } = readers(p, input);
  return shiftAndScale(input, scale, zeroPoint, p.tensor("scale"));
}

function affineDequantize(p: Parameters): Tensor {
  const data = p.tensor("quantized_data");
  const reader = (name: string) => readerOf(p.tensor(name), data.shape, () => p.number("axis"));
  return shiftAndScale(data, reader("scale"), reader("zero_point"), p.tensor("scale"));
}

/** Each dimension of the scale divides that of the data; each scale belongs to a block. */
function blockwiseShiftScale(p: Parameters): Tensor {
  const data = p.tensor("data");
  const scale = p.tensor("scale");
  const offset = p.optional("offset");
  const divides = scale.shape.length === data.shape.length &&
    data.shape.every((dimension, axis) => dimension % scale.shape[axis]! === 0);
  if (!divides) throw new TypeError(`scale ${formatShape(scale.shape)} has no blocks in ${formatShape(data.shape)}`);
  if (offset !== undefined && !sameShape(offset.shape, scale.shape)) {
    throw new TypeError(`offset must have the shape of scale, ${formatShape(scale.shape)}`);
  }
  const strides = stridesOf(scale.shape);
  const blocks = offsets(data.shape.map((dimension, axis) => {
    const block = dimension / scale.shape[axis]!;
    return Array.from({ length: dimension }, (_, i) => Math.floor(i / block) * strides[axis]!);
  }));
  return shiftAndScale(data, (i) => scale.data[blocks[i]!]!, (i) => offset?.data[blocks[i]!] ?? 0, scale);
}

export const quantization: Rows = {
  quantize: {
    values: ["input"],
    constants: ["zero_point", "scale", "axis", "output_dtype"],
    optional: ["zero_point", "axis"],
    compute: quantize,
  },
  dequantize: {
    values: ["input"],
    constants: ["zero_point", "scale", "axis"],
    optional: ["zero_point", "axis"],
    compute: dequantize,
  },
  constexpr_affine_dequantize: {
    values: [],
    constants: ["quantized_data", "zero_point", "scale", "axis"],
    attributes: true,
    compute: affineDequantize,
  },
  constexpr_blockwise_shift_scale: {
    values: [],
    constants: ["data", "scale", "offset"],
    optional: ["offset"],
    attributes: true,
    compute: blockwiseShiftScale,
  },
};
