/**
 * The macOS libraries of Objective-C, Foundation and Core ML.
 *
 * @module
 */

import { LibraryError, openLibrary, openSystemLibrary } from "../library.ts";
import type { Pointer } from "../memory.ts";

/** The symbols used from each library. The names are found in the loader's cache; the files do not exist on disk. */
const LIBRARIES = {
  "/usr/lib/libobjc.A.dylib": [
    "objc_autoreleasePoolPop",
    "objc_autoreleasePoolPush",
    "objc_getClass",
    "objc_msgSend",
    "objc_release",
    "objc_retain",
    "object_getClassName",
    "sel_registerName",
  ],
  "/usr/lib/libSystem.B.dylib": ["_NSConcreteGlobalBlock", "mmap", "munmap", "sysctlbyname"],
  "/System/Library/Frameworks/Foundation.framework/Foundation": ["NSHomeDirectory"],
  "/System/Library/Frameworks/CoreML.framework/CoreML": ["MLAllComputeDevices"],
} as const;

/** The addresses of the symbols, by name. */
export type Symbols = Readonly<Record<typeof LIBRARIES[keyof typeof LIBRARIES][number], Pointer>>;

/**
 * Opens the libraries for the life of the process.
 *
 * @param library one library that replaces all of them, for tests on other systems
 * @throws {LibraryError} if a library or symbol is missing
 */
export function openFrameworks(library?: string): Symbols {
  if (library === undefined && Deno.build.os !== "darwin") {
    throw new LibraryError(`Core ML is a part of macOS; on ${Deno.build.os} choose another backend`);
  }
  const parts = Object.entries(LIBRARIES).map(([path, names]) => addresses(path, names, library));
  return Object.assign({}, ...parts);
}

function addresses(path: string, names: readonly string[], library: string | undefined): Record<string, Pointer> {
  // The type "pointer" gives the address of a symbol, whether it is a function or data.
  const symbols = Object.fromEntries(names.map((name) => [name, { type: "pointer", optional: true } as const]));
  const found = (values: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(names.map((name) => {
      const address = values[name] as Deno.PointerValue;
      if (address === null) throw new LibraryError(`${library ?? path} has no ${name}; use macOS 14 or newer`);
      return [name, address];
    }));
  return library === undefined ? openSystemLibrary(path, symbols, found) : openLibrary(library, symbols, found);
}
