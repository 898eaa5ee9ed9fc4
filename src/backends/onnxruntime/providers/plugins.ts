/**
 * Plug-in providers: shared libraries with ONNX Runtime's plug-in interface, and provider libraries from another build
 * of ONNX Runtime.
 *
 * @module
 */

import { LibraryError, openLibrary, readEnvironment, readPathList } from "../../../../ffi/library.ts";
import { cString, pathString } from "../../../../ffi/memory.ts";
import type { OrtRuntime } from "../runtime.ts";
import { type EpDevice, listEpDevices } from "./ep_devices.ts";

/** The entry points of a plug-in, and of a provider library of an ONNX Runtime build. */
const ENTRY_POINTS = {
  CreateEpFactories: { parameters: [], result: "pointer", optional: true },
  GetProvider: { parameters: [], result: "pointer", optional: true },
} as const;

/** The plug-ins of this isolate, by library and path. Their environment is never released. */
const registered = new Set<string>();

/** The plug-ins in the environment variable WEBNN_ORT_PLUGINS, separated as in PATH. */
export function pluginsOfEnvironment(): readonly string[] {
  return readPathList(readEnvironment("WEBNN_ORT_PLUGINS") ?? "");
}

/**
 * Registers a plug-in, once. Returns the devices that it offers on this machine, if any.
 *
 * @throws {LibraryError} if the file is not a plug-in that can be used
 */
export function registerPlugin(runtime: OrtRuntime, path: string): EpDevice[] {
  const key = `${runtime.path}\n${path}`;
  if (!registered.has(key)) {
    checkPlugin(path);
    register(runtime, path);
    registered.add(key);
  }
  return listEpDevices(runtime).filter((device) => device.libraryPath === path);
}

/** ONNX Runtime looks for relative paths next to its own library, and loads any file without a check. */
function checkPlugin(path: string): void {
  if (!/^(\/|[A-Za-z]:[\\/]|\\\\)/.test(path)) {
    throw new LibraryError(`The plug-in ${path} is a relative path; name it by its absolute path`);
  }
  openLibrary(path, ENTRY_POINTS, ({ CreateEpFactories, GetProvider }) => {
    if (CreateEpFactories || GetProvider) return;
    throw new LibraryError(
      `${path} is not an execution provider of ONNX Runtime (no CreateEpFactories, no GetProvider); name another plug-in`,
    );
  });
}

function register({ env, deviceApi, version }: OrtRuntime, path: string): void {
  if (deviceApi === undefined) {
    throw new LibraryError(`ONNX Runtime ${version} does not support plug-ins; use version 1.24 or newer`);
  }
  try {
    deviceApi.RegisterExecutionProviderLibrary(env, cString(path), pathString(path));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    // Another isolate of the process has already registered it with the same environment.
    if (/already registered/i.test(reason)) return;
    throw new LibraryError(`${path} could not be registered with ONNX Runtime ${version}: ${reason}`, { cause });
  }
}
