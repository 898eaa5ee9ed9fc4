/**
 * Lowering of quantisation. ONNX has one scale for all elements, for each index of one dimension, or for each block along
 * one dimension; of other blocks, scale and zero point are repeated until only one dimension has any.
 *
 * @module
 */

import { bitsOf, integerRange, isUnsigned, type MLOperandDataType } from "../../../data_type.ts";
import type { Value } from "../../../graph/graph.ts";
import type { quantizations as rows } from "../../../ops/quantization.ts";
import type { OnnxType } from "../onnx.ts";
import type { Shape } from "../../../shape.ts";
import type { OnnxWriter, Operand } from "../writer.ts";
import type { Lowering } from "./lowering.ts";

type Attributes = Readonly<Record<string, number>>;

/** Scale and zero point in a shape that ONNX takes, and the attributes that say how they spread. */
interface Spread {
  readonly scale: Operand;
  readonly zeroPoint: Operand;
  readonly attributes: Attributes;
}

/** Gives scale and zero point the shape that ONNX wants. */
function spread(shape: Shape, scale: Operand, zeroPoint: Operand, blocks: Shape, onnx: OnnxWriter): Spread {
  const reshaped = (to: Shape, attributes: Attributes): Spread => ({
    scale: onnx.reshape(scale, to),
    zeroPoint: onnx.reshape(zeroPoint, to),
    attributes,
  });
  const counted = [...blocks.keys()].filter((axis) => blocks[axis] !== 1);
  if (counted.length === 0) return reshaped([], {});
  const [axis] = counted as [number];
  if (counted.length === 1 && blocks[axis] === shape[axis]) return reshaped([blocks[axis]!], { axis });
  const repeats = shape.map((dimension, axis) => dimension / blocks[axis]!);
  const blocked = repeats.indexOf(Math.max(...repeats));
  const partial = shape.with(blocked, blocks[blocked]!);
  return {
    scale: repeatBlocks(scale, blocks, partial, onnx),
    zeroPoint: repeatBlocks(zeroPoint, blocks, partial, onnx),
    attributes: { axis: blocked, block_size: repeats[blocked]! },
  };
}

/** Repeats each element of a tensor of shape `from`, so that it gets the shape `to`. */
function repeatBlocks(operand: Operand, from: Shape, to: Shape, onnx: OnnxWriter): Operand {
  if (from.every((dimension, axis) => dimension === to[axis])) return operand;
  const split = from.flatMap((dimension) => [dimension, 1]);
  const repeated = to.flatMap((dimension, axis) => [from[axis]!, dimension / from[axis]!]);
  return onnx.reshape(onnx.node("Expand", [onnx.reshape(operand, split), onnx.ints(repeated)]), to);
}

/** Whether {@linkcode spread} only has to reshape. */
function isSimple(shape: Shape, blocks: Shape): boolean {
  const counted = blocks.filter((count) => count !== 1).length;
  return counted === 0 || shape.filter((dimension, axis) => dimension !== blocks[axis]).length <= 1;
}

/** The type in which four-bit integers are reordered: ONNX Runtime's Expand does not take them. */
function wide(dataType: MLOperandDataType): MLOperandDataType {
  return dataType === "int4" ? "int8" : dataType === "uint4" ? "uint8" : dataType;
}

const dequantizeLinear: Lowering<"dequantizeLinear"> = ({ operands }, onnx) => {
  const { input, scale, zeroPoint } = operands;
  const { dataType, shape } = input;
  if (bitsOf(dataType) === 32 && !(dataType === "int32" && isZero(zeroPoint, onnx))) {
    return dequantize32Bit(input, scale, zeroPoint, onnx);
  }
  const isWidened = bitsOf(dataType) === 4 && !isSimple(shape, scale.shape);
  const integers = (value: Value) => isWidened ? onnx.cast(value, wide(dataType)) : value;
  const { attributes, ...operand } = spread(shape, scale, integers(zeroPoint), scale.shape, onnx);
  return onnx.node("DequantizeLinear", [integers(input), operand.scale, operand.zeroPoint], attributes);
};

/** Whether a value is known to be all zeros. The engine takes no other zero point for int32, which biases have. */
function isZero(value: Value, onnx: OnnxWriter): boolean {
  return onnx.constantBytes(value)?.every((byte) => byte === 0) ?? false;
}

/** In double precision, which holds the difference of two 32-bit integers. */
function dequantize32Bit(input: Value, scale: Value, zeroPoint: Value, onnx: OnnxWriter): Operand {
  const double = doubles(input.shape, scale.shape, onnx);
  const difference = onnx.node("Sub", [onnx.cast(input, "float64"), double(zeroPoint)]);
  return onnx.cast(onnx.node("Mul", [difference, double(scale)]), scale.dataType);
}

const quantizeLinear: Lowering<"quantizeLinear"> = ({ operands }, onnx) => {
  const { input, scale, zeroPoint } = operands;
  const { dataType } = zeroPoint;
  if (bitsOf(dataType) === 32) return quantize32Bit(input, scale, zeroPoint, onnx);
  // In float16, the quotient would be rounded to a few hundred values.
  const floats = (value: Value) => value.dataType === "float16" ? onnx.cast(value, "float32") : value;
  const isWidened = bitsOf(dataType) === 4 && !isSimple(input.shape, scale.shape);
  const zero = isWidened ? onnx.cast(zeroPoint, wide(dataType)) : zeroPoint;
  const { attributes, ...operand } = spread(input.shape, floats(scale), zero, scale.shape, onnx);
  const quantized = onnx.node("QuantizeLinear", [floats(input), operand.scale, operand.zeroPoint], attributes);
  return isWidened ? onnx.cast(clip(quantized, dataType, wide(dataType), onnx), dataType) : quantized;
};

/** In double precision, which holds every 32-bit integer. */
function quantize32Bit(input: Value, scale: Value, zeroPoint: Value, onnx: OnnxWriter): Operand {
  const { dataType } = zeroPoint;
  const double = doubles(input.shape, scale.shape, onnx);
  const quotient = onnx.node("Round", [onnx.node("Div", [onnx.cast(input, "float64"), double(scale)])]);
  const clipped = clip(onnx.node("Add", [quotient, double(zeroPoint)]), dataType, "float64", onnx);
  // The cast of floats to unsigned integers goes wrong on some processors.
  return isUnsigned(dataType) ? onnx.cast(onnx.cast(clipped, "int64"), dataType) : onnx.cast(clipped, dataType);
}

/** Casts a scale or zero point to double precision, repeated so that it broadcasts to the shape. */
function doubles(shape: Shape, blocks: Shape, onnx: OnnxWriter): (value: Value) => Operand {
  const full = shape.map((dimension, axis) => blocks[axis] === 1 ? 1 : dimension);
  return (value) => repeatBlocks(onnx.cast(value, "float64"), blocks, full, onnx);
}

/** Clips values of one type to the range of another. */
function clip(operand: Operand, dataType: MLOperandDataType, heldIn: OnnxType, onnx: OnnxWriter): Operand {
  const { min, max } = integerRange(dataType);
  return onnx.node("Clip", [operand, onnx.scalar(heldIn, Number(min)), onnx.scalar(heldIn, Number(max))]);
}

/** The lowerings of quantisation. */
export const quantizations = { dequantizeLinear, quantizeLinear } satisfies {
  [Name in keyof typeof rows]: Lowering<Name>;
};
