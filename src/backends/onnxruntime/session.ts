/**
 * A native session and what it needs to live.
 *
 * @module
 */

import type { Pointer } from "../../../ffi/memory.ts";
import type { Releasable } from "../backend.ts";
import type { OrtRuntime } from "./runtime.ts";

/** A session. It has one owner at a time, who releases it: whoever made it, then the executable. */
export interface OrtSession extends Releasable {
  readonly pointer: Pointer;
  /** The size of the weights that belong to it. */
  readonly weightBytes: number;
}

/**
 * Takes a native session over.
 * @param borrowed what it reads and does not own, released after it: blocks of constant tensors, or a model in memory
 * @param weightBytes the size of the weights that belong to it
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
