/**
 * Reads matrices of quantised weights from the various forms in which programs write dequantizeLinear before a product.
 *
 * @module
 */

import { bitsOf, type MLOperandDataType } from "../data_type.ts";
import type { Value } from "../graph/graph.ts";
import type { GraphView } from "./editor.ts";
import type { AnyNode } from "./fused.ts";
import { cutView, denseView, reshapeView, type StridedView, transposeView } from "./strided_view.ts";

/** A matrix `[inner, columns]` of a product, `(weight - zero point) · scale`. */
export interface QuantizedMatrix {
  readonly inner: number;
  readonly columns: number;
  readonly dataType: MLOperandDataType;
  /** The constants; their elements are contiguous. */
  readonly weights: Value;
  readonly scales: Value;
  readonly zeroPoints: Value;
  /** Element `[k, n]` is the weight with index `k · innerStride + n · columnStride`. */
  readonly innerStride: number;
  readonly columnStride: number;
  /** Along the inner dimension, the number of consecutive elements with the same scale in every column. */
  readonly run: number;
  /** The index of the scale and of the zero point of `[k, n]` is `scaleOfInner(k) + scaleOfColumn(n)`. */
  scaleOfInner(k: number): number;
  scaleOfColumn(n: number): number;
}

type Dequantize = AnyNode<"dequantizeLinear">;

/**
 * Reads a value as a matrix of constant weights, dequantised to float32, then reshaped, transposed or sliced.
 * @param order the last two dimensions of the value
 * @returns `undefined` if the value is something else, or if its elements have no strides
 */
export function quantizedMatrix(
  value: Value,
  order: "inner, columns" | "columns, inner",
  graph: GraphView,
): QuantizedMatrix | undefined {
  if (value.dataType !== "float32" || value.shape.slice(0, -2).some((dimension) => dimension !== 1)) return undefined;
  const found = dequantizedView(value, graph);
  if (!found) return undefined;
  const { view, dequantize } = found;
  const rank = view.shape.length;
  const [innerAxis, columnAxis] = order === "inner, columns" ? [rank - 2, rank - 1] : [rank - 1, rank - 2];
  const [inner, columns] = [view.shape[innerAxis]!, view.shape[columnAxis]!];
  const [innerStride, columnStride] = [view.strides[innerAxis]!, view.strides[columnAxis]!];
  const { input, scale, zeroPoint } = dequantize.operands;
  if (bitsOf(input.dataType) > 8 || ![input, scale, zeroPoint].every((operand) => graph.isConstant(operand))) {
    return undefined;
  }
  const along = (stride: number, count: number) => scaleAlong(dequantize, stride, count);
  const [ofInner, ofColumns] = [along(innerStride, inner), along(columnStride, columns)];
  if (!ofInner || !ofColumns) return undefined;
  return {
    inner,
    columns,
    dataType: input.dataType,
    weights: input,
    scales: scale,
    zeroPoints: zeroPoint,
    innerStride,
    columnStride,
    run: ofInner.run,
    scaleOfInner: ofInner.index,
    scaleOfColumn: ofColumns.index,
  };
}

/** Reads a value as a strided view of the output of a dequantizeLinear. */
function dequantizedView(
  value: Value,
  graph: GraphView,
): { view: StridedView; dequantize: Dequantize } | undefined {
  const dequantize = graph.producer(value, "dequantizeLinear");
  if (dequantize) return { view: denseView(value.shape), dequantize };
  const node = graph.producer(value, "reshape", "transpose", "slice", "identity");
  const before = node && dequantizedView(node.operands.input, graph);
  const view = before && moved(before.view, node);
  return view && { view, dequantize: before.dequantize };
}

function moved(
  view: StridedView,
  node: AnyNode<"reshape" | "transpose" | "slice" | "identity">,
): StridedView | undefined {
  switch (node.operator) {
    case "identity":
      return view;
    case "reshape":
      return reshapeView(view, node.attributes.newShape);
    case "transpose":
      return transposeView(view, node.attributes.permutation);
    case "slice": {
      const { starts, strides, sizes } = node.attributes;
      const isBeginning = starts.every((start) => start === 0) && strides.every((stride) => stride === 1);
      return isBeginning ? cutView(view, sizes) : undefined;
    }
  }
}

/** The scales along the rows or the columns of a matrix. */
interface ScaleAlong {
  /** The number of consecutive elements with the same scale; the count of all elements if there is one scale. */
  readonly run: number;
  index(position: number): number;
}

/**
 * The scales of the elements 0, stride, 2 · stride, ... of the input. If these steps run through adjacent dimensions,
 * the index of a scale is a sum with a term for each dimension.
 * @returns `undefined` if the steps run in another way
 */
function scaleAlong(dequantize: Dequantize, stride: number, count: number): ScaleAlong | undefined {
  const { input: { shape }, scale } = dequantize.operands;
  if (count === 1) return { run: 1, index: () => 0 };
  const input = denseView(shape).strides;
  const scales = denseView(scale.shape).strides;
  const parts: { step: number; size: number; block: number; scale: number }[] = [];
  let step = 1;
  // Starts at the dimension in which a step moves by one element, and goes outwards until all steps are covered.
  for (let axis = shape.length - 1; axis >= 0 && step < count; axis--) {
    if (shape[axis] === 1 || input[axis]! < stride) continue;
    if (input[axis]! !== stride * step) return undefined;
    parts.push({ step, size: shape[axis]!, block: shape[axis]! / scale.shape[axis]!, scale: scales[axis]! });
    step *= shape[axis]!;
  }
  if (step < count) return undefined;
  return {
    run: Math.min(runOf(parts), count),
    index: (position) => {
      let index = 0;
      for (let i = 0; i < parts.length; i++) {
        const { step, size, block, scale } = parts[i]!;
        index += Math.floor(Math.floor(position / step) % size / block) * scale;
      }
      return index;
    },
  };
}

/** The number of steps with the same scale: all inner dimensions with one scale, times a block of the next. */
function runOf(parts: readonly { step: number; size: number; block: number }[]): number {
  const next = parts.find(({ size, block }) => block !== size);
  const last = parts.at(-1)!;
  return next ? next.step * next.block : last.step * last.size;
}
