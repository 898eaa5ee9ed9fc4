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

/** Reduces `x`; the reduced dimensions stay, with size 1. */
type Reduce = (type: string, x: MilValue, axes: readonly number[], mil: MilWriter) => MilValue;

const directly: Reduce = (type, x, axes, mil) => mil.reduce(type, x, axes);

/** Sums and products may overflow float16 on the way to a result that does not, such as the root of 256². */
const accumulating: Reduce = (type, x, axes, mil) =>
  x.dataType === "fp16" ? inFloat32([x], (x) => mil.reduce(type, x, axes), mil) : mil.reduce(type, x, axes);

/**
 * A reduction. For no axes MIL would reduce all of them; in that case, `ofElement` is applied to each element instead.
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

export const reductions = {
  reduceL1: reduction("reduce_l1_norm", accumulating, magnitude),
  reduceL2: reduction("reduce_l2_norm", accumulating, magnitude),
  reduceLogSum: reduction("reduce_log_sum", accumulating, logarithm),
  reduceLogSumExp: reduction("reduce_log_sum_exp", accumulating),
  reduceMax: reduction("reduce_max", directly),
  // Most float16 networks have means, and casts would keep them off the Neural Engine. Apple's own evaluation sums a
  // mean in float32.
  reduceMean: reduction("reduce_mean", directly),
  reduceMin: reduction("reduce_min", directly),
  reduceProduct: reduction("reduce_prod", accumulating),
  reduceSum: reduction("reduce_sum", accumulating),
  reduceSumSquare: reduction("reduce_sum_square", accumulating, square),
} satisfies { [Name in keyof typeof rows]: Lowering<Name> };
