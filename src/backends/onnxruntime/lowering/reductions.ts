/**
 * Lowering of reductions.
 *
 * @module
 */

import type { reductions as rows } from "../../../ops/reduction.ts";
import type { NodeOf } from "../../../ops/operators.ts";
import type { OnnxWriter } from "../writer.ts";
import type { Lowering } from "./lowering.ts";

type ReductionNode = NodeOf<keyof typeof rows>;

/** A reduction; ONNX reads an empty list of axes as all of them, so that none are a reshape of the element's function. */
function reduction(op: string) {
  return ({ operands: { input }, attributes: { axes, keepDimensions } }: ReductionNode, onnx: OnnxWriter) =>
    onnx.node(op, [input, onnx.ints(axes)], { keepdims: Number(keepDimensions), noop_with_empty_axes: 1 });
}

/** The lowerings of reductions. */
export const reductions = {
  reduceL1: reduction("ReduceL1"),
  reduceL2: reduction("ReduceL2"),
  reduceLogSum: reduction("ReduceLogSum"),
  reduceLogSumExp: reduction("ReduceLogSumExp"),
  reduceMax: reduction("ReduceMax"),
  reduceMean: reduction("ReduceMean"),
  reduceMin: reduction("ReduceMin"),
  reduceProduct: reduction("ReduceProd"),
  reduceSum: reduction("ReduceSum"),
  reduceSumSquare: reduction("ReduceSumSquare"),
} satisfies { [Name in keyof typeof rows]: Lowering<Name> };
