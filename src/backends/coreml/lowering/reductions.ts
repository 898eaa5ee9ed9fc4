/**
 * Lowering of reductions.
 *
 * @module
 */

import type { reductions as rows } from "../../../ops/reduction.ts";
import type { NodeOf } from "../../../ops/operators.ts";
import type { MilValue } from "../mil.ts";
import { milShape, type MilWriter } from "../mil_writer.ts";
import type { Lowering } from "./lowering.ts";
import { inFloat32 } from "./precision.ts";

type ReductionNode = NodeOf<keyof typeof rows>;

/** Reduces `x`, leaving dimensions of 1. */
type Reduce = (type: string, x: MilValue, axes: readonly number[], mil: MilWriter) => MilValue;

const directly: Reduce = (type, x, axes, mil) => mil.reduce(type, x, axes);

/** Sums and products may be beyond float16 on the way to a result that is not: the square of 256 is. */
const accumulating: Reduce = (type, x, axes, mil) =>
  x.dataType === "fp16" ? inFloat32([x], (x) => mil.reduce(type, x, axes), mil) : mil.reduce(type, x, axes);

/**
 * A reduction. Over no axes MIL would reduce them all; then what the operator does with one element is done to each of
 * them.
 */
function reduction(type: string, reduce: Reduce, ofElement: (x: MilValue, mil: MilWriter) => MilValue = (x) => x) {
  return ({ operands: { input }, attributes: { axes }, outputs: [output] }: ReductionNode, mil: MilWriter) => {
    const x = mil.value(input);
    return axes.length === 0 ? ofElement(x, mil) : mil.reshape(reduce(type, x, axes, mil), milShape(output!.shape));
  };
}

const magnitude = (x: MilValue, mil: MilWriter) => mil.unary("abs", x);
const square = (x: MilValue, mil: MilWriter) => mil.binary("mul", x, x);
const logarithm = (x: MilValue, mil: MilWriter) => mil.unary("log", x, { epsilon: mil.scalar(x.dataType, 0) });

/** The lowerings of reductions. */
export const reductions = {
  reduceL1: reduction("reduce_l1_norm", accumulating, magnitude),
  reduceL2: reduction("reduce_l2_norm", accumulating, magnitude),
  reduceLogSum: reduction("reduce_log_sum", accumulating, logarithm),
  reduceLogSumExp: reduction("reduce_log_sum_exp", accumulating),
  reduceMax: reduction("reduce_max", directly),
  // Most float16 networks have means; casts would keep them off the Neural Engine. Apple's own evaluation of a mean adds up
  // in float32.
  reduceMean: reduction("reduce_mean", directly),
  reduceMin: reduction("reduce_min", directly),
  reduceProduct: reduction("reduce_prod", accumulating),
  reduceSum: reduction("reduce_sum", accumulating),
  reduceSumSquare: reduction("reduce_sum_square", accumulating, square),
} satisfies { [Name in keyof typeof rows]: Lowering<Name> };
