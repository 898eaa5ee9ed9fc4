/**
 * The rows: each converts one ONNX operator to calls of the builder.
 *
 * A row may assume that every shape is known; that a bool is a uint8 with 0 and 1; that no operand has a dimension of
 * 0, because an empty value is always known, see {@linkcode NodeView.ifKnown} (a row with an empty result returns a
 * known value); and that src/onnx/evaluate already tried a node whose inputs are all known and small. Rows get operands
 * from `node.input`, and elements that determine shapes from `node.known` and `node.numbers`. For those, the walk folds
 * constants, uses the values of a run, or rejects the node.
 *
 * @module
 */

import type { MLOperand } from "../api/ml_operand.ts";
import type { NodeView } from "./node.ts";
import type { Value } from "./value.ts";

/** The result of a row: one output, or all outputs; `undefined` for one that is not needed. */
export type RowResult = MLOperand | Value | readonly (MLOperand | Value | undefined)[];

/** One operator of ONNX. */
export interface Row {
  /** `""` for ai.onnx. */
  readonly domain: string;
  readonly name: string;
  /**
   * The operator set versions that defined or changed the operator, and that this row supports. Each applies until the
   * next definition; `node.since` is the one for the node.
   */
  readonly since: readonly number[];
  /**
   * Builds one node.
   * @throws {Unsupported} from `node.refuse(reason)`, if WebNN cannot express the node; any error of the builder counts
   * as one
   */
  build(node: NodeView): RowResult;
}

/** The rows of a family: a function per operator name. */
export function rows(
  domain: string,
  table: Readonly<Record<string, readonly [since: readonly number[], build: Row["build"]]>>,
): Row[] {
  return Object.entries(table).map(([name, [since, build]]) => ({ domain, name, since, build }));
}
