/**
 * Operator set versions: which definition of an operator applies in a model.
 *
 * @module
 */

import type { OnnxNode } from "./model.ts";
import { unsupported } from "./errors.ts";

/** The newest version of ai.onnx that the rows support. */
export const NEWEST = 23;

/** The operators that version 24 of ai.onnx changed or added. */
const CHANGED_IN_24: ReadonlySet<string> = new Set([
  ...["Attention", "Cast", "CastLike", "Constant", "ConstantOfShape", "DequantizeLinear", "Flatten"],
  ...["Identity", "If", "Loop", "Pad", "QuantizeLinear", "Reshape", "Scan", "Shape", "Size"],
  ...["SplitToSequence", "Squeeze", "Swish", "TensorScatter", "TopK", "Transpose", "Unsqueeze"],
]);

/**
 * The model's version of the operator's domain, and the version that defined the operator for it.
 * @throws {Unsupported} if the rows do not support it
 */
export function definitionOf(
  { domain, operator }: OnnxNode,
  opsets: ReadonlyMap<string, number>,
  since: readonly number[] = [1],
): { opset: number; since: number } {
  // Contributed operators have only one version, which models may omit.
  const opset = opsets.get(domain) ?? (domain === "" ? undefined : 1);
  if (opset === undefined) return unsupported("the model does not state the version of ai.onnx");
  if (domain === "" && opset > NEWEST && (opset > 24 || CHANGED_IN_24.has(operator))) {
    return unsupported(`version ${opset} of ai.onnx may have changed it; versions up to ${NEWEST} are supported`);
  }
  for (let i = since.length - 1; i >= 0; i--) if (since[i]! <= opset) return { opset, since: since[i]! };
  return unsupported(
    `its definition in version ${opset} of the operator set is too old; ${since[0]} is the first supported version`,
  );
}
