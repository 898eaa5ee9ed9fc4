/**
 * The backend on ONNX Runtime.
 *
 * @module
 */

import type { Device } from "../backend.ts";
import { OrtDevice } from "./device.ts";
import { defaultThreads, openRuntime } from "./runtime.ts";

/** What a context may ask of ONNX Runtime. */
export interface OnnxRuntimeOptions {
  /** The number of CPU threads that a graph may use, the calling one included. */
  readonly threads?: number | undefined;
  /** The path of the library; by default that of the npm package onnxruntime-node. */
  readonly library?: string | undefined;
}

/**
 * Opens the CPU for a context.
 * @throws {LibraryError} if there is no usable library
 */
export async function openCpu({ threads = defaultThreads(), library }: OnnxRuntimeOptions): Promise<Device> {
  const runtime = await openRuntime(library, threads > 1 ? threads : defaultThreads());
  return new OrtDevice(runtime, threads);
}
