/**
 * 16-bit integers. WebNN does not have them, so the importer uses int32. The results are equal for operators that move,
 * select or compare elements. Operators that compute are rejected, because 16-bit integers wrap and int32 does not.
 *
 * @module
 */

import type { OnnxNode } from "./model.ts";

/** Operators of ai.onnx whose outputs are also 16-bit integers, and cannot exceed 16 bits. */
const KEEPING: ReadonlySet<string> = new Set([
  ...["Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "DepthToSpace", "SpaceToDepth"],
  ...["Concat", "Split", "Slice", "Gather", "GatherElements", "GatherND", "Expand", "Tile", "Pad", "Where"],
  ...["Max", "Min", "ReduceMax", "ReduceMin", "Mod"],
]);

/** Operators whose outputs have other types. */
const LEAVING: ReadonlySet<string> = new Set([
  ...["Cast", "DequantizeLinear", "Shape", "Size", "ArgMax", "ArgMin"],
  ...["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"],
]);

/** Whether a node with 16-bit inputs gives the same results with int32. */
export function takes16Bits({ domain, operator }: OnnxNode): boolean {
  return domain === "" && (KEEPING.has(operator) || LEAVING.has(operator));
}

/** Whether a node with 16-bit inputs has 16-bit outputs. */
export function keeps16Bits({ operator }: OnnxNode): boolean {
  return KEEPING.has(operator);
}
