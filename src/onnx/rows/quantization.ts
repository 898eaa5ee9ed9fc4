/**
 * Quantised numbers of 4, 8, 16 and 32 bits: conversions, and operators that dequantise, compute, and quantise again.
 *
 * @module
 */

import { elementCount } from "../../shape.ts";
import type { ElementType } from "../model.ts";
import type { NodeView } from "../node.ts";
import { constant, join, Operand, range } from "../operand.ts";
import { type Build, type Row, type RowResult, rows } from "../row.ts";
import { isPlain } from "../element_type.ts";
import { unsupported } from "../errors.ts";
import { flattened } from "./movement.ts";

/** The quantised element types of ONNX that WebNN supports. */
const QUANTIZED: readonly ElementType[] = ["int8", "uint8", "int4", "uint4"];

/** Scale and zero point: one value for the whole tensor, one per slice along an axis, or one per block. */
export interface Scaling {
  readonly scale: Operand;
  /** By default 0. */
  readonly zero?: Operand | undefined;
}

/** A quantised operand. */
export interface Quantized extends Scaling {
  readonly x: Operand;
}

/** A constant whose elements all equal `value`; 4-bit integers are packed two per byte. */
export function filled({ recorder }: Operand, type: ElementType, shape: readonly number[], value: number): Operand {
  if (isPlain(type)) return constant(recorder, type, shape, value);
  const bytes = new Uint8Array(Math.ceil(elementCount(shape) / 2)).fill(value << 4 | value);
  return new Operand(recorder, { type, shape, bytes });
}

/** Reshapes a scale or zero point so that it broadcasts to `x`; several values apply along `axis`, or per block. */
function fitted(x: Operand, axis: number, values: Operand): Operand {
  if (values.size === 1) return values.reshape(new Array<number>(x.rank).fill(1));
  return values.rank > 1 ? values : values.along(x.axis(axis), x.rank);
}

/** Dequantises `x`. The result has the type of the scale. */
export function dequantize({ x, scale, zero }: Quantized, axis: number): Operand {
  const factor = fitted(x, axis, scale);
  return x.dequantizeLinear(factor, zero ? fitted(x, axis, zero) : filled(x, x.type, factor.shape, 0));
}

/** Quantises `x` to the type of the zero point, or to `type` if there is no zero point. */
export function quantize(x: Operand, { scale, zero }: Scaling, axis: number, type: ElementType = "uint8"): Operand {
  const factor = fitted(x, axis, scale.cast("float32"));
  return x.cast("float32").quantizeLinear(factor, zero ? fitted(x, axis, zero) : filled(x, type, factor.shape, 0));
}

/** Rejects a partial last block. */
function checkBlocks(node: NodeView, x: Operand, scale: Operand): void {
  const size = node.since >= 21 ? node.int("block_size", 0) : 0;
  const axis = size > 0 ? x.axis(node.int("axis", 1)) : 0;
  if (size > 0 && scale.shape[axis]! * size !== x.shape[axis]) {
    unsupported("WebNN does not support a partial last block");
  }
}

function quantizeLinear(node: NodeView, x: Operand, scale: Operand, zero?: Operand): Operand {
  const stated = node.since >= 21 ? node.elementType("output_dtype") : undefined;
  const type = zero?.type ?? stated ?? "uint8";
  if (!QUANTIZED.includes(type)) unsupported(`WebNN cannot quantise to ${type}`);
  checkBlocks(node, x, scale);
  return quantize(x, { scale, zero }, node.int("axis", 1), type);
}

function dequantizeLinear(node: NodeView, x: Operand, scale: Operand, zero?: Operand): Operand {
  const axis = node.int("axis", 1);
  if (x.type === "int16" || x.type === "uint16") {
    if (scale.rank > 1) unsupported("16-bit integers in blocks are not supported");
    const whole = zero ? x.cast("int32").sub(fitted(x, axis, zero).cast("int32")) : x.cast("int32");
    return whole.cast(scale.type).mul(fitted(x, axis, scale));
  }
  if (![...QUANTIZED, "int32"].includes(x.type)) unsupported(`WebNN cannot dequantise ${x.type}`);
  checkBlocks(node, x, scale);
  const stated = node.since >= 23 ? node.elementType("output_dtype") : undefined;
  const result = dequantize({ x, scale, zero }, axis);
  return stated ? result.cast(stated) : result;
}

/** The scale and zero point that map the range of the elements, extended to include 0, to uint8. */
function dynamicScaling(x: Operand): { scale: Operand; zero: Operand } {
  const [high, low] = [x.reduceMax().max(0), x.reduceMin().min(0)];
  const span = high.sub(low).div(255);
  const scale = span.equal(0).where(1, span);
  return { scale, zero: low.neg().quantizeLinear(scale, filled(x, "uint8", [], 0)) };
}

/** Quantises an operand to uint8, with one scale and zero point for the whole tensor. */
export function dynamicallyQuantized(x: Operand): Quantized & { readonly zero: Operand } {
  const scaling = dynamicScaling(x);
  return { x: quantize(x, scaling, 0), ...scaling };
}

function dynamicQuantizeLinear(_: NodeView, input: Operand): RowResult {
  const { x, scale, zero } = dynamicallyQuantized(input);
  return [x, scale, zero];
}

/**
 * An operator of com.microsoft: dequantises `count` operands, computes in floating point, and quantises the result.
 * Each operand has three inputs: integers, scale and zero point. The scale and zero point of the result follow.
 */
const byFloats = (count: number, compute: (node: NodeView, ...operands: Operand[]) => Operand): Build => (node) => {
  const [operands, scaling] = [range(0, count).map((i) => dequantizedAt(node, 3 * i)), scalingAt(node, 3 * count)];
  return quantize(compute(node, ...operands), scaling, 0, node.input(0).type);
};

/** The scale and the zero point in the inputs `i` and `i + 1`. */
function scalingAt(node: NodeView, i: number): Scaling {
  return { scale: node.input(i).cast("float32"), zero: node.inputs[i + 1] };
}

/** Dequantises input `i`, whose scale and zero point are the next two inputs. */
function dequantizedAt(node: NodeView, i: number): Operand {
  return dequantize({ x: node.input(i), ...scalingAt(node, i + 1) }, 0);
}

function qLinearConcat(node: NodeView): Operand {
  const parts = range(0, (node.inputs.length - 2) / 3).map((i) => dequantizedAt(node, 2 + 3 * i));
  return quantize(join(parts, parts[0]!.axis(node.int("axis"))), scalingAt(node, 0), 0);
}

const qLinearGlobalAveragePool = byFloats(1, (node, x) => {
  const axes = node.flag("channels_last") ? range(1, x.rank - 1) : range(2, x.rank);
  return x.reduceMean({ axes, keepDimensions: true });
});

const qLinearSoftmax = byFloats(1, (node, x) => {
  const axis = x.axis(node.int("axis", -1));
  return node.int("opset", 13) >= 13 ? x.softmax(axis) : flattened(x, axis).softmax(1).reshape(x.shape);
});

export const quantization: Row[] = [
  ...rows("", {
    DequantizeLinear: [[10, 13, 21, 23], 2, dequantizeLinear],
    DynamicQuantizeLinear: [11, 1, dynamicQuantizeLinear],
    QuantizeLinear: [[10, 13, 21, 23], 2, quantizeLinear],
  }),
  ...rows("com.microsoft", {
    DequantizeLinear: [1, 2, dequantizeLinear],
    QLinearAdd: [1, 7, byFloats(2, (_, a, b) => a.add(b))],
    QLinearConcat: [1, 1, qLinearConcat],
    QLinearGlobalAveragePool: [1, 4, qLinearGlobalAveragePool],
    QLinearLeakyRelu: [1, 4, byFloats(1, (node, x) => x.leakyRelu({ alpha: node.float("alpha", 0.01) }))],
    QLinearMul: [1, 7, byFloats(2, (_, a, b) => a.mul(b))],
    QLinearSigmoid: [1, 4, byFloats(1, (_, x) => x.sigmoid())],
    QLinearSoftmax: [1, 4, qLinearSoftmax],
    QuantizeLinear: [1, 2, quantizeLinear],
  }),
];
