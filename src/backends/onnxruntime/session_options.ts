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
  & Partial<Pick<Settings, "allowReducedPrecision" | "blockingLimit" | "profile" | "spinning">>;

/** The settings of a context. The default folder of compiled graphs is WEBNN_CACHE_DIR, if set. */
export function settingsOf(selection: Selection): Settings {
  const { cacheDirectory: given, threads = defaultThreads(), ...others } = selection;
  const cacheDirectory = given ?? readEnvironment("WEBNN_CACHE_DIR");
  return { ...others, threads, ...cacheDirectory ? { cacheDirectory } : {} };
}

/**
 * How the threads of a session wait for each other: spinning, also for a millisecond after a run; spinning for the
 * moments between two operators; or sleeping.
 */
export type Waiting = "spin" | "spin briefly" | "sleep";

/** The facts that determine how threads wait, unless the user has set it. */
export interface Circumstances {
  /**
   * How long a run takes. In a tiny run, a second thread has hardly any work; in a short one of about a millisecond,
   * waking a thread would take a large part of the time.
   */
  readonly run: "tiny" | "short" | "long";
  /** How many contexts with more than one thread are open. Others have no threads to wait for. */
  readonly contexts: number;
  /** How many graphs there are. */
  readonly graphs: number;
}

/** Graphs beyond this number do not get their own threads. */
const MAX_OWN_POOLS = 16;

/**
 * How the threads of a session wait. Long runs gain a little from brief spinning on free cores. Longer spinning makes
 * them much slower if others need the cores, such as the other contexts of a server. See docs/threads.md.
 */
export function waitingOf(
  { spinning }: Pick<SessionSettings, "spinning">,
  { run, contexts, graphs }: Circumstances,
): Waiting {
  if (spinning !== undefined) return spinning ? "spin" : "sleep";
  if (run === "tiny" || graphs >= MAX_OWN_POOLS) return "sleep";
  if (run === "short") return "spin";
  return contexts > 1 ? "sleep" : "spin briefly";
}

/**
 * Creates session options. A session whose threads sleep uses the process's pool if that has the right size: with a
 * common pool, the runs of several contexts do not compete for the cores. Otherwise the session gets its own pool, or
 * none for one thread.
 */
export function createSessionOptions(
  runtime: OrtRuntime,
  settings: SessionSettings,
  waiting: Waiting = settings.spinning ? "spin" : "sleep",
): Pointer {
  const options = runtime.api.CreateSessionOptions();
  try {
    configure(runtime, options, settings, waiting);
    return options;
  } catch (error) {
    runtime.api.ReleaseSessionOptions(options);
    throw error;
  }
}

/** The settings in which the sessions of a context may differ. */
export interface Differences {
  /** Entries of the configuration, by the engine's names. */
  readonly entries: Readonly<Record<string, string>>;
  readonly waiting: Waiting;
  /** Whether the session keeps memory for the next run. */
  readonly hasArena: boolean;
  /** Whether the session packs its weights. */
  readonly packsWeights: boolean;
}

/**
 * Graphs with fewer bytes of intermediate values have no arena: the heap is as fast for them, and does not keep memory
 * for each of many graphs.
 */
const MIN_ARENA_BYTES = 2 ** 20;

/** Whether a session should keep memory for the next run. `peakBytes` is the peak size of its intermediate values. */
export function needsArena(peakBytes: number): boolean {
  return peakBytes >= MIN_ARENA_BYTES;
}

/** Session options that are created once, for all sessions of a context. */
export interface KeptOptions {
  /** The options for a session. Do not change them; clone them. */
  with(differences: Differences): Pointer;
  /** Call it after the last session was created. */
  release(): void;
}

/** The options of a context, created when first needed. */
export function keepOptions(runtime: OrtRuntime, settings: SessionSettings): KeptOptions {
  const kept = new Map<string, Pointer>();
  const make = ({ entries, hasArena, packsWeights, waiting }: Differences) => {
    const options = createSessionOptions(runtime, settings, waiting);
    try {
      addConfiguration(runtime, options, entries);
      if (!packsWeights) addConfiguration(runtime, options, { "session.disable_prepacking": "1" });
      if (!hasArena) runtime.api.DisableCpuMemArena(options);
      return options;
    } catch (error) {
      runtime.api.ReleaseSessionOptions(options);
      throw error;
    }
  };
  return {
    // The key contains poolThreads, which changes if it turns out that the process has no pool.
    with: (differences) =>
      kept.getOrInsertComputed(`${runtime.poolThreads} ${JSON.stringify(differences)}`, () => make(differences)),
    release() {
      for (const options of kept.values()) runtime.api.ReleaseSessionOptions(options);
      kept.clear();
    },
  };
}

function configure(runtime: OrtRuntime, options: Pointer, settings: SessionSettings, waiting: Waiting): void {
  const { api, poolThreads } = runtime;
  const { threads } = settings;
  api.SetSessionGraphOptimizationLevel(options, OptimizationLevel.ALL);
  api.SetSessionLogSeverityLevel(options, LoggingLevel.FATAL);
  if (threads === poolThreads && waiting === "sleep") api.DisablePerSessionThreads(options);
  else api.SetIntraOpNumThreads(options, threads);
  addConfiguration(runtime, options, { ...sessionEntries(settings), ...WAITING_ENTRIES[waiting] });
}

/** The configuration entries for how threads wait. Threads of the process's pool always sleep. */
const WAITING_ENTRIES: Readonly<Record<Waiting, Readonly<Record<string, string>>>> = {
  // Also for a millisecond after a run, so that the threads are still awake if another run follows closely. The
  // engine's default is about 30 ms.
  spin: { "session.force_spinning_stop": "0", "session.intra_op.spin_duration_us": "1000" },
  "spin briefly": { "session.force_spinning_stop": "0", "session.intra_op.spin_duration_us": "50" },
  sleep: { "session.intra_op.allow_spinning": "0" },
};

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

/** The configuration entries of a context's sessions that determine how the engine compiles graphs. */
export function sessionEntries(
  { allowReducedPrecision = false }: Partial<SessionSettings>,
): Readonly<Record<string, string>> {
  return {
    // A wrong output shape is an error of build(), not of a dispatch.
    "session.strict_shape_type_inference": "1",
    // Products of float32 matrices in bfloat16, on ARM processors that support it.
    "mlas.enable_gemm_fastmath_arm64_bfloat16": allowReducedPrecision ? "1" : "0",
    ...optimizerEntries(allowReducedPrecision),
  };
}
