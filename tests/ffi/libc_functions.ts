/** Functions of the C library, which every system has, and their addresses. */

/** Their declarations. */
export const FUNCTIONS = {
  abs: { parameters: ["i32"], result: "i32" },
  memcmp: { parameters: ["buffer", "buffer", "usize"], result: "i32" },
  strchr: { parameters: ["buffer", "i32"], result: "pointer" },
  strtoull: { parameters: ["buffer", "pointer", "i32"], result: "u64" },
} as const;

const LIBRARY = { linux: "libc.so.6", darwin: "/usr/lib/libSystem.B.dylib", windows: "ucrtbase.dll" };
const TYPE = { type: "pointer" } as const;
const library = Deno.dlopen(LIBRARY[Deno.build.os as keyof typeof LIBRARY], {
  abs: TYPE,
  memcmp: TYPE,
  strchr: TYPE,
  strtoull: TYPE,
});
const { symbols } = library;
library.close(); // The process keeps its C library loaded.

/** The address of a function. */
export function addressOf(name: keyof typeof FUNCTIONS): Deno.PointerObject {
  return symbols[name] as Deno.PointerObject;
}

/** The addresses of all functions. */
export const ADDRESSES = (Object.keys(FUNCTIONS) as (keyof typeof FUNCTIONS)[])
  .map((name) => Deno.UnsafePointer.value(addressOf(name)));
