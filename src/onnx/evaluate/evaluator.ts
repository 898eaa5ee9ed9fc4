/**
 * What an evaluator of one operator is.
 *
 * @module
 */

import type { Known } from "../model.ts";
import type { NodeView } from "../node.ts";

/** Computes one operator; `undefined` where it cannot. */
export type Evaluate = (node: NodeView) => Known | readonly Known[] | undefined;
