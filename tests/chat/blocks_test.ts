/** Each block type, compared with a reader that follows the format element by element. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { BLOCK_TYPES } from "../../examples/chat/block_types.ts";
import { decodeBlocks, decodeFloats, dequantize, isFloat } from "../../examples/chat/blocks.ts";
import { numbersOf, randomBlocks, type TypeName, TYPES } from "./gguf_writer.ts";

const [ROWS, INNER] = [3, 512];

for (const [number, type] of Object.entries(BLOCK_TYPES)) {
  const name: TypeName = type.name;
  Deno.test(`${name}: blocks are decoded to the numbers that the format defines`, () => {
    assertEquals(TYPES[name], { number: Number(number), elements: type.elements, bytes: type.bytes });
    const bytes = Uint8Array.from(randomBlocks(name, ROWS * INNER, 1, 7));
    const expected = numbersOf(name, bytes);
    const actual = isFloat(type) ? decodeFloats(type, bytes) : dequantize(decodeBlocks(type, bytes, ROWS, INNER));
    assertEquals(actual.length, expected.length);
    const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    actual.forEach((value, i) => assert(Math.abs(value - expected[i]!) < 4e-7 * largest, `${name}[${i}]`));
    assert(largest > 0);
  });
}

Deno.test("the bytes must be a whole matrix of blocks", () => {
  assertThrows(() => decodeBlocks(BLOCK_TYPES[2]!, new Uint8Array(18), 1, 64), Error, "must be a whole matrix");
  assertThrows(() => decodeBlocks(BLOCK_TYPES[0]!, new Uint8Array(4), 1, 1), Error, "F32 is not a block type");
});
