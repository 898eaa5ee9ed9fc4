/**
 * The type of a lowering: writes one WebNN operator as ONNX nodes.
 *
 * @module
 */

import type { NodeOf, OperatorName } from "../../../ops/operators.ts";
import type { FusedName, FusedNode } from "../../../rewrite/fused.ts";
import type { OnnxWriter, Operand } from "../writer.ts";

/** Adds the nodes of one operation. Returns its output or outputs. */
export type Lowering<Name extends OperatorName> = (
  node: NodeOf<Name>,
  onnx: OnnxWriter,
) => Operand | readonly Operand[];

/** The lowering of a fused operator. */
export type FusedLowering<Name extends FusedName> = (
  node: FusedNode<Name>,
  onnx: OnnxWriter,
) => Operand | readonly Operand[];
