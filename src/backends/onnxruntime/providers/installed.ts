/**
 * The available execution providers: rows, combined with what ONNX Runtime reports about them.
 *
 * @module
 */

import { pointerAt, readCString, readPointer } from "../../../../ffi/memory.ts";
import type { OrtRuntime } from "../runtime.ts";
import { appendDevice } from "./append.ts";
import type { EpDevice } from "./ep_devices.ts";
import type { CompiledRow, Provider } from "./provider.ts";
import { COMPILED, PLUGINS, UNKNOWN_PLUGIN } from "./rows.ts";
import { ExclusiveTurns, type Turns } from "./turns.ts";

/** The providers that are compiled into a library, or that it can load. */
export function compiledProviders(runtime: OrtRuntime, devices: readonly EpDevice[]): Provider[] {
  const names = availableProviders(runtime);
  return COMPILED.filter(({ engineName }) => names.includes(engineName)).map((row) =>
    compiledProvider(runtime, row, devices)
  );
}

function compiledProvider(runtime: OrtRuntime, row: CompiledRow, devices: readonly EpDevice[]): Provider {
  const device = devices.find(({ engineName, libraryPath }) => engineName === row.engineName && !libraryPath);
  return {
    ...row,
    version: runtime.version,
    hardware: device?.hardware ?? "",
    isHardware: row.isHardware ?? device !== undefined,
  };
}

/** The engine's names of compiled-in providers, even if a library that they need is missing. */
function availableProviders({ api }: OrtRuntime): string[] {
  const [list, count] = [new BigUint64Array(1), new Int32Array(1)];
  api.GetAvailableProviders(list, count);
  const names = pointerAt(list)!;
  try {
    return Array.from({ length: count[0]! }, (_, i) => readCString(readPointer(names, 8 * i)));
  } finally {
    api.ReleaseAvailableProviders(names, count[0]!);
  }
}

/** The provider of a plug-in, on one of its devices. */
export function pluginProvider(offered: EpDevice): Provider {
  const { device, engineName, hardware, memory, pointer, vendor, version } = offered;
  const name = nameOf(engineName);
  return {
    ...PLUGINS.find((row) => row.name === name) ?? UNKNOWN_PLUGIN,
    name,
    engineName,
    device,
    vendor,
    version,
    hardware,
    isHardware: true,
    ...(memory && { createAllocator: ({ deviceApi }, session) => deviceApi.CreateAllocator(session, memory) }),
    turns: turnsOf(engineName),
    needs: { beside: [], system: [] },
    append: appendDevice(pointer),
  };
}

/**
 * `"WebGpuExecutionProvider"` becomes `"webgpu"`; a plug-in named after its file, `libonnxruntime_ggml.so`, becomes
 * `"ggml"`.
 */
function nameOf(engineName: string): string {
  const [, name = engineName] = /[/\\](?:lib)?(?:onnxruntime_)?(?:providers_)?(\w+)[^/\\]*$/.exec(engineName) ?? [];
  return name.replace(/ExecutionProvider$/, "").toLowerCase();
}

/** It is unknown whether a plug-in supports threads, so each runs one piece of work at a time. */
const pluginTurns = new Map<string, Turns>();

function turnsOf(engineName: string): Turns {
  const turns = pluginTurns.get(engineName) ?? new ExclusiveTurns();
  pluginTurns.set(engineName, turns);
  return turns;
}
