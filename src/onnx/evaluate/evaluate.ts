/**
 * The evaluator computes shapes and other small values while the graph is built. Everything else is left to the engine.
 *
 * @module
 */

import type { NodeView } from "../node.ts";
import { isKnown } from "../value.ts";
import { arithmetic } from "./arithmetic.ts";
import type { Evaluate } from "./evaluator.ts";
import { movement } from "./movement.ts";
import { reductions } from "./reductions.ts";
import { shapes } from "./shapes.ts";

/** The evaluator of one operator. */
export interface Evaluator {
  readonly evaluate: Evaluate;
  /** Whether it only passes elements on, so that their number does not matter. */
  readonly anySize: boolean;
  /** Whether enough is known about the inputs of a node. */
  readonly appliesTo: (node: NodeView) => boolean;
}

const TABLE: ReadonlyMap<string, Evaluator> = new Map([
  ...rowsOf(arithmetic),
  ...rowsOf(movement),
  ...rowsOf(reductions),
  ...rowsOf(shapes.ofElements, { anySize: true }),
  ...rowsOf(shapes.ofShapes, { anySize: true, appliesTo: () => true }),
]);

function rowsOf(table: Readonly<Record<string, Evaluate>>, how: Partial<Evaluator> = {}): [string, Evaluator][] {
  return Object.entries(table).map((
    [name, evaluate],
  ) => [name, { evaluate, anySize: false, appliesTo: hasElements, ...how }]);
}

/** Whether the elements of all inputs are known. */
function hasElements({ inputs }: NodeView): boolean {
  return inputs.every((value) =>
    value === undefined || (isKnown(value) && value.type !== "string" && value.type !== "other")
  );
}

/** The evaluator of an operator, if there is one. */
export function evaluatorOf(domain: string, name: string): Evaluator | undefined {
  return domain === "" ? TABLE.get(name) : undefined;
}

/** The operators of ai.onnx that are computed if their inputs are known. */
export function evaluated(): string[] {
  return [...TABLE.keys()];
}
