/**
 * Evaluators of shapes, constants, and operators that only change the shape.
 *
 * @module
 */

import type { Known } from "../model.ts";
import type { NodeView } from "../node.ts";
import { known, numbersOf, sizeOf } from "../value.ts";
import { axisOf } from "./arrays.ts";
import type { Evaluate } from "./evaluator.ts";

function withShape(value: Known, shape: readonly number[]): Known {
  return { ...value, shape };
}

/** @see https://onnx.ai/onnx/operators/onnx__Shape.html */
const Shape: Evaluate = (node) => {
  const shape = node.shape(0);
  const bound = (at: number) => Math.min(Math.max(at < 0 ? at + shape.length : at, 0), shape.length);
  const part = shape.slice(bound(node.int("start", 0)), bound(node.int("end", shape.length)));
  return known("int64", [part.length], part);
};

const Size: Evaluate = (node) => known("int64", [], [sizeOf(node.shape(0))]);

/** @see https://onnx.ai/onnx/operators/onnx__Constant.html */
const Constant: Evaluate = (node) => {
  if (node.hasAttribute("value")) return node.tensor("value");
  if (node.hasAttribute("value_float")) return known("float32", [], [node.float("value_float")]);
  if (node.hasAttribute("value_int")) return known("int64", [], [node.int("value_int")]);
  const floats = node.floats("value_floats");
  if (floats) return known("float32", [floats.length], floats);
  const ints = node.ints("value_ints");
  if (ints) return known("int64", [ints.length], ints);
  return node.refuse("constants of this kind are not supported");
};

/** The shape `[]` means one element, as in other operators. */
const FILL_ELEMENTS = 65536;

/** @see https://onnx.ai/onnx/operators/onnx__ConstantOfShape.html */
const ConstantOfShape: Evaluate = (node) => {
  const shape = node.neededNumbers(0, "the shape");
  const value = node.hasAttribute("value") ? node.tensor("value") : known("float32", [1], [0]);
  const size = sizeOf(shape);
  if (size > FILL_ELEMENTS) return undefined;
  const bytes = new Uint8Array(size * value.bytes.byteLength);
  for (let at = 0; at < bytes.byteLength; at += value.bytes.byteLength) bytes.set(value.bytes, at);
  return { type: value.type, shape, bytes };
};

/** @see https://onnx.ai/onnx/operators/onnx__Reshape.html */
export function reshapedTo(node: NodeView, from: readonly number[], to: readonly number[]): number[] {
  const zeroStays = !node.flag("allowzero");
  const shape = to.map((size, axis) =>
    size === 0 && zeroStays ? from[axis] ?? node.refuse(`a 0 for axis ${axis}, which the input does not have`) : size
  );
  const open = shape.indexOf(-1);
  if (open >= 0) {
    shape[open] = sizeOf(from) / shape.reduce((product, size) => size === -1 ? product : product * size, 1);
  }
  if (sizeOf(shape) !== sizeOf(from) || !shape.every((size) => Number.isInteger(size) && size >= 0)) {
    node.refuse(`[${from}] cannot be reshaped to [${to}]`);
  }
  return shape;
}

/** The axes of Squeeze and Unsqueeze: an attribute before version 13, an input since then. */
export function axesOf(node: NodeView): readonly number[] | undefined {
  return node.opset < 13 ? node.ints("axes") : node.numbers(1, "the axes");
}

/** Removes axes of size 1 from a shape; by default all of them. */
export function squeezed(node: NodeView, shape: readonly number[], axes: readonly number[] | undefined): number[] {
  const gone = axes?.map((axis) => axisOf(axis, shape.length));
  if (gone?.some((axis) => shape[axis] !== 1)) node.refuse(`the axes [${axes}] of [${shape}] do not all have size 1`);
  return shape.filter((size, axis) => gone ? !gone.includes(axis) : size !== 1);
}

/** Inserts axes of size 1 into a shape. */
export function unsqueezed(shape: readonly number[], axes: readonly number[]): number[] {
  const rank = shape.length + axes.length;
  const added = axes.map((axis) => axisOf(axis, rank));
  const rest = shape.values();
  return Array.from({ length: rank }, (_, axis) => added.includes(axis) ? 1 : rest.next().value ?? 1);
}

/** Flattens a shape to a matrix, split at an axis. */
export function flattened(shape: readonly number[], axis: number): number[] {
  const cut = axis < 0 ? axis + shape.length : axis;
  return [sizeOf(shape.slice(0, cut)), sizeOf(shape.slice(cut))];
}

export const shapes: { readonly ofElements: Record<string, Evaluate>; readonly ofShapes: Record<string, Evaluate> } = {
  ofElements: {
    Constant,
    ConstantOfShape,
    Identity: (node) => node.known(0),
    Reshape: (node) => {
      const to = node.since < 5 ? node.ints("shape") ?? [] : numbersOf(node.known(1, "the shape"));
      return withShape(node.known(0), reshapedTo(node, node.shape(0), to));
    },
    Squeeze: (node) => withShape(node.known(0), squeezed(node, node.shape(0), axesOf(node))),
    Unsqueeze: (node) => withShape(node.known(0), unsqueezed(node.shape(0), axesOf(node) ?? [])),
    Flatten: (node) => withShape(node.known(0), flattened(node.shape(0), node.int("axis", 1))),
  },
  ofShapes: { Shape, Size },
};
