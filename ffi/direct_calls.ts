/**
 * Fast calls of functions that are known only by address.
 *
 * Deno calls a symbol of an open library in about 0.02 to 0.2 µs, because it compiles code for each; calling a function
 * pointer takes 1.3 to 1.8 µs. So on Linux, a library is created in memory with one symbol per address: a stub, whose
 * code jumps to the address. Elsewhere, or if the system does not allow libraries in memory, functions are called by
 * pointer.
 *
 * Malware scanners may object to a library in memory; WEBNN_DIRECT_CALLS=0 turns it off.
 *
 * The library is pinned and Deno's handle is closed at once: a function that Deno created from a symbol needs the code,
 * not the handle. A stub only jumps, so no running call returns to it.
 *
 * @module
 */

import { readEnvironment } from "./library.ts";
import { cString } from "./memory.ts";
import { isStubMachine, stubImage, stubName } from "./stub_image.ts";
import { libc } from "./system.ts";

/** The signature of a function. */
export type Definition = Pick<Deno.ForeignFunction, "parameters" | "result">;
type Call = (...args: never[]) => unknown;

/** Creates a symbol for the function at an address, in 0.2 ms; `undefined` if that is not possible. */
export type DirectCalls = (address: bigint, definition: Definition) => Call | undefined;

/** Calls before a function gets a symbol. Creating one takes 0.2 ms and saves about 1.5 µs per call. */
const CALLS_BEFORE_SYMBOL = 150;

/**
 * The function at `address`: called by pointer at first, and by symbol once it has been called often.
 *
 * @param direct creates the symbols
 */
export function callable<const D extends Definition>(
  address: Deno.PointerObject,
  definition: D,
  direct: DirectCalls,
): Deno.FromForeignFunction<D> {
  const pointer = new Deno.UnsafeFnPointer(address as Deno.PointerObject<Definition>, definition as Definition);
  let call: Call = (...args) => pointer.call(...args);
  let left = CALLS_BEFORE_SYMBOL;
  const counted: Call = (...args) => {
    if (left > 0 && --left === 0) call = direct(Deno.UnsafePointer.value(address), definition) ?? call;
    return call(...args);
  };
  return counted as Deno.FromForeignFunction<D>;
}

/** Creates symbols for the functions at `addresses`. The library is created when the first one is needed. */
export function directCalls(addresses: readonly bigint[]): DirectCalls {
  let path: string | null | undefined;
  return (address, definition) => {
    try {
      path ??= openStubs(addresses);
      return path === null ? undefined : bindSymbol(path, stubName(address), definition);
    } catch {
      path = null; // The system call does not exist or is not allowed: use function pointers.
      return undefined;
    }
  };
}

/** Creates no symbols: every call is by pointer. */
export const noDirectCalls: DirectCalls = () => undefined;

function bindSymbol(path: string, name: string, { parameters, result }: Definition): Call {
  const library = Deno.dlopen(path, { call: { name, parameters, result } });
  library.close();
  return library.symbols.call as Call;
}

const LIBC = {
  dlopen: { parameters: ["buffer", "i32"], result: "pointer" }, // path, flags
  memfd_create: { parameters: ["buffer", "u32"], result: "i32" }, // name, flags
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" }, // fd, buf, count
} as const;

const MFD_CLOEXEC = 1;
const RTLD_NOW = 2;
const RTLD_NOLOAD = 4;
const RTLD_NODELETE = 0x1000;

/** Opens and pins a library of stubs for the life of the process. Returns the path to open it by. */
function openStubs(addresses: readonly bigint[]): string | null {
  const { arch, os } = Deno.build;
  if (os !== "linux" || !isStubMachine(arch) || readEnvironment("WEBNN_DIRECT_CALLS") === "0") return null;
  const { dlopen, memfd_create, write } = libc(LIBC);
  // Another isolate may have opened the same library; the loader also identifies libraries by their name.
  const name = `webnn_stubs_${addresses[0]?.toString(16)}_${addresses.length}`;
  if (dlopen(cString(name), RTLD_NOW | RTLD_NOLOAD) !== null) return name;
  const image = stubImage(arch, name, addresses);
  const fd = memfd_create(cString(name), MFD_CLOEXEC);
  if (fd < 0 || write(fd, image, BigInt(image.length)) !== BigInt(image.length)) return null;
  // The descriptor stays open: the loader identifies a library by its path, so this number must not be reused.
  const path = `/proc/self/fd/${fd}`;
  return dlopen(cString(path), RTLD_NOW | RTLD_NODELETE) === null ? null : path;
}
