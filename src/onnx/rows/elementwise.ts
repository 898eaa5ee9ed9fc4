/**
 * Element-wise operators.
 *
 * @module
 */

import { type Row, rows } from "../row.ts";

/** The rows. */
export const elementwise: readonly Row[] = rows("", {
  Add: [[7, 13, 14], (node) => node.builder.add(node.input(0), node.input(1))],
  Relu: [[6, 13, 14], (node) => node.builder.relu(node.input(0))],
});
