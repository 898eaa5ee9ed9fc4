/**
 * A native session, and the objects that it depends on.
 *
 * @module
 */

import type { Pointer } from "../../../ffi/memory.ts";
import type { Releasable } from "../backend.ts";
import type { OrtRuntime } from "./runtime.ts";

/** A session. It has one owner at a time, which releases it: its creator, then the executable. */
export interface OrtSession extends Releasable {
  readonly pointer: Pointer;
  /** The size of the weights that it owns. */
  readonly weightBytes: number;
}

/**
 * Takes over a native session.
 * @param borrowed the objects that the session uses and does not own, such as blocks of constant tensors or a mapped
 * model; they are released after the session
 * @param weightBytes the size of the weights that it owns
 */
export function ownSession(
  { api }: OrtRuntime,
  pointer: Pointer,
  borrowed: readonly Releasable[],
  weightBytes: number,
): OrtSession {
  return {
    pointer,
    weightBytes,
    release() {
      api.ReleaseSession(pointer);
      for (const block of borrowed) block.release();
    },
  };
}
