/**
 * The options of sessions.
 *
 * @module
 */

import { cString, type Pointer } from "../../../ffi/memory.ts";
import { LoggingLevel, OptimizationLevel } from "../../../ffi/onnxruntime/enums.ts";
import { RECORD_PLACEMENT } from "./providers/placement.ts";
import type { OrtRuntime } from "./runtime.ts";

/** The threads of a session. */
export interface Threading {
  /** How many, the calling one included. */
  readonly threads: number;
  /** Whether they spin while they wait for each other during a run, as by default, or sleep. */
  readonly spinning?: boolean | undefined;
}

/**
 * Makes session options. Sessions use the process's pool, whose threads spin, if it has the size that they need; else
 * each gets a pool of its own, which for one thread is none.
 * @param append adds an execution provider, before that of the CPU
 */
export function createSessionOptions(
  runtime: OrtRuntime,
  threading: Threading,
  append?: (options: Pointer) => void,
): Pointer {
  const options = runtime.api.CreateSessionOptions();
  try {
    configure(runtime, options, threading);
    if (append) {
      addConfiguration(runtime, options, RECORD_PLACEMENT);
      append(options);
    }
    return options;
  } catch (error) {
    runtime.api.ReleaseSessionOptions(options);
    throw error;
  }
}

function configure(runtime: OrtRuntime, options: Pointer, { threads, spinning = true }: Threading): void {
  const { api, poolThreads } = runtime;
  api.SetSessionGraphOptimizationLevel(options, OptimizationLevel.ALL);
  api.SetSessionLogSeverityLevel(options, LoggingLevel.FATAL);
  if (threads === poolThreads && spinning) api.DisablePerSessionThreads(options);
  else api.SetIntraOpNumThreads(options, threads);
  addConfiguration(runtime, options, spinning ? CONFIGURATION : { ...CONFIGURATION, ...SLEEPING });
}

/** Sets entries of the configuration, by the engine's names. */
export function addConfiguration(
  { api }: OrtRuntime,
  options: Pointer,
  entries: Readonly<Record<string, string>>,
): void {
  for (const [key, value] of Object.entries(entries)) {
    api.AddSessionConfigEntry(options, cString(key), cString(value));
  }
}

/** The entries that all sessions have. */
export const CONFIGURATION: Readonly<Record<string, string>> = {
  // A wrong output shape is an error of build(), never of a dispatch.
  "session.strict_shape_type_inference": "1",
  // Threads of a session's own pool spin during a run and stop at its end. Those of the process's pool, which ONNX Runtime
  // 1.30 leaves out here, spin for some 30 ms more: the next run finds them awake. See docs/threads.md.
  "session.force_spinning_stop": "1",
  // Quantisations to int8 stay so. ONNX Runtime 1.30 makes them uint8 on x64 after it has marked copies of them as int8,
  // and refuses the graph.
  "session.qdqisint8allowed": "1",
  // (1 / x) · y becomes y / x, also where the 1 has dimensions that x and y lack: the result then has the wrong shape, and
  // the graph is refused.
  "optimization.disable_specified_optimizers": "DivMulFusion",
};

/** Threads that have nothing to do sleep at once. */
const SLEEPING = { "session.intra_op.allow_spinning": "0" };
