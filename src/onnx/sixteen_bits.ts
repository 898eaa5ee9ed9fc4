/**
 * Integers of 16 bits. WebNN has none, so that int32 stands in: where an operator hands elements on, chooses among them
 * or compares them, that is the same. Where it computes, 16 bits wrap and 32 do not: such nodes are refused.
 *
 * @module
 */

import type { OnnxNode } from "./model.ts";

/** Operators of ai.onnx whose outputs are 16-bit integers again, none beyond 16 bits. */
const KEEPING: ReadonlySet<string> = new Set([
  ...["Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "DepthToSpace", "SpaceToDepth"],
  ...["Concat", "Split", "Slice", "Gather", "GatherElements", "GatherND", "Expand", "Tile", "Pad", "Where"],
  ...["Max", "Min", "ReduceMax", "ReduceMin", "Mod"],
]);

/** Those whose outputs are of other types. */
const LEAVING: ReadonlySet<string> = new Set([
  ...["Cast", "DequantizeLinear", "Shape", "Size", "ArgMax", "ArgMin"],
  ...["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"],
]);

/** Whether a node of 16-bit inputs is the same on int32. */
export function takes16Bits({ domain, operator }: OnnxNode): boolean {
  return domain === "" && (KEEPING.has(operator) || LEAVING.has(operator));
}

/** Whether a node of 16-bit inputs gives 16-bit outputs. */
export function keeps16Bits({ operator }: OnnxNode): boolean {
  return KEEPING.has(operator);
}
