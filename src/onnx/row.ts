/**
 * The rows: each converts one ONNX operator to operators of WebNN.
 *
 * A row may assume that every shape is known; that a bool is a uint8 with 0 and 1; and that no computed operand has a
 * dimension of 0, because an empty value is always known (a row with an empty result returns a known value). Operators
 * on small known values are computed at once, see src/onnx/evaluate. If a row needs elements, for example for a shape,
 * it calls `operand.known()`, `numbers()` or `number()`. The walk then folds constants or uses the values of a run;
 * otherwise it rejects the node.
 *
 * @module
 */

import type { NodeView } from "./node.ts";
import type { Operand } from "./operand.ts";

/** The result of a row: the only output, or all outputs, with `undefined` for one that is unused or unsupported. */
export type RowResult = Operand | readonly (Operand | undefined)[];

/**
 * Builds one node from its inputs by position. A row declares the inputs that a node may omit as optional.
 * @throws {Unsupported} from `unsupported(reason)`, if WebNN cannot express the node; an error of the builder has the
 * same effect
 */
export type Build = (node: NodeView, ...inputs: Operand[]) => RowResult;

/** One operator of ONNX. */
export interface Row {
  /** `""` for ai.onnx. */
  readonly domain: string;
  readonly name: string;
  /**
   * The operator set versions that defined or changed the operator, and that this row supports. Each applies until the
   * next one; `node.since` is the version that applies to the node.
   */
  readonly since: readonly number[];
  /** The number of inputs that a node must have. */
  readonly inputs: number;
  readonly build: Build;
}

/** The rows of a family: per operator name, its versions, the number of inputs that it must have, and its function. */
export function rows(
  domain: string,
  table: Readonly<Record<string, readonly [since: number | readonly number[], inputs: number, build: Build]>>,
): Row[] {
  return Object.entries(table).map(([name, [since, inputs, build]]) => ({
    domain,
    name,
    since: [since].flat(),
    inputs,
    build,
  }));
}
