import { assertEquals } from "@std/assert";
import { isNarrow, narrow, type NarrowDataType, widen } from "../../src/backends/coreml/widening.ts";
import { DATA_TYPES } from "../../src/data_type.ts";
import { decode, encode } from "../reference/mod.ts";

const ELEMENTS: Readonly<Record<NarrowDataType, readonly number[]>> = {
  int8: [0, 127, -128, -1, 5],
  uint8: [0, 127, 128, 255, 5],
  int4: [0, 7, -8, -1, 5],
  uint4: [0, 7, 8, 15, 5],
};

for (const [dataType, elements] of Object.entries(ELEMENTS) as [NarrowDataType, readonly number[]][]) {
  Deno.test(`widening ${dataType} to int32 and narrowing it again returns the same elements`, () => {
    const bytes = new Uint8Array(encode(dataType, elements).buffer);
    const wide = new Int32Array(elements.length);
    widen(dataType, bytes, wide);
    assertEquals([...wide], elements);
    const back = new Uint8Array(bytes.length);
    narrow(dataType, wide, back);
    assertEquals(decode(dataType, elements.length, back.buffer), [...elements]);
  });
}

Deno.test("of WebNN's data types, only the 8-bit integers are widened", () => {
  assertEquals(DATA_TYPES.filter(isNarrow), ["int8", "uint8"]);
});
