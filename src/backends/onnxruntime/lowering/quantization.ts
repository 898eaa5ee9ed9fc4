/**
 * Lowering of quantisation. ONNX supports one scale per tensor, per index of one axis, or per block along one axis. Its
 * operators fuse with their neighbours, but only if scale and zero point are constant; otherwise ONNX Runtime's
 * optimiser makes graphs that it then rejects. Everything else is computed by arithmetic.
 *
 * @module
 */

import { bitsOf, integerRange, type MLOperandDataType } from "../../../data_type.ts";
import type { Value } from "../../../graph/graph.ts";
import type { quantizations as rows } from "../../../ops/quantization.ts";
import { elementCount, type Shape } from "../../../shape.ts";
import { hasFlaw } from "./kernels.ts";
import type { OnnxWriter, Operand } from "../writer.ts";
import type { Lowering } from "./lowering.ts";

/** The shape of scale and zero point in ONNX, and the attributes for it. */
interface Spread {
  readonly shape: Shape;
  readonly attributes: Readonly<Record<string, number>>;
}

/** The form of blocks in ONNX; `undefined` if they extend along several axes. */
function spreadOf(shape: Shape, blocks: Shape): Spread | undefined {
  if (elementCount(blocks) === 1) return { shape: [], attributes: {} };
  const axes = [...shape.keys()];
  const counted = axes.filter((axis) => blocks[axis] !== 1);
  const [axis] = counted as [number];
  if (counted.length === 1 && blocks[axis] === shape[axis]) {
    return { shape: [blocks[axis]!], attributes: { axis } };
  }
  const [blocked = 0, ...others] = axes.filter((axis) => blocks[axis] !== shape[axis]);
  if (others.length > 0) return undefined;
  return { shape: blocks, attributes: { axis: blocked, block_size: shape[blocked]! / blocks[blocked]! } };
}

/** Writes `op` with constant scale and zero point; `undefined` if they are not constant, or ONNX lacks their form. */
function fused(
  op: "QuantizeLinear" | "DequantizeLinear",
  input: Value,
  scale: Value,
  zeroPoint: Value,
  onnx: OnnxWriter,
): Operand {
  const spread = spreadOf(input.shape, scale.shape);
  if (!spread || !onnx.isConstant(scale) || !onnx.isConstant(zeroPoint)) return undefined;
  const isPartial = op === "DequantizeLinear" && spread.shape.length === 0 && bitsOf(input.dataType) === 8;
  if (isPartial && hasFlaw("partialDequantization", onnx)) return inOneRow(input, scale, zeroPoint, onnx);
  const parameters = [scale, zeroPoint].map((value) => onnx.reshapedConstant(value, spread.shape));
  return onnx.node(op, [input, ...parameters], spread.attributes);
}

/** Dequantises with one scale, as if it were the only row of a per-row dequantisation. */
function inOneRow(input: Value, scale: Value, zeroPoint: Value, onnx: OnnxWriter): Operand {
  const row = onnx.reshape(input, [1, elementCount(input.shape)]);
  const parameters = [scale, zeroPoint].map((value) => onnx.reshapedConstant(value, [1]));
  return onnx.reshape(onnx.node("DequantizeLinear", [row, ...parameters], { axis: 0 }), input.shape);
}

const dequantizeLinear: Lowering<"dequantizeLinear"> = ({ operands: { input, scale, zeroPoint } }, onnx) => {
  const { dataType, shape } = input;
  // ONNX Runtime has a kernel for int32, but its optimiser moves transposes past it by quantising to int32, for which
  // there is no kernel.
  const isMoved = bitsOf(dataType) === 4 && !onnx.isConstant(input) && hasFlaw("movedHalfBytes", onnx);
  const hasKernel = bitsOf(dataType) < 32 && !isMoved && !hasFlaw("roughDequantization", onnx);
  const output = hasKernel ? fused("DequantizeLinear", input, scale, zeroPoint, onnx) : undefined;
  if (output !== undefined) return output;
  const working = workingType(dataType, onnx);
  // The difference is computed in integers: engines may expand the product of a scale and a difference of floats.
  const whole = bitsOf(dataType) < 32 ? "int32" : working;
  const parameter = (value: Value, type: Working) => spreadOver(value, shape, scale.shape, type, onnx);
  const exact = onnx.node("Sub", [onnx.cast(input, whole), parameter(zeroPoint, whole)]);
  // This PRelu changes nothing, but the engine does not merge operators across it.
  const difference = whole === "float32" ? onnx.node("PRelu", [exact, onnx.scalar(whole, 1)]) : exact;
  return onnx.cast(onnx.node("Mul", [onnx.cast(difference, working), parameter(scale, working)]), scale.dataType);
};

const quantizeLinear: Lowering<"quantizeLinear"> = ({ operands: { input, scale, zeroPoint } }, onnx) => {
  const { dataType } = zeroPoint;
  // ONNX Runtime rounds the quotient of float16 to float16, which leaves only a few hundred values.
  const hasKernel = bitsOf(dataType) < 32 && input.dataType === "float32" && !hasFlaw("roughQuantization", onnx);
  const output = hasKernel ? fused("QuantizeLinear", input, scale, zeroPoint, onnx) : undefined;
  if (output !== undefined) return output;
  const working = workingType(dataType, onnx);
  const parameter = (value: Value) => spreadOver(value, input.shape, scale.shape, working, onnx);
  const quotient = onnx.node("Round", [onnx.node("Div", [onnx.cast(input, working), parameter(scale)])]);
  const { min, max } = integerRange(dataType);
  const clipped = onnx.node("Clip", [
    onnx.node("Add", [quotient, parameter(zeroPoint)]),
    onnx.scalar(working, Number(min)),
    onnx.scalar(working, Number(max)),
  ]);
  // Through a signed integer: some processors cannot cast a float to an unsigned one.
  return onnx.cast(onnx.cast(clipped, "int64"), dataType);
};

/** The types in which scales, zero points and what they apply to are computed. */
type Working = "float32" | "float64" | "int32";

/** The float type that can represent all integers of a type, and their differences, if the provider has it. */
function workingType(dataType: MLOperandDataType, onnx: OnnxWriter): "float32" | "float64" {
  return bitsOf(dataType) === 32 && !hasFlaw("narrowDoubles", onnx) ? "float64" : "float32";
}

/** Casts a scale or zero point, and repeats its elements so that it broadcasts to the shape. */
function spreadOver(value: Value, shape: Shape, blocks: Shape, working: Working, onnx: OnnxWriter): Operand {
  const target = shape.map((dimension, axis) => blocks[axis] === 1 ? 1 : dimension);
  const cast = onnx.cast(value, working);
  if (target.every((dimension, axis) => dimension === blocks[axis])) return cast;
  const parted = onnx.reshape(cast, blocks.flatMap((count) => [count, 1]));
  const repeats = target.flatMap((dimension, axis) => [blocks[axis]!, dimension / blocks[axis]!]);
  return onnx.reshape(onnx.node("Expand", [parted, onnx.ints(repeats)]), target);
}

export const quantizations = { dequantizeLinear, quantizeLinear } satisfies {
  [Name in keyof typeof rows]: Lowering<Name>;
};
