/**
 * Merges a factor after a matrix product into the product.
 *
 * @module
 */

import type { Value } from "../graph/graph.ts";
import { sameShape } from "../shape.ts";
import { become } from "./editor.ts";
import { row } from "./row.ts";
import { isNormal } from "./scaled_convolutions.ts";

/**
 * A float32 product times or divided by a number. The factor must be a normal number of float32. The engine multiplies
 * the sums, like the operator, so they overflow in the same cases. Products of a single row or column stay: the engine
 * has faster kernels for them, which cannot apply a factor.
 */
const scaledMatmul = row(["mul", "div"], ["matmul"], (node, graph) => {
  const [output] = node.outputs as [Value];
  const { a, b } = node.operands;
  if (output.dataType !== "float32" || output.shape.slice(-2).includes(1)) return undefined;
  const [value, factor] = node.operator === "div" || graph.producer(a, "matmul") ? [a, b] : [b, a];
  const product = graph.producer(value, "matmul");
  const number = product && graph.areInner([product], node) ? graph.uniform(factor) : undefined;
  if (!product || number === undefined || !sameShape(value.shape, output.shape)) return undefined;
  const alpha = Math.fround(node.operator === "div" ? 1 / number : number);
  return isNormal(alpha) ? become("scaledMatmul", product.operands, { alpha }) : undefined;
});

/** The rewrites of factors after matrix products. */
export const scaledProducts = { scaledMatmul };
