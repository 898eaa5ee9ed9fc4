/**
 * The type of a lowering: writes one WebNN operator as MIL operations.
 *
 * @module
 */

import type { NodeOf, OperatorName } from "../../../ops/operators.ts";
import type { MilValue } from "../mil.ts";
import type { MilWriter } from "../mil_writer.ts";

/** Adds the operations of one node. Returns its output or outputs. */
export type Lowering<Name extends OperatorName> = (
  node: NodeOf<Name>,
  mil: MilWriter,
) => MilValue | readonly MilValue[];
