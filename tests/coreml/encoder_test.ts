/**
 * The encoder's files, read by a reader that shares no code with it, and compared with bytes that the format defines.
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { encodeProgram } from "../../src/backends/coreml/encoder.ts";
import type { MilConstant, MilProgram } from "../../src/backends/coreml/mil.ts";
import { writePackage } from "../../src/backends/coreml/package.ts";
import { layOutWeights, weightParts } from "../../src/backends/coreml/weights.ts";
import { encodeFiles, MemorySink } from "./files.ts";
import { counting, operation, program, PROGRAMS, value } from "./sample_programs.ts";
import { readProgram } from "./reader.ts";

for (const [name, original] of Object.entries(PROGRAMS)) {
  Deno.test(`encoding a program and reading it back returns the same program: ${name}`, () => {
    const { model, weights } = encodeFiles(original);
    assertEquals(readProgram(model, weights), original);
  });
}

Deno.test("the same program gives the same bytes", () => {
  for (const original of Object.values(PROGRAMS)) {
    assertEquals(encodeFiles(structuredClone(original)), encodeFiles(original));
  }
});

Deno.test("a model file starts with its version and its features; the program is field 502", () => {
  const x = value("x", "fp32", [2]);
  const y = value("y", "fp32", [2]);
  const { model } = encodeProgram(program([x], [operation("abs", { x }, y)], [y]));
  const feature = (name: string) => [0x0a, 1, name.charCodeAt(0), 0x1a, 9, 0x2a, 7, 0x0a, 1, 2, 0x10, 0xa0, 0x80, 4];
  const description = [0x12, 32, 0x0a, 14, ...feature("x"), 0x52, 14, ...feature("y")];
  assertEquals([...model.subarray(0, 36)], [0x08, 8, ...description]);
  assertEquals([...model.subarray(36, 38)], [0xb2, 0x1f]);
});

Deno.test("lengths are encoded in one to four bytes", () => {
  const x = value("x", "fp32", [1]);
  for (const length of [1, 100, 128, 16_383, 16_384, 2 ** 21]) {
    const y = value("y".repeat(length), "fp32", [1]);
    const original = program([x], [operation("abs", { x }, y)], [y]);
    const { model, weights } = encodeFiles(original);
    assertEquals(readProgram(model, weights), original);
  }
});

Deno.test("records of weights start at multiples of 64, without gaps", () => {
  const constants = [counting("a", "fp16", [33]), counting("b", "uint8", [3, 5]), counting("c", "fp32", [16])];
  const { weights } = encodeFiles(programOf(constants));
  const view = new DataView(weights.buffer);
  assertEquals([view.getUint32(0, true), view.getUint32(4, true)], [3, 2]);
  const record = (offset: number) => [
    view.getUint32(offset, true),
    view.getUint32(offset + 4, true),
    Number(view.getBigUint64(offset + 8, true)),
    Number(view.getBigUint64(offset + 16, true)),
  ];
  assertEquals(record(64), [0xdeadbeef, 1, 66, 128]);
  assertEquals(record(256), [0xdeadbeef, 3, 15, 320]);
  assertEquals(record(384), [0xdeadbeef, 2, 64, 448]);
  assertEquals(weights.length, 512);
});

Deno.test("an odd number of 4-bit integers is padded with 4 bits", () => {
  const { weights } = encodeFiles(PROGRAMS["oddNibbles"]!);
  const view = new DataView(weights.buffer);
  assertEquals([view.getUint32(68, true), Number(view.getBigUint64(72, true))], [8, 6]);
  assertEquals(Number(view.getBigUint64(88, true)), 4);
});

Deno.test("count, type and version decide which constants are stored in the file of weights", () => {
  const inFile = (constant: MilConstant, version: 8 | 9) =>
    layOutWeights(programOf([constant], version)).offsets.has(constant);
  for (const dataType of ["fp32", "fp16", "int8", "uint8"] as const) {
    assert(!inFile(counting("c", dataType, [9]), 8));
    assert(inFile(counting("c", dataType, [10]), 8));
  }
  assert(!inFile(counting("c", "int32", [1000]), 8));
  assert(inFile(counting("c", "int32", [1000]), 9));
  assert(!inFile(counting("c", "bool", [1000]), 9));
});

Deno.test("constants that share their bytes share a record, unless their types differ", () => {
  const a = counting("a", "uint8", [4, 16]);
  const b = { ...a, name: "b", shape: [64] };
  const c: MilConstant = { ...a, name: "c", dataType: "int8" };
  const original = programOf([a, b, c]);
  const { offsets, byteLength } = layOutWeights(original);
  assertEquals([a, b, c].map((constant) => offsets.get(constant)), [64, 64, 192]);
  assertEquals(byteLength, 320);
  const { model, weights } = encodeFiles(original);
  assertEquals(readProgram(model, weights), original);
});

Deno.test("500 MB of weights are passed on without a copy", () => {
  const data = new Uint8Array(500_000_000);
  const large: MilConstant = { name: "large", dataType: "fp32", shape: [125_000_000], data };
  const { model, weights } = encodeProgram(programOf([large]));
  assert(model.length < 1000);
  assert(model.buffer.byteLength < 100_000);
  let ownBytes = 0;
  let otherBytes = 0;
  for (const part of weightParts(weights)) {
    if (part.buffer === data.buffer) ownBytes += part.length;
    else otherBytes += part.buffer.byteLength;
  }
  assertEquals(ownBytes, data.length);
  assert(otherBytes <= 3 * 64);
  assertEquals(ownBytes + otherBytes, weights.byteLength);
});

Deno.test("a slow sink gets one write at a time", async () => {
  let pending = 0;
  let maxPending = 0;
  const memory = new MemorySink();
  await writePackage(encodeProgram(PROGRAMS["constants"]!), {
    create: (path) => ({
      async write(bytes) {
        maxPending = Math.max(maxPending, ++pending);
        await Promise.resolve();
        if (path.endsWith("weight.bin")) memory.write(bytes);
        pending--;
      },
      close() {},
    }),
  });
  assertEquals(maxPending, 1);
  assertEquals(memory.bytes, encodeFiles(PROGRAMS["constants"]!).weights);
});

Deno.test("a package has a manifest that names its two items", async () => {
  const files = new Map<string, MemorySink>();
  let open = 0;
  await writePackage(encodeProgram(PROGRAMS["convolution"]!), {
    create(path) {
      const sink = new MemorySink();
      files.set(path, sink);
      open++;
      return { write: (bytes) => sink.write(bytes), close: () => void open-- };
    },
  });
  assertEquals(open, 0);
  const data = "Data/com.apple.CoreML";
  assertEquals([...files.keys()], ["Manifest.json", `${data}/model.mlmodel`, `${data}/weights/weight.bin`]);
  const manifest = JSON.parse(new TextDecoder().decode(files.get("Manifest.json")!.bytes));
  const items = Object.values<{ path: string }>(manifest.itemInfoEntries).map(({ path }) => path);
  assertEquals(items, ["com.apple.CoreML/model.mlmodel", "com.apple.CoreML/weights"]);
  assertEquals(manifest.itemInfoEntries[manifest.rootModelIdentifier].path, items[0]);
  const [model, weights] = [...files.values()].slice(1).map(({ bytes }) => bytes);
  assertEquals(readProgram(model!, weights!), PROGRAMS["convolution"]);
});

Deno.test("if writing a file of a package fails, the file is closed and the error is passed on", async () => {
  let open = 0;
  const folder = {
    create() {
      open++;
      const write = () => Promise.reject(new Error("disk full"));
      return { write, close: () => void open-- };
    },
  };
  await assertRejects(() => writePackage(encodeProgram(PROGRAMS["convolution"]!), folder), Error, "disk full");
  assertEquals(open, 0);
});

Deno.test("the reader rejects inconsistent files", () => {
  const { model, weights } = encodeFiles(PROGRAMS["convolution"]!);
  const changed = (bytes: Uint8Array, offset: number, byte: number) => bytes.with(offset, byte);
  assertThrows(() => readProgram(changed(model, 1, 9), weights), Error, "CoreML7 in version 9");
  assertThrows(() => readProgram(model, changed(weights, 64, 0)), Error, "no record at 64");
  assertThrows(() => readProgram(model, changed(weights, 68, 1)), Error, "the record at 64 has fp16");
  assertThrows(() => readProgram(model, changed(weights, 0, 2)));
  assertThrows(() => readProgram(model, weights.subarray(0, 192)), Error, "exceeds the file");
  const unknownField = Uint8Array.of(...model, 0x18, 1);
  assertThrows(() => readProgram(unknownField, weights), Error, "Model has an unknown field 3");
});

/** A program with these constants, each an operand of an operation. */
function programOf(constants: readonly MilConstant[], version: 8 | 9 = 8): MilProgram {
  const x = value("x", "fp32", [1]);
  const y = value("y", "fp32", [1]);
  const uses = constants.map((x) => operation("identity", { x }, value(`${x.name}_copy`, x.dataType, x.shape)));
  const { operations, ...others } = program([x], [...uses, operation("abs", { x }, y)], [y], version);
  return { ...others, operations, constants };
}
