/**
 * Decides whether a session from the compile cache packs its weights: copies them into the order in which its kernels
 * read them.
 *
 * A product of one row reads each weight once, so the engine has a kernel for weights that are not packed; it takes the
 * same time. Packing the classifier of MobileNetV2, 5 MB, takes half of the time to create the session.
 *
 * Other sessions pack all weights: builds that are not from the cache were not faster without.
 *
 * @module
 */

import { isX64 } from "../../../ffi/processors.ts";
import type { Graph, Node, Value } from "../../graph/graph.ts";
import type { NodeOf } from "../../ops/operators.ts";

/** Operators whose weights the engine never packs when it creates a session; those of convolutions become constants. */
const UNPACKED: ReadonlySet<string> = new Set([
  ...["add", "sub", "mul", "div", "max", "min", "clamp", "prelu"],
  ...["elu", "gelu", "hardSigmoid", "hardSwish", "leakyRelu", "linear", "relu", "sigmoid", "softplus", "tanh"],
  ...["conv2d", "averagePool2d", "l2Pool2d", "maxPool2d", "reduceMax", "reduceMean", "reduceSum", "softmax"],
  ...["concat", "expand", "identity", "pad", "reshape", "slice", "split", "transpose"],
]);

/** Whether runs of a graph are faster if its weights are packed. */
export function gainsFromPacking({ nodes }: Graph<unknown>): boolean {
  return !isX64 || !nodes.every((node) => UNPACKED.has(node.operator) && isFloat32(node) || isProductOfRow(node));
}

/** Whether it is a gemm for which MLAS has a kernel without packing: `SgemmKernelM1TransposeB`. */
function isProductOfRow(node: Node): boolean {
  if (node.operator !== "gemm" || !isFloat32(node)) return false;
  const { attributes: { alpha, aTranspose, beta, bTranspose }, operands: { a } } = node as NodeOf<"gemm">;
  return a.shape[0] === 1 && !aTranspose && bTranspose && alpha === 1 && beta === 1;
}

function isFloat32({ outputs }: Node): boolean {
  return outputs.every(({ dataType }: Value) => dataType === "float32");
}
