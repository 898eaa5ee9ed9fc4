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

type ReductionNode = NodeOf<keyof typeof rows>;

/**
 * A reduction. Over no axes MIL would reduce them all; then what the operator does with one element is done to each of
 * them.
 */
function reduction(type: string, ofElement: (x: MilValue, mil: MilWriter) => MilValue = (x) => x) {
  return ({ operands: { input }, attributes: { axes }, outputs: [output] }: ReductionNode, mil: MilWriter) => {
    const x = mil.value(input);
    return axes.length === 0 ? ofElement(x, mil) : mil.reshape(mil.reduce(type, x, axes), milShape(output!.shape));
  };
}

const magnitude = (x: MilValue, mil: MilWriter) => mil.unary("abs", x);
const square = (x: MilValue, mil: MilWriter) => mil.binary("mul", x, x);
const logarithm = (x: MilValue, mil: MilWriter) => mil.unary("log", x, { epsilon: mil.scalar(x.dataType, 0) });

/** The lowerings of reductions. */
export const reductions = {
  reduceL1: reduction("reduce_l1_norm", magnitude),
  reduceL2: reduction("reduce_l2_norm", magnitude),
  reduceLogSum: reduction("reduce_log_sum", logarithm),
  reduceLogSumExp: reduction("reduce_log_sum_exp"),
  reduceMax: reduction("reduce_max"),
  reduceMean: reduction("reduce_mean"),
  reduceMin: reduction("reduce_min"),
  reduceProduct: reduction("reduce_prod"),
  reduceSum: reduction("reduce_sum"),
  reduceSumSquare: reduction("reduce_sum_square", square),
} satisfies { [Name in keyof typeof rows]: Lowering<Name> };
