/**
 * What a lowering is: one operator of WebNN written as operations of MIL.
 *
 * @module
 */

import type { NodeOf, OperatorName } from "../../../ops/operators.ts";
import type { MilValue } from "../mil.ts";
import type { MilWriter } from "../mil_writer.ts";

/** Adds the operations of one node and returns what became of its output or outputs. */
export type Lowering<Name extends OperatorName> = (
  node: NodeOf<Name>,
  mil: MilWriter,
) => MilValue | readonly MilValue[];
