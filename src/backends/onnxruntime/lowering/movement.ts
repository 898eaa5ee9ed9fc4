/**
 * Lowering of data movement.
 *
 * @module
 */

import type { movement as rows } from "../../../ops/movement.ts";
import type { Lowering } from "./lowering.ts";

const concat: Lowering<"concat"> = ({ operands: { inputs }, attributes: { axis } }, onnx) =>
  onnx.node("Concat", inputs, { axis });

const reshape: Lowering<"reshape"> = ({ operands: { input }, attributes: { newShape } }, onnx) =>
  onnx.reshape(input, newShape);

const split: Lowering<"split"> = ({ operands: { input }, attributes: { splits, axis } }, onnx) =>
  onnx.nodes("Split", [input, onnx.ints(splits)], splits.length, { axis });

const transpose: Lowering<"transpose"> = ({ operands: { input }, attributes: { permutation } }, onnx) =>
  onnx.transpose(input, permutation);

/** The lowerings of data movement. */
export const movement = { concat, reshape, split, transpose } satisfies {
  [Name in keyof typeof rows]: Lowering<Name>;
};
