/**
 * Session options.
 *
 * @module
 */

import { readEnvironment } from "../../../ffi/library.ts";
import { cString, type Pointer } from "../../../ffi/memory.ts";
import { LoggingLevel, OptimizationLevel } from "../../../ffi/onnxruntime/enums.ts";
import type { Selection } from "../../options.ts";
import { optimizerEntries } from "./optimizers.ts";
import { defaultThreads, type OrtRuntime } from "./runtime.ts";

/** A context's options, with defaults filled in. */
export type Settings = Selection & { readonly threads: number };

/** The settings of each of its sessions. */
export type SessionSettings =
  & Pick<Settings, "threads">
  & Partial<Pick<Settings, "allowReducedPrecision" | "profile" | "spinning">>;

/** The settings of a context. The default folder of compiled graphs is WEBNN_CACHE_DIR, if set. */
export function settingsOf(selection: Selection): Settings {
  const { cacheDirectory: asked, threads = defaultThreads(), ...others } = selection;
  const cacheDirectory = asked ?? readEnvironment("WEBNN_CACHE_DIR");
  return { ...others, threads, ...cacheDirectory ? { cacheDirectory } : {} };
}

/**
 * Creates session options. A session uses the process's pool, whose threads spin, if it has the right size. Otherwise
 * it has a pool of its own; for one thread, none.
 */
export function createSessionOptions(runtime: OrtRuntime, settings: SessionSettings): Pointer {
  const options = runtime.api.CreateSessionOptions();
  try {
    configure(runtime, options, settings);
    return options;
  } catch (error) {
    runtime.api.ReleaseSessionOptions(options);
    throw error;
  }
}

/** Session options that are created once, for all sessions of a context. */
export interface KeptOptions {
  /** The options, with some entries replaced. Do not change them; clone them. */
  with(entries: Readonly<Record<string, string>>): Pointer;
  /** Call it after the last session was created. */
  release(): void;
}

/** The options of a context, created when first needed. */
export function keepOptions(runtime: OrtRuntime, settings: SessionSettings): KeptOptions {
  const kept = new Map<string, Pointer>();
  const make = (entries: Readonly<Record<string, string>>) => {
    const options = createSessionOptions(runtime, settings);
    try {
      addConfiguration(runtime, options, entries);
      return options;
    } catch (error) {
      runtime.api.ReleaseSessionOptions(options);
      throw error;
    }
  };
  return {
    // When it turns out that the process has no pool, the options change.
    with: (entries) =>
      kept.getOrInsertComputed(`${runtime.poolThreads} ${JSON.stringify(entries)}`, () => make(entries)),
    release() {
      for (const options of kept.values()) runtime.api.ReleaseSessionOptions(options);
      kept.clear();
    },
  };
}

function configure(runtime: OrtRuntime, options: Pointer, settings: SessionSettings): void {
  const { api, poolThreads } = runtime;
  const { threads, spinning = true } = settings;
  api.SetSessionGraphOptimizationLevel(options, OptimizationLevel.ALL);
  api.SetSessionLogSeverityLevel(options, LoggingLevel.FATAL);
  if (threads === poolThreads && spinning) api.DisablePerSessionThreads(options);
  else api.SetIntraOpNumThreads(options, threads);
  addConfiguration(runtime, options, sessionEntries(settings));
}

/** Sets configuration entries, by the engine's names. */
export function addConfiguration(
  { api }: OrtRuntime,
  options: Pointer,
  entries: Readonly<Record<string, string>>,
): void {
  for (const [key, value] of Object.entries(entries)) {
    api.AddSessionConfigEntry(options, cString(key), cString(value));
  }
}

/** The configuration entries of a context's sessions. */
export function sessionEntries(
  { allowReducedPrecision = false, spinning = true }: Partial<SessionSettings>,
): Readonly<Record<string, string>> {
  return {
    // A wrong output shape is an error of build(), not of a dispatch.
    "session.strict_shape_type_inference": "1",
    // Threads of a session's own pool spin during a run and stop at its end. Those of the process's pool, which ONNX
    // Runtime 1.30 does not stop, spin for about 30 ms more, so the next run finds them awake. See docs/threads.md.
    "session.force_spinning_stop": "1",
    ...spinning ? {} : { "session.intra_op.allow_spinning": "0" },
    // Products of float32 matrices in bfloat16, on ARM processors that support it.
    "mlas.enable_gemm_fastmath_arm64_bfloat16": allowReducedPrecision ? "1" : "0",
    ...optimizerEntries(allowReducedPrecision),
  };
}
