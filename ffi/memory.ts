/**
 * Native memory: C strings and arrays for foreign functions, and views of memory that native code owns.
 *
 * The functions return ordinary JavaScript memory. It does not move during a synchronous call; a nonblocking call may
 * only use memory that native code has allocated.
 *
 * @module
 */

const encoder = new TextEncoder();

/** A non-null address of native memory. */
export type Pointer = Deno.PointerObject;

/**
 * A C string: UTF-8 with a NUL at the end.
 *
 * @throws {TypeError} if the text contains a NUL, at which C would cut it off
 */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  rejectNul(text);
  return encoder.encode(`${text}\0`);
}

/**
 * A wide C string for Windows: UTF-16 with a NUL at the end.
 *
 * @throws {TypeError} if the text contains a NUL
 */
export function wideString(text: string): Uint16Array<ArrayBuffer> {
  rejectNul(text);
  return Uint16Array.from({ length: text.length + 1 }, (_, i) => i < text.length ? text.charCodeAt(i) : 0);
}

/** A path for this system's C functions: wide on Windows, where ONNX Runtime's paths are `wchar_t` too. */
export function pathString(path: string): Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer> {
  return Deno.build.os === "windows" ? wideString(path) : cString(path);
}

/**
 * A `const char* const*`: an array of addresses, followed by the strings in the same buffer, so that one reference
 * keeps both alive.
 */
export function cStringArray(texts: readonly string[]): BigUint64Array<ArrayBuffer> {
  const strings = texts.map(cString);
  const tableBytes = 8 * Math.max(texts.length, 1);
  const bytes = new Uint8Array(strings.reduce((sum, string) => sum + string.byteLength, tableBytes));
  const addresses = new BigUint64Array(bytes.buffer, 0, tableBytes / 8);
  const base = Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes));
  let offset = tableBytes;
  strings.forEach((string, i) => {
    bytes.set(string, offset);
    addresses[i] = base + BigInt(offset);
    offset += string.byteLength;
  });
  return addresses;
}

/** An array of pointers. Never empty, so that its address is never null. */
export function pointerArray(pointers: readonly Deno.PointerValue[]): BigUint64Array<ArrayBuffer> {
  const addresses = new BigUint64Array(Math.max(pointers.length, 1));
  pointers.forEach((pointer, i) => addresses[i] = Deno.UnsafePointer.value(pointer));
  return addresses;
}

/** An array of `int64_t`. Never empty, so that its address is never null (a 0-D shape has no elements). */
export function int64Array(values: readonly number[]): BigInt64Array<ArrayBuffer> {
  const array = new BigInt64Array(Math.max(values.length, 1));
  values.forEach((value, i) => array[i] = BigInt(value));
  return array;
}

/** The pointer at `index` of an array, for example an out-parameter. */
export function pointerAt(addresses: BigUint64Array, index = 0): Deno.PointerValue {
  return Deno.UnsafePointer.create(addresses[index] ?? 0n);
}

/** A pointer with the address `integer`, to pass a size in a call that takes only pointers. */
export function integerPointer(integer: number): Deno.PointerValue {
  return Deno.UnsafePointer.create(BigInt(integer));
}

/** A `struct iovec[]`: the address and size of each block of memory. */
export function blockList(
  blocks: readonly (readonly [Pointer | Uint8Array<ArrayBuffer>, number])[],
): BigUint64Array<ArrayBuffer> {
  const list = new BigUint64Array(2 * blocks.length);
  blocks.forEach(([memory, byteLength], i) => {
    const pointer = memory instanceof Uint8Array ? Deno.UnsafePointer.of(memory) : memory;
    list[2 * i] = Deno.UnsafePointer.value(pointer);
    list[2 * i + 1] = BigInt(byteLength);
  });
  return list;
}

/** The address `byteOffset` bytes after `pointer`. */
export function offsetPointer(pointer: Deno.PointerObject, byteOffset: number): Deno.PointerObject {
  return Deno.UnsafePointer.offset(pointer, byteOffset)!;
}

/** A view of native memory as an ArrayBuffer. It must not be used after the memory is freed. */
export function view(pointer: Deno.PointerObject, byteLength: number): ArrayBuffer {
  return byteLength === 0 ? new ArrayBuffer(0) : Deno.UnsafePointerView.getArrayBuffer(pointer, byteLength);
}

/** A copy of the C string at `pointer`; empty if the pointer is null. */
export function readCString(pointer: Deno.PointerValue): string {
  return pointer === null ? "" : Deno.UnsafePointerView.getCString(pointer);
}

/** The pointer stored in native memory at `pointer` + `byteOffset`. */
export function readPointer(pointer: Deno.PointerObject, byteOffset = 0): Deno.PointerValue {
  return new Deno.UnsafePointerView(pointer).getPointer(byteOffset);
}

function rejectNul(text: string): void {
  if (text.includes("\0")) throw new TypeError(`A C string cannot contain a NUL: ${JSON.stringify(text)}`);
}
