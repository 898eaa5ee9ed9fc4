/**
 * Computes WebNN's operators on small known values while the graph is built; 64-bit integers are exact. The engine
 * computes everything else.
 *
 * @module
 */

import type { MLOpSupportLimits } from "../../api/support_limits.ts";
import { elementCount } from "../../shape.ts";
import type { KnownTensor } from "../model.ts";
import { evaluateElementwise } from "./elementwise.ts";
import { MAX_ELEMENTS, MOVEMENT } from "./movement.ts";
import { REDUCTIONS } from "./reductions.ts";

/** Computes an operator on one or several values; `undefined` if the engine has to compute it. */
export type Evaluate = (...args: never[]) => KnownTensor | undefined;

const OTHERS: Readonly<Partial<Record<string, Evaluate>>> = { ...MOVEMENT, ...REDUCTIONS };

/**
 * The result of an operator of WebNN whose operands are all known.
 * @param args the arguments of the builder's method, with known values for operands
 * @returns `undefined` if the engine has to compute it
 */
export function evaluate(name: string, args: readonly unknown[], limits: MLOpSupportLimits): KnownTensor | undefined {
  const values = args.flat().filter((arg): arg is KnownTensor =>
    typeof arg === "object" && arg !== null && "bytes" in arg
  );
  if (values.reduce((sum, { shape }) => sum + elementCount(shape), 0) > MAX_ELEMENTS) return undefined;
  return OTHERS[name]?.(...args as never[]) ?? evaluateElementwise(name, args, limits);
}
