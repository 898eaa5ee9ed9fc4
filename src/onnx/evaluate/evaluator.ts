/**
 * The type of an evaluator.
 *
 * @module
 */

import type { Known } from "../model.ts";
import type { NodeView } from "../node.ts";

/** Computes one operator; `undefined` if it cannot. */
export type Evaluate = (node: NodeView) => Known | readonly Known[] | undefined;
