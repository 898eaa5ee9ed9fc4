/**
 * Lowering of normalisations.
 *
 * @module
 */

import type { Value } from "../../../graph/graph.ts";
import type { normalizations as rows } from "../../../ops/normalization.ts";
import { Float } from "../onnx.ts";
import type { OnnxWriter, Operand } from "../writer.ts";
import { hasFlaw } from "./kernels.ts";
import { fromNchw, toNchw } from "./layout.ts";
import type { Lowering } from "./lowering.ts";

/** An optional scale or bias. If it is missing, a constant of the given value, because ONNX requires one. */
function orFill(operand: Operand, value: number, input: Value, shape: readonly number[], onnx: OnnxWriter): Operand {
  return operand ?? onnx.constant(input.dataType, shape, [value]);
}

/** Applies a function to the input with permuted dimensions. */
function permuted(
  input: Operand,
  permutation: readonly number[],
  apply: (input: Operand) => Operand,
  onnx: OnnxWriter,
): Operand {
  const inverse = permutation.map((_, axis) => permutation.indexOf(axis));
  return onnx.transpose(apply(onnx.transpose(input, permutation)), inverse);
}

/**
 * Not ONNX's BatchNormalization, which multiplies the mean before it subtracts it, and so loses the digits that input
 * and mean share. After a convolution, the rewrite `normalizedConvolution` has already merged it with filter and bias.
 */
const batchNormalization: Lowering<"batchNormalization"> = ({ operands, attributes: { axis, epsilon } }, onnx) => {
  const { input, mean, variance, scale, bias } = operands;
  const { dataType, shape } = input;
  const column = [shape[axis]!, ...shape.slice(axis + 1).map(() => 1)];
  const deviation = onnx.node("Sqrt", [onnx.node("Add", [variance, onnx.scalar(dataType, epsilon)])]);
  const factor = scale ? onnx.node("Div", [scale, deviation]) : onnx.node("Reciprocal", [deviation]);
  const centered = onnx.node("Add", [input, onnx.reshape(onnx.node("Neg", [mean]), column)]);
  const scaled = onnx.node("Mul", [centered, onnx.reshape(factor, column)]);
  return bias ? onnx.node("Add", [scaled, onnx.reshape(bias, column)]) : scaled;
};

/** Subtracts the mean. Kernels that compute the variance as E[x²] − E[x]² lose the digits that both terms share. */
function centred(input: Operand, axes: readonly number[], onnx: OnnxWriter): Operand {
  return onnx.node("Sub", [input, onnx.node("ReduceMean", [input, onnx.ints(axes)])]);
}

const instanceNormalization: Lowering<"instanceNormalization"> = ({ operands, attributes }, onnx) => {
  const { input, scale, bias } = operands;
  const { layout, epsilon } = attributes;
  const channels = [input.shape[layout.indexOf("c")]!];
  const output = onnx.node("InstanceNormalization", [
    centred(toNchw(input, layout, onnx), [2, 3], onnx),
    orFill(scale, 1, input, channels, onnx),
    orFill(bias, 0, input, channels, onnx),
  ], { epsilon: new Float(epsilon) });
  return fromNchw(output, layout, onnx);
};

/** ONNX normalises the last axes, in ascending order. The dimensions of scale and bias are in the order of `axes`. */
const layerNormalization: Lowering<"layerNormalization"> = ({ operands, attributes: { axes, epsilon } }, onnx) => {
  const { input, scale, bias } = operands;
  const { shape } = input;
  const normalize = (x: Operand, scale: Operand, bias: Operand, axis: number) => {
    const rank = Math.max(shape.length, axis + 1);
    const last = Array.from({ length: rank - axis }, (_, i) => axis + i);
    const values = hasFlaw("uncentredLayers", onnx) ? centred(x, last, onnx) : x;
    return onnx.node("LayerNormalization", [values, scale, bias], { axis, epsilon: new Float(epsilon) });
  };
  if (axes.length === 0) {
    // Each element is normalised alone, over a last dimension of 1.
    const vector = (operand: Operand) => operand && onnx.reshape(operand, [1]);
    const extended = onnx.reshape(input, [...shape, 1]);
    const gain = orFill(vector(scale), 1, input, [1], onnx);
    return onnx.reshape(normalize(extended, gain, vector(bias), shape.length), shape);
  }
  const ascending = axes.toSorted((a, b) => a - b);
  const order = ascending.map((axis) => axes.indexOf(axis));
  const parameter = (operand: Operand) => operand && onnx.transpose(operand, order);
  const gain = orFill(parameter(scale), 1, input, ascending.map((axis) => shape[axis]!), onnx);
  const others = shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  return permuted(
    input,
    [...others, ...ascending],
    (x) => normalize(x, gain, parameter(bias), others.length),
    onnx,
  );
};

export const normalizations = { batchNormalization, instanceNormalization, layerNormalization } satisfies {
  [Name in keyof typeof rows]: Lowering<Name>;
};
