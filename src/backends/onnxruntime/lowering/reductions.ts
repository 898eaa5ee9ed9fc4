/**
 * Lowering of reductions.
 *
 * @module
 */

import { isUnsigned } from "../../../data_type.ts";
import type { reductions as rows } from "../../../ops/reduction.ts";
import type { NodeOf } from "../../../ops/operators.ts";
import type { OnnxWriter, Operand } from "../writer.ts";
import { carried } from "./carrier.ts";
import type { Lowering } from "./lowering.ts";

type ReductionNode = NodeOf<keyof typeof rows>;

/** A reduction by an ONNX operator, which is told to take an empty list of axes for none. */
function reduce(op: string, input: Operand, { attributes }: ReductionNode, onnx: OnnxWriter): Operand {
  return onnx.node(op, [input, onnx.ints(attributes.axes)], {
    keepdims: Number(attributes.keepDimensions),
    noop_with_empty_axes: 1,
  });
}

function reduction(op: string) {
  return (node: ReductionNode, onnx: OnnxWriter) => reduce(op, node.operands.input, node, onnx);
}

function sum(op: "ReduceL1" | "ReduceProd" | "ReduceSum" | "ReduceSumSquare") {
  return (node: ReductionNode, onnx: OnnxWriter) =>
    carried(op, [node.operands.input], ([input]) => reduce(op, input, node, onnx), onnx);
}

/** The sum of absolute values. Unsigned integers have no others. */
function absoluteSum(node: ReductionNode, onnx: OnnxWriter): Operand {
  return sum(isUnsigned(node.operands.input.dataType) ? "ReduceSum" : "ReduceL1")(node, onnx);
}

/** The greatest or the least. There are no kernels for unsigned integers of 32 and 64 bits. */
function extreme(op: "ReduceMax" | "ReduceMin") {
  return (node: ReductionNode, onnx: OnnxWriter) => {
    const { input } = node.operands;
    switch (input.dataType) {
      case "uint32":
        return onnx.cast(reduce(op, onnx.cast(input, "int64"), node, onnx), "uint32");
      case "uint64": {
        // With the highest bit flipped, signed integers have the order of the unsigned ones.
        const highest = onnx.scalar("int64", -(2n ** 63n));
        const flipped = onnx.node("BitwiseXor", [onnx.cast(input, "int64"), highest]);
        return onnx.cast(onnx.node("BitwiseXor", [reduce(op, flipped, node, onnx), highest]), "uint64");
      }
      default:
        return reduce(op, input, node, onnx);
    }
  };
}

/** The lowerings of reductions. */
export const reductions = {
  reduceL1: absoluteSum,
  reduceL2: reduction("ReduceL2"),
  reduceLogSum: reduction("ReduceLogSum"),
  reduceLogSumExp: reduction("ReduceLogSumExp"),
  reduceMax: extreme("ReduceMax"),
  reduceMean: reduction("ReduceMean"),
  reduceMin: extreme("ReduceMin"),
  reduceProduct: sum("ReduceProd"),
  reduceSum: sum("ReduceSum"),
  reduceSumSquare: sum("ReduceSumSquare"),
} satisfies { [Name in keyof typeof rows]: Lowering<Name> };
