import { assertEquals, assertThrows } from "@std/assert";
import {
  cString,
  cStringArray,
  int64Array,
  offsetPointer,
  pointerArray,
  pointerAt,
  readCString,
  readPointer,
  view,
  wideString,
} from "../../ffi/memory.ts";

Deno.test("C strings end with NUL, and must not contain NUL", () => {
  assertEquals([...cString("aé")], [97, 0xc3, 0xa9, 0]);
  assertEquals([...wideString("a😀")], [97, 0xd83d, 0xde00, 0]);
  assertThrows(() => cString("a\0b"), TypeError, "NUL");
  assertThrows(() => wideString("a\0b"), TypeError, "NUL");
  assertEquals(readCString(Deno.UnsafePointer.of(cString("aé"))), "aé");
  assertEquals(readCString(null), "");
});

Deno.test("an array of C strings points to the strings", () => {
  const texts = ["", "first", "日本", "x".repeat(5000)];
  const addresses = cStringArray(texts);
  assertEquals(addresses.length, texts.length);
  assertEquals(texts.map((_, i) => readCString(pointerAt(addresses, i))), texts);
  assertEquals(cStringArray([]).length, 1);
});

Deno.test("arrays are never empty, so their address is not null", () => {
  assertEquals([...int64Array([])], [0n]);
  assertEquals([...int64Array([2, -3])], [2n, -3n]);
  assertEquals([...pointerArray([])], [0n]);
});

Deno.test("pointers and views refer to the same memory", () => {
  const words = new BigUint64Array(64);
  const base = Deno.UnsafePointer.of(words)!;
  words[1] = Deno.UnsafePointer.value(base);
  assertEquals(pointerAt(pointerArray([base, null])), base);
  assertEquals(pointerAt(pointerArray([base, null]), 1), null);
  assertEquals(readPointer(base, 8), base);
  assertEquals(readPointer(offsetPointer(base, 8)), base);
  new BigUint64Array(view(base, 512))[2] = 7n;
  assertEquals(words[2], 7n);
  assertEquals(view(base, 0).byteLength, 0);
});
