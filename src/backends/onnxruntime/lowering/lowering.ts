/**
 * What a lowering is: one operator of WebNN written as nodes of ONNX.
 *
 * @module
 */

import type { NodeOf, OperatorName } from "../../../ops/operators.ts";
import type { FusedName, FusedNode } from "../../../rewrite/fused.ts";
import type { OnnxWriter, Operand } from "../writer.ts";

/** Adds the nodes of one operation and returns what became of its output or outputs. */
export type Lowering<Name extends OperatorName> = (
  node: NodeOf<Name>,
  onnx: OnnxWriter,
) => Operand | readonly Operand[];

/** The same of a fused operator. */
export type FusedLowering<Name extends FusedName> = (
  node: FusedNode<Name>,
  onnx: OnnxWriter,
) => Operand | readonly Operand[];
