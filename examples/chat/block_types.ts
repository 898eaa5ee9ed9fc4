/**
 * The block types of tensors in a GGUF file.
 *
 * @module
 * @see https://github.com/ggml-org/ggml/blob/master/src/ggml-common.h
 */

/** A block type. */
export interface BlockType {
  readonly name: "F32" | "F16" | "Q4_0" | "Q4_1" | "Q5_0" | "Q8_0" | "Q4_K" | "Q5_K" | "Q6_K";
  /** The number of elements in a block. */
  readonly elements: number;
  /** The size of a block in bytes. */
  readonly bytes: number;
}

/** The block types by their numbers in the file. */
export const BLOCK_TYPES: Readonly<Record<number, BlockType>> = {
  0: { name: "F32", elements: 1, bytes: 4 },
  1: { name: "F16", elements: 1, bytes: 2 },
  2: { name: "Q4_0", elements: 32, bytes: 18 },
  3: { name: "Q4_1", elements: 32, bytes: 20 },
  6: { name: "Q5_0", elements: 32, bytes: 22 },
  8: { name: "Q8_0", elements: 32, bytes: 34 },
  12: { name: "Q4_K", elements: 256, bytes: 144 },
  13: { name: "Q5_K", elements: 256, bytes: 176 },
  14: { name: "Q6_K", elements: 256, bytes: 210 },
};

/** The size of a tensor's blocks in bytes. */
export function bytesOfBlocks({ elements, bytes }: BlockType, shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1) / elements * bytes;
}
