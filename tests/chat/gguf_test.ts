/** The header is read as it was written; damaged files are rejected with a message of one line. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { blobSource } from "../../examples/chat/byte_source.ts";
import { type GgufHeader, readGguf } from "../../examples/chat/gguf.ts";
import { ggufFile, randomBlocks } from "./gguf_writer.ts";

const METADATA = { "general.name": "tiny ☃", count: 7, share: 0.5, yes: true, list: ["a", "b"], nested: [[1], [2, 3]] };

function file(): Uint8Array<ArrayBuffer> {
  return ggufFile(METADATA, [
    { name: "a", type: "Q4_1", shape: [3, 64], bytes: randomBlocks("Q4_1", 192, 1, 1) },
    { name: "b", type: "F32", shape: [5], bytes: randomBlocks("F32", 5, 1, 2) },
  ]);
}

function read(bytes: Uint8Array<ArrayBuffer>): Promise<GgufHeader> {
  return readGguf(blobSource(new Blob([bytes])));
}

/** The position of a text in the file. */
function placeOf(bytes: Uint8Array, text: string): number {
  return new TextDecoder("latin1").decode(bytes).indexOf(text);
}

Deno.test("metadata and tensors are read as they were written", async () => {
  const { metadata, tensors } = await read(file());
  assertEquals(Object.fromEntries(metadata), METADATA);
  const found = [...tensors.values()].map(({ byteLength, name, shape, type }) => [name, type.name, shape, byteLength]);
  assertEquals(found, [["a", "Q4_1", [3, 64], 120], ["b", "F32", [5], 20]]);
  assertEquals(tensors.get("a")!.offset % 32, 0);
  assertEquals(tensors.get("b")!.offset, tensors.get("a")!.offset + 128);
});

Deno.test("a truncated file is rejected, wherever it ends", async () => {
  const whole = file();
  for (let length = 0; length < whole.length; length++) {
    const error = await assertRejects(() => read(whole.slice(0, length)), Error);
    assert(/the file ends/.test(error.message) && !error.message.includes("\n"), `${length}: ${error.message}`);
  }
});

Deno.test("errors for invalid files give the reason", async () => {
  const damage: [string, (bytes: Uint8Array, view: DataView) => void][] = [
    ["this is not a GGUF file", (bytes) => bytes[0] = 0],
    ["GGUF version 9 is not supported", (bytes) => bytes[4] = 9],
    ["the file ends within its header", (bytes) => bytes[10] = 255],
    ["a number beyond 2^53", (bytes) => bytes[15] = 255],
    ["of unknown type 77", (bytes) => bytes[placeOf(bytes, "count") + 5] = 77],
    ["the tensor a has 9 dimensions", (_, view) => view.setUint32(tensorA(view) + 1, 9, true)],
    ["a row of the tensor a has 33 elements", (_, view) => view.setUint32(tensorA(view) + 5, 33, true)],
    ["the file ends within the tensor a", (_, view) => view.setUint32(tensorA(view) + 13, 3000, true)],
    ["block type 99", (_, view) => view.setUint32(tensorA(view) + 21, 99, true)],
  ];
  for (const [reason, change] of damage) {
    const bytes = file();
    change(bytes, new DataView(bytes.buffer));
    await assertRejects(() => read(bytes), Error, reason);
  }
  const twice = { name: "a", type: "F32", shape: [1], bytes: new Uint8Array(4) } as const;
  await assertRejects(() => read(ggufFile({}, [twice, twice])), Error, "has the tensor a twice");
});

/** The position of the name of tensor a: after the metadata and a length of 1. */
function tensorA(view: DataView): number {
  const bytes = new Uint8Array(view.buffer);
  for (let at = bytes.length; at-- > 0;) {
    if (bytes[at] === 97 && view.getBigUint64(at - 8, true) === 1n && bytes[at + 1] === 2) return at;
  }
  throw new Error("the file has no tensor a");
}
