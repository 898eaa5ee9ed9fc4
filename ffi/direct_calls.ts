/**
 * Cheap calls of functions that are known by their addresses only.
 *
 * Deno calls a symbol of an open library in about 0.02 to 0.2 us, since it compiles code for each; a function pointer
 * costs 1.3 to 1.8 us a call. So on Linux a library is made in memory that has a symbol for each address, and jumps
 * there. Elsewhere, and where the system does not let memory be opened as a library, pointers do as well.
 *
 * A library in memory is also what monitors of servers take for malware: with WEBNN_DIRECT_CALLS=0 there is none.
 *
 * The library is pinned and Deno's handle closed at once, as always: a function that Deno has made of a symbol needs the
 * code it leads to and nothing of the handle. A stub only jumps, so no call in flight ever returns to it.
 *
 * @module
 */

import { readEnvironment } from "./library.ts";
import { cString } from "./memory.ts";
import { isStubMachine, stubImage, stubName } from "./stub_image.ts";
import { libc } from "./system.ts";

/** How a function is called that is known by its address. */
export type Definition = Pick<Deno.ForeignFunction, "parameters" | "result">;
type Call = (...args: never[]) => unknown;

/** Makes a symbol of the function at one of the addresses; `undefined` where that cannot be done. It takes 0.2 ms. */
export type DirectCalls = (address: bigint, definition: Definition) => Call | undefined;

/** A symbol saves about 1.5 us a call and takes 0.2 ms to make: it has paid for itself after as many calls again. */
const CALLS_BEFORE_SYMBOL = 150;

/**
 * The function at `address`: called by its pointer at first, and by a symbol once it is called often.
 *
 * @param direct where symbols come from
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

/** Symbols of the functions at `addresses`. Nothing is made before the first is asked for. */
export function directCalls(addresses: readonly bigint[]): DirectCalls {
  let path: string | null | undefined;
  return (address, definition) => {
    try {
      path ??= openStubs(addresses);
      return path === null ? undefined : bindSymbol(path, stubName(address), definition);
    } catch {
      path = null; // There is no such system call, or the system forbids it: function pointers do as well.
      return undefined;
    }
  };
}

/** No symbols: every call goes by its pointer. */
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

/** Opens and pins a library of stubs for the life of the process; returns what to open it by. */
function openStubs(addresses: readonly bigint[]): string | null {
  const { arch, os } = Deno.build;
  if (os !== "linux" || !isStubMachine(arch) || readEnvironment("WEBNN_DIRECT_CALLS") === "0") return null;
  const { dlopen, memfd_create, write } = libc(LIBC);
  // Another isolate may have opened the same one: the loader knows a library by the name in it too.
  const name = `webnn_stubs_${addresses[0]?.toString(16)}_${addresses.length}`;
  if (dlopen(cString(name), RTLD_NOW | RTLD_NOLOAD) !== null) return name;
  const image = stubImage(arch, name, addresses);
  const fd = memfd_create(cString(name), MFD_CLOEXEC);
  if (fd < 0 || write(fd, image, BigInt(image.length)) !== BigInt(image.length)) return null;
  // It stays open: the loader takes a path that it has seen for the same library, so this number must not come again.
  const path = `/proc/self/fd/${fd}`;
  return dlopen(cString(path), RTLD_NOW | RTLD_NODELETE) === null ? null : path;
}
