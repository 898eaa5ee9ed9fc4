/**
 * Waits for a GPU in software: it computes on threads of the process, and ends it with a signal if they are still at work
 * when the process exits. A run is over when its work has been handed in; only a read waits for results.
 *
 * @module
 */

import { int64Array, type Pointer, pointerArray } from "../../../../ffi/memory.ts";
import { ElementType } from "../../../../ffi/onnxruntime/enums.ts";
import { createValue } from "../value.ts";
import type { DeviceRuntime } from "./provider.ts";
import type { Turns } from "./turns.ts";

/** Knows whether work has been handed in that nobody has waited for. */
export interface Fence {
  /** Work has been handed in. */
  raise(): void;
  /** What was handed in before is done. */
  lower(): void;
  /** Waits, if there is something to wait for, and releases what the fence is made of. */
  close(): void;
}

/** For devices that go on by themselves. */
export const NO_FENCE: Fence = { raise() {}, lower() {}, close() {} };

/** Those that are open in this isolate: each waits, unless a call is in flight. */
const waiting = new Set<() => void>();

/** Opens a fence on a device whose memory `allocator` gives. */
export function openFence(runtime: DeviceRuntime, allocator: Pointer, turns: Turns): Fence {
  const { api, deviceApi, env } = runtime;
  const here = createValue(runtime, "float32", [1], 4);
  const there = api.CreateTensorAsOrtValue(allocator, int64Array([1]), 1, ElementType.float32);
  let isRaised = false;
  const wait = () => {
    if (!isRaised) return;
    isRaised = false;
    try {
      deviceApi.CopyTensors(env, pointerArray([there]), pointerArray([here.value]), null, 1);
    } catch {
      // The device is gone: nothing computes any more.
    }
  };
  const waitIfIdle = () => {
    if (turns.idle) wait();
  };
  if (waiting.size === 0) globalThis.addEventListener("unload", waitForAll);
  waiting.add(waitIfIdle);
  return {
    raise: () => void (isRaised = true),
    lower: () => void (isRaised = false),
    close() {
      waiting.delete(waitIfIdle);
      wait();
      for (const value of [here.value, there]) api.ReleaseValue(value);
    },
  };
}

function waitForAll(): void {
  for (const wait of waiting) wait();
}
