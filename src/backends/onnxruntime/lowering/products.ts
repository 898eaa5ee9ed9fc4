/**
 * Lowering of matrix products and softmax.
 *
 * @module
 */

import type { Value } from "../../../graph/graph.ts";
import type { products as rows } from "../../../ops/matmul.ts";
import { elementCount } from "../../../shape.ts";
import { Float } from "../onnx.ts";
import type { OnnxWriter } from "../writer.ts";
import { hasFlaw } from "./kernels.ts";
import type { Lowering } from "./lowering.ts";

const gemm: Lowering<"gemm"> = ({ operands: { a, b, c }, attributes }, onnx) =>
  onnx.node("Gemm", [a, b, c], {
    alpha: new Float(attributes.alpha),
    beta: new Float(attributes.beta),
    transA: Number(attributes.aTranspose),
    transB: Number(attributes.bTranspose),
  });

const matmul: Lowering<"matmul"> = ({ operands: { a, b }, outputs: [output] }, onnx) => {
  const isMerged = hasFlaw("shuffledAttention", onnx) && [a, b].some((value) => isFixedBatch(value, onnx));
  if (!isMerged) return onnx.node("MatMul", [a, b]);
  // The engine merges products of 3 or 4 dimensions only.
  const ones = ({ shape }: Value) => Array(Math.max(0, 5 - shape.length)).fill(1);
  const ofRank5 = (value: Value) => onnx.reshape(value, [...ones(value), ...value.shape]);
  return onnx.reshape(onnx.node("MatMul", [ofRank5(a), ofRank5(b)]), output!.shape);
};

/** Whether a value is several matrices that do not depend on inputs. */
function isFixedBatch(value: Value, onnx: OnnxWriter): boolean {
  return elementCount(value.shape.slice(0, -2)) > 1 && onnx.isFixed(value);
}

const softmax: Lowering<"softmax"> = ({ operands: { input }, attributes: { axis } }, onnx) =>
  onnx.node("Softmax", [input], { axis });

export const products = { gemm, matmul, softmax } satisfies { [Name in keyof typeof rows]: Lowering<Name> };
