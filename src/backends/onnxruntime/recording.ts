/**
 * Captured runs: the engine records the commands of a run with a set of tensors, and later runs with the same set
 * replay them.
 *
 * @module
 */

import { cString, type Pointer } from "../../../ffi/memory.ts";
import type { OrtCaptureApi } from "../../../ffi/onnxruntime/device_api.ts";
import type { Releasable } from "../backend.ts";
import type { OrtRuntime } from "./runtime.ts";

/** The runtime, if it is new enough to release recordings. */
export type CaptureRuntime = OrtRuntime & { readonly captureApi: OrtCaptureApi };

/** The recording of a session's runs with one set of tensors. */
export interface Recording extends Releasable {
  /** The run options of those runs. */
  readonly runOptions: Pointer;
}

/** Whether the runtime can release recordings, so that their number is not limited. */
export function canCapture(runtime: OrtRuntime): runtime is CaptureRuntime {
  return runtime.captureApi !== undefined;
}

/** Starts recordings of a session's runs. Each has a unique number, so that none is mistaken for another. */
export function recorderOf({ api, captureApi }: CaptureRuntime, session: Pointer): () => Recording {
  let count = 0;
  return () => {
    const id = count++;
    const runOptions = api.CreateRunOptions();
    try {
      api.AddRunConfigEntry(runOptions, cString("gpu_graph_id"), cString(`${id}`));
    } catch (error) {
      api.ReleaseRunOptions(runOptions);
      throw error;
    }
    return {
      runOptions,
      release() {
        api.ReleaseRunOptions(runOptions);
        captureApi.SessionReleaseCapturedGraph(session, id);
      },
    };
  };
}
