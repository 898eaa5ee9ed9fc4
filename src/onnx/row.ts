/**
 * The rows: each maps one operator of ONNX to calls of the builder.
 *
 * What a row may rely on: every shape is known; a bool is a uint8 of 0 and 1; an operand has no dimension of 0 (a value
 * without elements is always known, see {@linkcode NodeView.ifKnown}; a row that gives one returns a known value); a node
 * whose inputs are all known and small was tried by src/onnx/evaluate before. Operands come from `node.input`, elements
 * that decide shapes from `node.known` and `node.numbers`: the walk then folds constants, or takes the value that a run
 * gives, or refuses the node.
 *
 * @module
 */

import type { MLOperand } from "../api/ml_operand.ts";
import type { NodeView } from "./node.ts";
import type { Value } from "./value.ts";

/** What a row gives: one output, or all of them; `undefined` for one that nothing needs. */
export type RowResult = MLOperand | Value | readonly (MLOperand | Value | undefined)[];

/** One operator of ONNX. */
export interface Row {
  /** `""` for ai.onnx. */
  readonly domain: string;
  readonly name: string;
  /**
   * The versions of the operator set at which the operator was defined or changed and which this row builds; each
   * reaches to the next definition. `node.since` is the one that applies.
   */
  readonly since: readonly number[];
  /**
   * Builds one node.
   * @throws {Unsupported} by `node.refuse(reason)`, for what WebNN cannot express; any error of the builder counts as one
   */
  build(node: NodeView): RowResult;
}

/** The rows of one family: a function by the operator's name. */
export function rows(
  domain: string,
  table: Readonly<Record<string, readonly [since: readonly number[], build: Row["build"]]>>,
): Row[] {
  return Object.entries(table).map(([name, [since, build]]) => ({ domain, name, since, build }));
}
