/**
 * Lowering of quantisation. MIL can keep constants quantised and quantise between operators if scale and zero point are
 * constant: per tensor, per index of one axis, and, for constants on macOS 15 and newer, per block. Everything else is
 * computed by arithmetic.
 *
 * @module
 */

import { bitsOf, integerRange } from "../../../data_type.ts";
import type { Value } from "../../../graph/graph.ts";
import type { quantizations as rows } from "../../../ops/quantization.ts";
import type { NodeOf } from "../../../ops/operators.ts";
import type { Shape } from "../../../shape.ts";
import type { MilConstant, MilValue } from "../mil.ts";
import { milShape, type MilWriter } from "../mil_writer.ts";
import type { Lowering } from "./lowering.ts";
import { roundEven } from "./rounding.ts";

/** Scale and zero point in the form that MIL requires: scalars, or lists along an axis. */
interface Affine {
  readonly scale: MilConstant;
  readonly zeroPoint: MilConstant;
  readonly axis: number | undefined;
}

/** `undefined` if scale and zero point are not 8-bit constants, or there is one per block. */
function affineOf(shape: Shape, scale: Value, zeroPoint: Value, mil: MilWriter): Affine | undefined {
  const constants = [mil.constantOf(scale), mil.constantOf(zeroPoint)] as const;
  const [axis, ...others] = scale.shape.keys().toArray().filter((axis) => scale.shape[axis] !== 1);
  if (!constants[0] || !constants[1] || bitsOf(zeroPoint.dataType) > 8 || others.length > 0) return undefined;
  if (axis !== undefined && scale.shape[axis] !== shape[axis]) return undefined;
  const reshaped = (constant: MilConstant) =>
    mil.reshape(constant, axis === undefined ? [] : [shape[axis]!]) as MilConstant;
  return { scale: reshaped(constants[0]), zeroPoint: reshaped(mil.bytewise(constants[1])), axis };
}

const dequantizeLinear: Lowering<"dequantizeLinear"> = (node, mil) => {
  const { input, scale, zeroPoint } = node.operands;
  const constant = mil.constantOf(input);
  const compressed = constant && bitsOf(input.dataType) <= 8 ? dequantizedConstant(node, constant, mil) : undefined;
  if (compressed) return compressed;
  const affine = affineOf(input.shape, scale, zeroPoint, mil);
  const quantized = mil.native(input);
  if (affine && quantized.dataType === affine.zeroPoint.dataType) return dequantized(quantized, affine, mil);
  const parameter = (value: MilValue) => spread(value, input.shape, mil);
  // Subtract as integers: float32 cannot hold all of int32.
  const difference = mil.binary("sub", mil.value(input), parameter(mil.value(zeroPoint)));
  const product = mil.binary("mul", mil.cast(difference, "fp32"), parameter(mil.cast(mil.value(scale), "fp32")));
  return mil.cast(product, mil.type(scale.dataType));
};

/** A constant that stays quantised; `undefined` if MIL cannot express it. */
function dequantizedConstant(
  { operands: { input, scale, zeroPoint } }: NodeOf<"dequantizeLinear">,
  data: MilConstant,
  mil: MilWriter,
): MilValue | undefined {
  const constants = [mil.constantOf(scale), mil.constantOf(zeroPoint)] as const;
  if (!constants[0] || !constants[1]) return undefined;
  const output = { dataType: constants[0].dataType, shape: data.shape };
  if (mil.options.specificationVersion >= 9) {
    const attributes = { data, scale: constants[0], offset: constants[1] };
    return mil.constantExpression("constexpr_blockwise_shift_scale", attributes, output);
  }
  const affine = affineOf(input.shape, scale, zeroPoint, mil);
  if (!affine) return undefined;
  const attributes = {
    quantized_data: mil.bytewise(data),
    zero_point: affine.zeroPoint,
    scale: affine.scale,
    axis: mil.int(affine.axis ?? 0),
  };
  return mil.constantExpression("constexpr_affine_dequantize", attributes, output);
}

function dequantized(input: MilValue, { scale, zeroPoint, axis }: Affine, mil: MilWriter): MilValue {
  const inputs = { input, zero_point: zeroPoint, scale, axis: axis === undefined ? undefined : mil.int(axis) };
  return mil.op("dequantize", inputs, { dataType: scale.dataType, shape: input.shape });
}

const quantizeLinear: Lowering<"quantizeLinear"> = ({ operands: { input, scale, zeroPoint } }, mil) => {
  const { dataType } = zeroPoint;
  const x = mil.value(input);
  const affine = affineOf(input.shape, scale, zeroPoint, mil);
  // float16 would round the quotient too much, and MIL would clamp 4-bit results to the range of 8 bits.
  if (affine && bitsOf(dataType) === 8 && input.dataType === "float32") return quantized(x, affine, mil);
  const parameter = (value: MilValue) => spread(value, input.shape, mil);
  const divisor = parameter(mil.cast(mil.value(scale), "fp32"));
  const quotient = roundEven(mil.binary("real_div", mil.cast(x, "fp32"), divisor), mil);
  const { min, max } = integerRange(dataType);
  const offset = parameter(mil.value(zeroPoint));
  if (bitsOf(dataType) === 32) return mil.binary("add", mil.cast(bounded(quotient, min, max, mil), "int32"), offset);
  const sum = mil.binary("add", quotient, mil.cast(offset, "fp32"));
  return mil.cast(bounded(sum, min, max, mil), "int32");
};

function quantized(input: MilValue, { scale, zeroPoint, axis }: Affine, mil: MilWriter): MilValue {
  const { dataType } = zeroPoint;
  return mil.op("quantize", {
    input,
    zero_point: zeroPoint,
    scale,
    axis: axis === undefined ? undefined : mil.int(axis),
    output_dtype: mil.text(dataType),
  }, { dataType, shape: input.shape });
}

/** Clamps float32 to a range of integers. */
function bounded(x: MilValue, min: bigint, max: bigint, mil: MilWriter): MilValue {
  const largest = Math.fround(Number(max)) > Number(max) ? 2 ** 31 - 128 : Number(max);
  return mil.unary("clip", x, { alpha: mil.scalar("fp32", Number(min)), beta: mil.scalar("fp32", largest) });
}

/** Repeats each element of a scale or zero point, so that it broadcasts to the shape. */
function spread(value: MilValue, target: Shape, mil: MilWriter): MilValue {
  return milShape(target).reduce((spread, dimension, axis) => {
    const { shape } = spread;
    const blocks = shape[axis]!;
    if (blocks === 1 || blocks === dimension) return spread;
    const outer = shape.slice(0, axis + 1).reduce((product, size) => product * size, 1);
    const inner = shape.slice(axis + 1).reduce((product, size) => product * size, 1);
    const repeated = mil.tile(mil.reshape(spread, [outer, 1, inner]), [1, dimension / blocks, 1]);
    return mil.reshape(repeated, shape.with(axis, dimension));
  }, value);
}

export const quantizations = { dequantizeLinear, quantizeLinear } satisfies {
  [Name in keyof typeof rows]: Lowering<Name>;
};
