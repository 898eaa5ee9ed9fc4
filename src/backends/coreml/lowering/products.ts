/**
 * Lowering of matrix products and softmax.
 *
 * @module
 */

import type { products as rows } from "../../../ops/matmul.ts";
import type { Shape } from "../../../shape.ts";
import type { MilValue } from "../mil.ts";
import type { MilWriter } from "../mil_writer.ts";
import type { Lowering } from "./lowering.ts";

/** A matrix product, with optional transposes. */
export function product(
  x: MilValue,
  y: MilValue,
  shape: Shape,
  mil: MilWriter,
  transposeX = false,
  transposeY = false,
): MilValue {
  const parameters = { transpose_x: mil.bool(transposeX), transpose_y: mil.bool(transposeY) };
  return mil.op("matmul", { x, y, ...parameters }, { dataType: x.dataType, shape });
}

const matmul: Lowering<"matmul"> = ({ operands: { a, b }, outputs: [output] }, mil) =>
  product(mil.value(a), mil.value(b), output!.shape, mil);

/** `alpha·A·B + beta·C`. */
const gemm: Lowering<"gemm"> = ({ operands: { a, b, c }, attributes, outputs: [output] }, mil) => {
  const { alpha, beta, aTranspose, bTranspose } = attributes;
  const scaled = (value: MilValue, factor: number) =>
    factor === 1 ? value : mil.binary("mul", value, mil.scalar(value.dataType, factor));
  const ab = scaled(product(mil.value(a), mil.value(b), output!.shape, mil, aTranspose, bTranspose), alpha);
  return c ? mil.binary("add", ab, scaled(mil.value(c), beta)) : ab;
};

const softmax: Lowering<"softmax"> = ({ operands: { input }, attributes: { axis } }, mil) =>
  mil.unary("softmax", mil.value(input), { axis: mil.int(axis) });

export const products = { gemm, matmul, softmax } satisfies { [Name in keyof typeof rows]: Lowering<Name> };
