/**
 * The backend on Core ML, for macOS 14 and newer.
 *
 * @module
 */

import { openCoreMLFramework } from "../../../ffi/objc/core_ml.ts";
import type { Device } from "../backend.ts";
import { CoreMLDevice } from "./device.ts";

/** What a context may ask of Core ML. */
export interface CoreMLOptions {
  /**
   * The kind of device that is wanted: `"cpu"` is that alone, `"npu"` the Neural Engine and the CPU, `"gpu"`, the
   * default, all that there are. Core ML decides for each operation; where a graph runs, its `devices` tell.
   */
  readonly device?: "cpu" | "gpu" | "npu" | undefined;
  /** Whether float32 is computed in float16, as the Neural Engine needs it: faster and less exact. Off by default. */
  readonly float16?: boolean | undefined;
  /** The folder of compiled models, absolute; by default `Library/Caches/webnn` in the user's folder. */
  readonly cacheDirectory?: string | undefined;
  /** The bytes that its entries may have together; by default 2 GiB. */
  readonly cacheSizeLimit?: number | undefined;
  /** The path of a library that takes the place of the system's frameworks, for tests. */
  readonly library?: string | undefined;
}

/**
 * Opens Core ML for a context.
 * @throws {LibraryError} if there is no usable Core ML
 */
export function openCoreML(options: CoreMLOptions): Device {
  const { device = "gpu", float16 = false, cacheDirectory, cacheSizeLimit, library } = options;
  const coreML = openCoreMLFramework(library);
  const cacheFolder = cacheDirectory ?? `${coreML.homeFolder}/Library/Caches/webnn`;
  return new CoreMLDevice(coreML, { device, float16, cacheFolder, cacheSizeLimit });
}
