/**
 * Reads the configuration of session options back from ONNX Runtime.
 *
 * @module
 */

import { cString, type Pointer, readPointer } from "../../ffi/memory.ts";
import { foreign } from "../../ffi/onnxruntime/table.ts";

/** The indices of two functions in the C API's table. */
const [HAS_SESSION_CONFIG_ENTRY, GET_SESSION_CONFIG_ENTRY] = [237, 238];

/** The value of an entry of session options, created by the library at `path`; `undefined` if there is none. */
export function readSessionEntry(path: string, options: Pointer, key: string): string | undefined {
  const library = Deno.dlopen(path, { OrtGetApiBase: { parameters: [], result: "pointer" } });
  try {
    const base = library.symbols.OrtGetApiBase()!;
    const getApi = foreign<[number], Deno.PointerValue>(readPointer(base, 0)!, ["u32 version"], "pointer");
    return read(getApi(23)!, options, cString(key));
  } finally {
    library.close(); // The engine stays open.
  }
}

function read(table: Pointer, options: Pointer, key: BufferSource): string | undefined {
  const has = foreign<[Pointer, BufferSource, BufferSource], Deno.PointerValue>(
    readPointer(table, 8 * HAS_SESSION_CONFIG_ENTRY)!,
    ["pointer options", "buffer config_key", "buffer out"],
    "pointer",
  );
  const get = foreign<[Pointer, BufferSource, BufferSource, BufferSource], Deno.PointerValue>(
    readPointer(table, 8 * GET_SESSION_CONFIG_ENTRY)!,
    ["pointer options", "buffer config_key", "buffer config_value", "buffer size"],
    "pointer",
  );
  const found = new Int32Array(1);
  if (has(options, key, found) !== null) throw new Error("HasSessionConfigEntry failed");
  if (found[0] === 0) return undefined;
  const [value, size] = [new Uint8Array(256), BigUint64Array.of(256n)];
  if (get(options, key, value, size) !== null) throw new Error("GetSessionConfigEntry failed");
  return new TextDecoder().decode(value.subarray(0, Number(size[0]) - 1));
}
