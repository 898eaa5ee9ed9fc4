/**
 * Lowering of resampling.
 *
 * @module
 */

import { isFloat } from "../../../data_type.ts";
import type { resampling as rows } from "../../../ops/resample.ts";
import type { NodeOf } from "../../../ops/operators.ts";
import type { Shape } from "../../../shape.ts";
import type { OnnxWriter, Operand } from "../writer.ts";
import type { Lowering } from "./lowering.ts";

const resample2d: Lowering<"resample2d"> = (node, onnx) => {
  const { operands: { input }, attributes: { axes, mode }, outputs: [output] } = node;
  if (mode === "linear") return linear(node, onnx);
  const { provider = "cpu" } = onnx.settings;
  const factors = output!.shape.map((size, axis) => size / input.shape[axis]!);
  if (provider === "cpu" && factors.every(Number.isInteger)) return repeated(input, factors, onnx);
  // ONNX Runtime computes in float32. A scale that float32 cannot represent can shift a coordinate across a half.
  const isExact = axes.every((axis) => Math.fround(factors[axis]!) * input.shape[axis]! === output!.shape[axis]!);
  return isExact
    ? resize(input, output!.shape, { mode: "nearest", nearest_mode: "round_prefer_floor" }, onnx)
    : gathered(node, onnx);
};

/**
 * Repeats each element along each axis. With an integer factor `k`, the nearest element to `i` is ⌊i / k⌋, as with
 * half-pixel coordinates. The engine has fast kernels only for this form, also in its own layout.
 */
function repeated(input: Operand, factors: readonly number[], onnx: OnnxWriter): Operand {
  return onnx.node("Resize", [input, undefined, onnx.constant("float32", [factors.length], factors)], {
    mode: "nearest",
    coordinate_transformation_mode: "asymmetric",
    nearest_mode: "floor",
  });
}

function resize(input: Operand, sizes: Shape, attributes: Readonly<Record<string, string>>, onnx: OnnxWriter): Operand {
  return onnx.node("Resize", [input, undefined, undefined, onnx.ints(sizes)], {
    coordinate_transformation_mode: "half_pixel",
    ...attributes,
  });
}

/** Picks the nearest elements by index. */
function gathered({ operands: { input }, attributes: { axes }, outputs: [output] }: Node, onnx: OnnxWriter): Operand {
  return axes.reduce<Operand>((value, axis) => {
    const [size, outputSize] = [input.shape[axis]!, output!.shape[axis]!];
    const positions = Array.from({ length: outputSize }, (_, i) => nearest(i, size, outputSize));
    return size === outputSize ? value : onnx.node("Gather", [value, onnx.ints(positions)], { axis });
  }, input);
}

type Node = NodeOf<"resample2d">;

/** The half-pixel coordinate `c = (i + ½)·size/outputSize − ½`, rounded to the nearest integer, ties down. */
function nearest(i: number, size: number, outputSize: number): number {
  const position = Math.ceil(((2 * i + 1) * size - 2 * outputSize) / (2 * outputSize));
  return Math.min(Math.max(position, 0), size - 1);
}

/** ONNX Runtime interpolates the last two dimensions. For integers it truncates, where the standard rounds. */
function linear({ operands: { input }, attributes: { axes }, outputs: [output] }: Node, onnx: OnnxWriter): Operand {
  const { dataType, shape } = input;
  const permutation = [...shape.keys()].sort((a, b) => Number(axes.includes(a)) - Number(axes.includes(b)) || a - b);
  const inverse = permutation.map((_, axis) => permutation.indexOf(axis));
  const before = permutation.map((axis) => shape[axis]!);
  const after = permutation.map((axis) => output!.shape[axis]!);
  const floats = isFloat(dataType) ? input : onnx.cast(input, "float32");
  const result = onnx.transpose(interpolate(onnx.transpose(floats, permutation), before, after, onnx), inverse);
  return isFloat(dataType) ? result : onnx.cast(onnx.node("Round", [result]), dataType);
}

/**
 * Interpolates the last two of four dimensions. ONNX Runtime's optimiser moves a transpose through Resize, even if no
 * kernel supports the result. It does not move it through a Reshape that adds a dimension, but that makes Resize
 * slower.
 */
function interpolate(input: Operand, before: Shape, after: Shape, onnx: OnnxWriter): Operand {
  const mode = { mode: "linear" };
  if (!onnx.has("Transpose")) return resize(input, after, mode, onnx);
  const volume = ([batches, channels, height, width]: Shape) => [batches!, channels!, 1, height!, width!];
  return onnx.reshape(resize(onnx.reshape(input, volume(before)), volume(after), mode, onnx), after);
}

export const resampling = { resample2d } satisfies { [Name in keyof typeof rows]: Lowering<Name> };
