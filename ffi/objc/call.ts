/**
 * Calls functions by address.
 *
 * @module
 */

import type { Pointer } from "../memory.ts";

/** The function at `address`. */
export function call<const P extends readonly Deno.NativeType[], const R extends Deno.NativeResultType>(
  address: Pointer,
  parameters: P,
  result: R,
): Deno.FromForeignFunction<{ parameters: P; result: R }> {
  const definition: Deno.ForeignFunction = { parameters, result };
  const pointer = new Deno.UnsafeFnPointer(address as Deno.PointerObject<Deno.ForeignFunction>, definition);
  const callPointer = (...args: unknown[]) => pointer.call(...args as unknown as never[]);
  return callPointer as Deno.FromForeignFunction<{ parameters: P; result: R }>;
}
