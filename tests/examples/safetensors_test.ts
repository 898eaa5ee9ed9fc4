import { assertEquals, assertThrows } from "@std/assert";
import { parseSafetensors } from "../../examples/safetensors.ts";

/** A file with a header (text, or a value to write as JSON) and `dataBytes` of data: little-endian float32 1, 2, 3, ... */
function file(header: unknown, dataBytes = 0): Uint8Array {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  for (let at = 0; at + 4 <= dataBytes; at += 4) view.setFloat32(8 + text.length + at, at / 4 + 1, true);
  return bytes;
}

const tensor = (shape: unknown, begin: unknown, end: unknown) => ({ dtype: "F32", shape, data_offsets: [begin, end] });

Deno.test("parseSafetensors reads tensors by name, in any order and alignment, also scalars and empty ones", () => {
  const header = {
    __metadata__: { format: "pt" },
    matrix: tensor([2, 2], 4, 20),
    scalar: tensor([], 0, 4),
    empty: tensor([0, 3], 20, 20),
  };
  // The length of the header determines the alignment of the elements: tries each alignment.
  for (let padding = 0; padding < 4; padding++) {
    const tensors = parseSafetensors(file(JSON.stringify(header) + " ".repeat(padding), 20));
    assertEquals([...tensors.keys()].sort(), ["empty", "matrix", "scalar"]);
    assertEquals(tensors.get("scalar"), { shape: [], data: new Float32Array([1]) });
    assertEquals(tensors.get("matrix"), { shape: [2, 2], data: new Float32Array([2, 3, 4, 5]) });
    assertEquals(tensors.get("empty"), { shape: [0, 3], data: new Float32Array() });
  }
});

Deno.test("parseSafetensors: aligned tensors are views of the bytes, also in a larger buffer", () => {
  const header = JSON.stringify({ a: tensor([1], 0, 4) });
  const bytes = file(header.padEnd(Math.ceil(header.length / 4) * 4), 4);
  const larger = new Uint8Array(bytes.length + 8);
  larger.set(bytes, 4);
  const { data } = parseSafetensors(larger.subarray(4, 4 + bytes.length)).get("a")!;
  assertEquals(data.buffer, larger.buffer);
  assertEquals([...data], [1]);
});

const MALFORMED: [what: string, bytes: Uint8Array, message: string][] = [
  ["an empty file", new Uint8Array(), "0 bytes are too few"],
  ["less than a header length", new Uint8Array(7), "7 bytes are too few"],
  ["a header beyond the end", file({ a: tensor([1], 0, 4) }, 4).subarray(0, 20), "but the file at 20"],
  ["an absurd header length", new Uint8Array(8).fill(0xff), "longer than the format allows"],
  ["a header that is not UTF-8", new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0, 0xff]), "not JSON"],
  ["a header that is not JSON", file("{"), "not JSON"],
  ["a header that is an array", file([]), "not a JSON object"],
  ["a header that is null", file("null"), "not a JSON object"],
  ["an entry that is not an object", file({ a: 1 }), 'tensor "a": its header entry is not an object'],
  ["another data type", file({ a: { ...tensor([2], 0, 4), dtype: "F16" } }, 4), 'tensor "a": data type "F16"'],
  ["no data type", file({ a: { shape: [1], data_offsets: [0, 4] } }, 4), "data type undefined"],
  ["a shape that is not a list", file({ a: tensor(1, 0, 4) }, 4), "shape must be"],
  ["a negative size", file({ a: tensor([-1], 0, 4) }, 4), "shape must be"],
  ["a fractional size", file({ a: tensor([0.5], 0, 2) }, 2), "shape must be"],
  ["a single offset", file({ a: { dtype: "F32", shape: [1], data_offsets: [0] } }, 4), "data_offsets must be"],
  ["an offset that is a string", file({ a: tensor([1], "0", 4) }, 4), "data_offsets must be"],
  ["offsets in reverse order", file({ a: tensor([1], 4, 0) }, 4), "shape [1] needs 4 bytes"],
  [
    "offsets that do not fit the shape",
    file({ a: tensor([2], 0, 4) }, 4),
    "needs 8 bytes, but data_offsets [0,4] span 4",
  ],
  ["a gap", file({ a: tensor([1], 0, 4), b: tensor([1], 8, 12) }, 12), 'tensor "b" begins at data byte 8'],
  ["a gap at the front", file({ a: tensor([1], 4, 8) }, 8), 'tensor "a" begins at data byte 4'],
  ["an overlap", file({ a: tensor([2], 0, 8), b: tensor([2], 4, 12) }, 12), 'tensor "b" begins at data byte 4'],
  ["truncated data", file({ a: tensor([2], 0, 8) }, 4), "the tensors have 8 bytes, but the file has 4"],
  ["bytes left over", file({ a: tensor([1], 0, 4) }, 8), "the tensors have 4 bytes, but the file has 8"],
];

for (const [what, bytes, message] of MALFORMED) {
  Deno.test(`parseSafetensors rejects ${what}`, () => {
    assertThrows(() => parseSafetensors(bytes), Error, message);
  });
}
