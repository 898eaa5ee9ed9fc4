/**
 * Recognises products with constant quantised weights, which then stay in 4 or 8 bits per element in memory.
 *
 * @module
 */

import { bitsOf } from "../data_type.ts";
import type { Value } from "../graph/graph.ts";
import { type Descriptor, elementCount } from "../shape.ts";
import { become, type GraphView, type Replacement } from "./editor.ts";
import { blockSizeOf, packedBytes, packedHalves } from "./packed_blocks.ts";
import { type QuantizedMatrix, quantizedMatrix } from "./quantized_matrix.ts";
import { type Rewrite, row } from "./row.ts";

/** Makes a product with a matrix of quantised weights; `undefined` if the graph stays unchanged. */
type MakeProduct = (
  a: Value,
  matrix: QuantizedMatrix,
  output: Descriptor,
  graph: GraphView,
) => Replacement | undefined;

/** `matmul(a, B)` for quantised B. */
function matmulBy(make: MakeProduct): Rewrite {
  return row(["matmul"], ["dequantizeLinear"], ({ operands: { a, b }, outputs: [output] }, graph) => {
    // The outer dimensions of B are 1. They must not add dimensions to the result.
    if (output!.shape.length !== a.shape.length) return undefined;
    const matrix = quantizedMatrix(b, "inner, columns", graph);
    return matrix && make(a, matrix, output!, graph);
  });
}

/** `gemm(a, B, c)` for quantised B. The operand c is added after the product. */
function gemmBy(make: MakeProduct): Rewrite {
  return row(["gemm"], ["dequantizeLinear"], ({ operands: { a, b, c }, attributes, outputs: [output] }, graph) => {
    const { alpha, aTranspose, beta, bTranspose } = attributes;
    if (alpha !== 1 || aTranspose || (c && beta !== 1)) return undefined;
    const matrix = quantizedMatrix(b, bTranspose ? "columns, inner" : "inner, columns", graph);
    const product = matrix && make(a, matrix, output!, graph);
    if (!product || !c) return product;
    const { operator, operands, attributes: blocks } = product;
    return become("add", { a: graph.insert(operator, operands, blocks, output!), b: c }, {});
  });
}

/**
 * The exact product of a and a matrix. An 8-bit matrix is split into two 4-bit halves, whose products are added.
 *
 * Used for 8-bit matrices only if a has a single row. That takes 1.3 times as long as in float32, and a quarter of the
 * memory. With several rows it would take more than twice as long; the engine then converts the weights to float32
 * once.
 */
const exactProduct: MakeProduct = (a, matrix, output, graph) => {
  const blockSize = blockSizeOf(matrix);
  const isRow = elementCount(a.shape) === matrix.inner;
  if (blockSize === undefined || (bitsOf(matrix.dataType) === 8 && !isRow)) return undefined;
  const attributes = { bits: 4, inner: matrix.inner, columns: matrix.columns, blockSize } as const;
  const [low, high] = packedHalves(matrix, blockSize, graph).map((plane) => ({ a, ...plane }));
  if (!high) return become("blockMatmul", low!, attributes);
  return become("add", {
    a: graph.insert("blockMatmul", high, attributes, output),
    b: graph.insert("blockMatmul", low!, attributes, output),
  }, {});
};

/** The product of a, rounded to 8 bits, and an unchanged 8-bit matrix. */
const roundedProduct: MakeProduct = (a, matrix, _output, graph) => {
  const blockSize = blockSizeOf(matrix);
  if (blockSize === undefined || bitsOf(matrix.dataType) !== 8) return undefined;
  const attributes = { bits: 8, inner: matrix.inner, columns: matrix.columns, blockSize } as const;
  return become("blockMatmul", { a, ...packedBytes(matrix, blockSize, graph) }, attributes);
};

/** The rewrites to products with quantised weights. Those that round need a context that allows reduced precision. */
export const quantizedProducts = {
  quantizedMatmul: matmulBy(exactProduct),
  quantizedGemm: gemmBy(exactProduct),
  roundedMatmul: matmulBy(roundedProduct),
  roundedGemm: gemmBy(roundedProduct),
};
