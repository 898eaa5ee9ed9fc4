/**
 * Lowering of convolutions and pools. ONNX Runtime's are NCHW with OIHW filters; other layouts are transposed around
 * them, and its optimiser cancels the transposes of neighbours.
 *
 * @module
 */

import type { Value } from "../../../graph/graph.ts";
import type { convolutions, Window } from "../../../ops/conv2d.ts";
import { imageShape, type InputLayout } from "../../../graph/layout.ts";
import type { pools as poolRows } from "../../../ops/pool2d.ts";
import type { NodeOf } from "../../../ops/operators.ts";
import type { OnnxWriter, Operand } from "../writer.ts";
import type { Lowering } from "./lowering.ts";

const TO_NCHW = [0, 3, 1, 2];
const TO_NHWC = [0, 2, 3, 1];

/** The operand in NCHW. */
function toNchw(input: Operand, layout: InputLayout, onnx: OnnxWriter): Operand {
  return layout === "nchw" ? input : onnx.transpose(input, TO_NCHW);
}

/** What is NCHW, in the layout of the user. */
function fromNchw(output: Operand, layout: InputLayout, onnx: OnnxWriter): Operand {
  return layout === "nchw" ? output : onnx.transpose(output, TO_NHWC);
}

/** The permutation that brings dimensions in the order of the letters of `from` into that of `to`. */
function permutation(from: string, to: string): number[] {
  return [...to].map((letter) => from.indexOf(letter));
}

/** ONNX lists the beginnings of all dimensions before the ends: `[top, left, bottom, right]`. */
function onnxPads([top, bottom, left, right]: readonly number[]): number[] {
  return [top!, left!, bottom!, right!];
}

const conv2d: Lowering<"conv2d"> = ({ operands: { input, filter, bias }, attributes }, onnx) => {
  const { inputLayout, filterLayout, padding, strides, dilations, groups } = attributes;
  const output = onnx.node("Conv", [
    toNchw(input, inputLayout, onnx),
    onnx.transpose(filter, permutation(filterLayout, "oihw")),
    bias,
  ], { pads: onnxPads(padding), strides, dilations, group: groups });
  return fromNchw(output, inputLayout, onnx);
};

type PoolNode = NodeOf<"averagePool2d"> | NodeOf<"l2Pool2d"> | NodeOf<"maxPool2d">;

/** A pool: of the whole image by the global operator, which is faster; else by a window. */
function pool(op: string, windowed: (input: Operand, window: PoolWindow, onnx: OnnxWriter, node: PoolNode) => Operand) {
  return (node: PoolNode, onnx: OnnxWriter): Operand => {
    const { layout } = node.attributes;
    const input = toNchw(node.operands.input, layout, onnx);
    const output = isGlobal(node.operands.input, node.attributes)
      ? onnx.node(`Global${op}`, [input], op === "LpPool" ? { p: 2 } : {})
      : windowed(input, poolWindow(node), onnx, node);
    return fromNchw(output, layout, onnx);
  };
}

function isGlobal(input: Value, { layout, windowDimensions, padding, outputSizes }: PoolNode["attributes"]): boolean {
  const { height, width } = imageShape(input.shape, layout);
  return windowDimensions[0] === height && windowDimensions[1] === width &&
    padding.every((size) => size === 0) && outputSizes.every((size) => size === 1);
}

/** A window whose end padding makes the output have exactly the size that was resolved, however it was rounded. */
interface PoolWindow extends Window {
  readonly kernel: readonly number[];
}

function poolWindow({ operands: { input }, attributes }: PoolNode): PoolWindow {
  const { layout, windowDimensions: kernel, padding, strides, dilations, outputSizes } = attributes;
  const { height, width } = imageShape(input.shape, layout);
  const end = (dimension: 0 | 1, size: number) => {
    const covered = (outputSizes[dimension]! - 1) * strides[dimension]! +
      (kernel[dimension]! - 1) * dilations[dimension]! + 1;
    return Math.max(covered - size - padding[2 * dimension]!, 0);
  };
  return { kernel, strides, dilations, padding: [padding[0]!, end(0, height), padding[2]!, end(1, width)] };
}

function poolAttributes({ kernel, padding, strides, dilations }: PoolWindow) {
  return { kernel_shape: kernel, pads: onnxPads(padding), strides, dilations };
}

const averagePool2d = pool(
  "AveragePool",
  (input, window, onnx) => onnx.node("AveragePool", [input], { ...poolAttributes(window), count_include_pad: 0 }),
);

const l2Pool2d = pool(
  "LpPool",
  (input, window, onnx) => onnx.node("LpPool", [input], { ...poolAttributes(window), p: 2 }),
);

const maxPool2d = pool("MaxPool", (input, window, onnx) => onnx.node("MaxPool", [input], poolAttributes(window)));

/** The lowerings of convolutions. */
export const windows = { conv2d, averagePool2d, l2Pool2d, maxPool2d } satisfies {
  [Name in keyof typeof convolutions | keyof typeof poolRows]: Lowering<Name>;
};
