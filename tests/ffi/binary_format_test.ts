/** The checks of ELF, Mach-O and PE files, on the libraries of the npm package: complete, truncated, and damaged. */
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "node:path";
import { type BinaryFile, checkBinary, type System } from "../../ffi/binary_format.ts";
import { LibraryError } from "../../ffi/library_error.ts";
import { openOnnxRuntime } from "../../ffi/onnxruntime/library.ts";
import { type Random, random } from "../../support/random.ts";

const LIBRARIES: [string, System][] = [
  ["linux/x64/libonnxruntime.so.1", { os: "linux", arch: "x86_64" }],
  ["linux/arm64/libonnxruntime.so.1", { os: "linux", arch: "aarch64" }],
  ["darwin/arm64/libonnxruntime.1.30.0.dylib", { os: "darwin", arch: "aarch64" }],
  ["win32/x64/onnxruntime.dll", { os: "windows", arch: "x86_64" }],
  ["win32/arm64/onnxruntime.dll", { os: "windows", arch: "aarch64" }],
];
const MUTATIONS = 2_000;

for (const [name, system] of LIBRARIES) {
  Deno.test(`${name}: complete and truncated`, async () => {
    const bytes = await readLibrary(name);
    checkBinary(inMemory(bytes), system);
    for (const size of [bytes.length - 1, bytes.length >> 1, 5000, 300, 63, 5]) {
      assertRejected(bytes.subarray(0, size), system, "install it again");
    }
    assertRejected(bytes, { ...system, arch: "riscv64" }, "; take the one for riscv64");
    for (const os of ["linux", "darwin", "windows"]) {
      if (os !== system.os) assertRejected(bytes, { ...system, os }, "is a library for another system");
    }
  });

  Deno.test(`${name}: ${MUTATIONS} damaged headers`, async () => {
    const bytes = await readLibrary(name);
    const next = random(1);
    const ranges = headerRanges(bytes, system);
    let rejected = 0;
    for (let i = 0; i < MUTATIONS; i++) {
      const undo = mutate(bytes, ranges, next);
      rejected += isRejected(bytes, system) ? 1 : 0;
      undo();
    }
    checkBinary(inMemory(bytes), system);
    console.log(`${name}: ${rejected} of ${MUTATIONS} rejected`);
    assert(rejected > MUTATIONS / 20, "the mutations have no effect");
  });
}

Deno.test("in a fat Mach-O file, the part for this architecture is checked", async () => {
  const thin = await readLibrary("darwin/arm64/libonnxruntime.1.30.0.dylib");
  const fat = new Uint8Array(4096 + thin.length);
  // magic, count; cputype (arm64), cpusubtype, offset, size, alignment
  [0xcafebabe, 1, 0x0100000c, 0, 4096, thin.length, 12].forEach((word, i) => setUint32(fat, 4 * i, word));
  fat.set(thin, 4096);
  checkBinary(inMemory(fat), { os: "darwin", arch: "aarch64" });
  assertRejected(fat, { os: "darwin", arch: "x86_64" }, "is for other architectures; take the one for x86_64");
  assertRejected(fat.subarray(0, fat.length - 1), { os: "darwin", arch: "aarch64" }, "part 0 lies outside");
  setUint32(fat, 20, thin.length - 1);
  assertRejected(fat, { os: "darwin", arch: "aarch64" }, "a segment lies outside");
  setUint32(fat, 4, 0xffff);
  assertRejected(fat, { os: "darwin", arch: "aarch64" }, "is not a shared library");
});

Deno.test("an executable is not accepted as a library", () => {
  const header = new Uint8Array(64);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  header.set([2, 0, 62, 0], 16); // ET_EXEC, x86-64
  assertRejected(header, { os: "linux", arch: "x86_64" }, "is an ELF file but not a shared library");
});

/** A file in memory. Its `read` fails if the range is not inside of the file. */
function inMemory(bytes: Uint8Array<ArrayBuffer>): BinaryFile {
  return {
    path: "library",
    size: bytes.length,
    read(offset, length) {
      const inside = Number.isSafeInteger(offset) && offset >= 0 && length >= 0 && offset + length <= bytes.length;
      assert(inside, `read of ${length} bytes at ${offset}, outside of ${bytes.length}`);
      return new DataView(bytes.buffer, bytes.byteOffset + offset, length);
    },
  };
}

function isRejected(bytes: Uint8Array<ArrayBuffer>, system: System): boolean {
  try {
    checkBinary(inMemory(bytes), system);
    return false;
  } catch (error) {
    if (error instanceof LibraryError) return true;
    throw error;
  }
}

function assertRejected(bytes: Uint8Array<ArrayBuffer>, system: System, fragment: string): void {
  const error = assertThrows(() => checkBinary(inMemory(bytes), system), LibraryError);
  assertEquals(error.message.startsWith("library is "), true, error.message);
  assertStringIncludes(error.message, fragment);
}

/** Byte ranges with headers: the start of the file, and the ELF section table at its end. */
function headerRanges(bytes: Uint8Array, { os }: System): [number, number][] {
  const start: [number, number] = [4, os === "windows" ? 1024 : 700];
  return os === "linux" ? [start, [bytes.length - 64 * 30, bytes.length]] : [start];
}

const HOSTILE = [0, 1, 0x7f, 0x80, 0xff];

/** Overwrites one to eight bytes in one of the ranges. Returns a function that restores them. */
function mutate(bytes: Uint8Array, ranges: [number, number][], next: Random): () => void {
  const [from, to] = next.pick(ranges);
  const at = next.integer(from, to - 9);
  const before = bytes.slice(at, at + 8);
  const length = next.integer(1, 8);
  const value = next() < 0.5 ? next.pick(HOSTILE) : undefined;
  for (let i = 0; i < length; i++) bytes[at + i] = value ?? next.integer(0, 255);
  return () => bytes.set(before, at);
}

function setUint32(bytes: Uint8Array<ArrayBuffer>, offset: number, value: number): void {
  new DataView(bytes.buffer).setUint32(offset, value);
}

async function readLibrary(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const { path } = await openOnnxRuntime();
  return await Deno.readFile(join(path, "../../..", name));
}
