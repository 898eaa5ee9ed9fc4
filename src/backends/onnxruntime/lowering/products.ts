/**
 * Lowering of matrix products and softmax.
 *
 * @module
 */

import type { products as rows } from "../../../ops/matmul.ts";
import { Float } from "../onnx.ts";
import type { Lowering } from "./lowering.ts";

const gemm: Lowering<"gemm"> = ({ operands: { a, b, c }, attributes }, onnx) =>
  onnx.node("Gemm", [a, b, c], {
    alpha: new Float(attributes.alpha),
    beta: new Float(attributes.beta),
    transA: Number(attributes.aTranspose),
    transB: Number(attributes.bTranspose),
  });

const matmul: Lowering<"matmul"> = ({ operands: { a, b } }, onnx) => onnx.node("MatMul", [a, b]);

const softmax: Lowering<"softmax"> = ({ operands: { input }, attributes: { axis } }, onnx) =>
  onnx.node("Softmax", [input], { axis });

export const products = { gemm, matmul, softmax } satisfies { [Name in keyof typeof rows]: Lowering<Name> };
