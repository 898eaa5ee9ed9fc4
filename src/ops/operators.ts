/**
 * The table of operators: all rows, by the name of the builder method.
 *
 * @module
 */

import type { Cost, Node } from "../graph/graph.ts";
import { convolutions } from "./conv2d.ts";
import { elementwise } from "./elementwise.ts";
import { indexing } from "./indexing.ts";
import { products } from "./matmul.ts";
import { movement } from "./movement.ts";
import { normalizations } from "./normalization.ts";
import type { AnyOperator, AttributesOf, OperandsOf } from "./operator.ts";
import { pools } from "./pool2d.ts";
import { quantizations } from "./quantization.ts";
import { recurrent } from "./recurrent.ts";
import { reductions } from "./reduction.ts";
import { resampling } from "./resample.ts";

/** Every row. */
export const operators = {
  ...convolutions,
  ...elementwise,
  ...indexing,
  ...movement,
  ...normalizations,
  ...pools,
  ...products,
  ...quantizations,
  ...recurrent,
  ...reductions,
  ...resampling,
};

/** The name of a row. */
export type OperatorName = keyof typeof operators;

/** The cost of a node whose operator has a row. */
export function costByRow(node: Node): Cost {
  const row: AnyOperator = operators[node.operator as OperatorName];
  return row.cost(node);
}

/** A node of the given operator, with typed operands and attributes. */
export interface NodeOf<Name extends OperatorName> extends Node {
  readonly operator: Name;
  readonly operands: OperandsOf<(typeof operators)[Name]["operands"]>;
  readonly attributes: AttributesOf<(typeof operators)[Name]>;
}
