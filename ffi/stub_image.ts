/**
 * Makes a shared library in memory: a complete ELF file whose functions only jump to other addresses.
 *
 * It has only what a dynamic loader reads: two loadable segments (code with tables, and the dynamic section, which
 * older loaders write to), a symbol table, and a hash table with one bucket.
 *
 * @see https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html
 * @module
 */

/** The machines with stubs, named as in `Deno.build.arch`. */
export type StubMachine = keyof typeof MACHINES;

/** The number of each machine in an ELF header, and its code for a jump that leaves all arguments unchanged. */
const MACHINES = {
  x86_64: { number: 62, code: [0x48, 0xb8, "address", 0xff, 0xe0] }, // movabs rax, address; jmp rax
  aarch64: { number: 183, code: [0x50, 0, 0, 0x58, 0, 0x02, 0x1f, 0xd6, "address"] }, // ldr x16, .+8; br x16; address
} as const;

/** The largest page size of the machines: segments with different protection are this far apart in memory. */
const PAGE = 0x10000;

/** Sizes of the structures of a file. */
const HEADER = 64;
const PROGRAM_HEADER = 56;
const SYMBOL = 24;
const DYNAMIC_ENTRY = 16;
const STUB = 16;

const SEGMENT = { LOAD: 1, DYNAMIC: 2, GNU_STACK: 0x6474e551 };
const ACCESS = { READ_EXECUTE: 5, READ_WRITE: 6 };
const DYNAMIC = { NULL: 0, HASH: 4, STRTAB: 5, SYMTAB: 6, STRSZ: 10, SYMENT: 11, SONAME: 14 };
const GLOBAL_FUNCTION = 0x12;

/** Whether stubs can be made for a machine. */
export function isStubMachine(arch: string): arch is StubMachine {
  return arch in MACHINES;
}

/** The name of the function that jumps to an address. */
export function stubName(address: bigint): string {
  return `at_${address.toString(16)}`;
}

/** A library file named `name`, with a function {@linkcode stubName} for each address. */
export function stubImage(machine: StubMachine, name: string, addresses: readonly bigint[]): Uint8Array<ArrayBuffer> {
  const strings = stringTable([name, ...addresses.map(stubName)]);
  const count = addresses.length + 1; // The first symbol is null.
  const hashAt = HEADER + 4 * PROGRAM_HEADER;
  const symbolsAt = align(hashAt + 4 * (3 + count), 8);
  const stubsAt = align(symbolsAt + SYMBOL * count, STUB);
  const stringsAt = stubsAt + STUB * addresses.length;
  const dynamicAt = align(stringsAt + strings.bytes.length, 8);
  const dynamic = [
    [DYNAMIC.SONAME, strings.offsets[0]!],
    [DYNAMIC.HASH, hashAt],
    [DYNAMIC.STRTAB, stringsAt],
    [DYNAMIC.SYMTAB, symbolsAt],
    [DYNAMIC.STRSZ, strings.bytes.length],
    [DYNAMIC.SYMENT, SYMBOL],
    [DYNAMIC.NULL, 0],
  ] as const;
  const dynamicSize = DYNAMIC_ENTRY * dynamic.length;

  const bytes = new Uint8Array(dynamicAt + dynamicSize);
  const view = new DataView(bytes.buffer);
  writeHeader(bytes, machine);
  writeProgramHeader(view, 0, SEGMENT.LOAD, ACCESS.READ_EXECUTE, 0, dynamicAt, 0);
  writeProgramHeader(view, 1, SEGMENT.LOAD, ACCESS.READ_WRITE, dynamicAt, dynamicSize, PAGE);
  writeProgramHeader(view, 2, SEGMENT.DYNAMIC, ACCESS.READ_WRITE, dynamicAt, dynamicSize, PAGE);
  writeProgramHeader(view, 3, SEGMENT.GNU_STACK, ACCESS.READ_WRITE, 0, 0, 0); // Without it, the stack would be executable.
  writeHash(view, hashAt, count);
  addresses.forEach((address, i) => {
    writeSymbol(view, symbolsAt + SYMBOL * (i + 1), strings.offsets[i + 1]!, stubsAt + STUB * i);
    writeStub(view, stubsAt + STUB * i, machine, address);
  });
  bytes.set(strings.bytes, stringsAt);
  dynamic.forEach(([tag, value], i) => writeWords(view, dynamicAt + DYNAMIC_ENTRY * i, [tag, value]));
  return bytes;
}

function writeHeader(bytes: Uint8Array<ArrayBuffer>, machine: StubMachine): void {
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]); // magic, 64 bits, little-endian, version
  view.setUint16(16, 3, true); // a shared object
  view.setUint16(18, MACHINES[machine].number, true);
  view.setUint32(20, 1, true); // version
  writeWords(view, 24, [0, HEADER, 0]); // entry, program headers, section headers
  view.setUint16(52, HEADER, true);
  view.setUint16(54, PROGRAM_HEADER, true);
  view.setUint16(56, 4, true); // the number of program headers
}

/** A segment is `distance` further in memory than in the file. */
function writeProgramHeader(
  view: DataView,
  index: number,
  type: number,
  access: number,
  offset: number,
  size: number,
  distance: number,
): void {
  const at = HEADER + PROGRAM_HEADER * index;
  view.setUint32(at, type, true);
  view.setUint32(at + 4, access, true);
  const address = offset + distance;
  writeWords(view, at + 8, [offset, address, address, size, size, type === SEGMENT.LOAD ? PAGE : 8]);
}

/** A hash table with one bucket, the chain of all symbols. */
function writeHash(view: DataView, at: number, count: number): void {
  const chain = Array.from({ length: count }, (_, i) => i === 0 || i === count - 1 ? 0 : i + 1);
  [1, count, count > 1 ? 1 : 0, ...chain].forEach((word, i) => view.setUint32(at + 4 * i, word, true));
}

function writeSymbol(view: DataView, at: number, name: number, stubAt: number): void {
  view.setUint32(at, name, true);
  view.setUint8(at + 4, GLOBAL_FUNCTION);
  view.setUint16(at + 6, 1, true); // any section but "undefined": there are none
  writeWords(view, at + 8, [stubAt, STUB]);
}

function writeStub(view: DataView, at: number, machine: StubMachine, address: bigint): void {
  for (const part of MACHINES[machine].code) {
    if (part === "address") view.setBigUint64(at, address, true);
    else view.setUint8(at, part);
    at += part === "address" ? 8 : 1;
  }
}

function writeWords(view: DataView, at: number, words: readonly number[]): void {
  words.forEach((word, i) => view.setBigUint64(at + 8 * i, BigInt(word), true));
}

/** Concatenates texts, each followed by a NUL; the first one is empty. */
function stringTable(texts: readonly string[]): { bytes: Uint8Array; offsets: number[] } {
  const offsets: number[] = [];
  let all = "\0";
  for (const text of texts) {
    offsets.push(all.length);
    all += `${text}\0`;
  }
  return { bytes: new TextEncoder().encode(all), offsets };
}

function align(offset: number, to: number): number {
  return Math.ceil(offset / to) * to;
}
