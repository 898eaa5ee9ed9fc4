/**
 * Checks whether a file is a complete shared library for a system, by its ELF, Mach-O or PE tables. Every offset is
 * checked before it is followed, because the file may contain anything.
 *
 * @module
 */

import { LibraryError } from "./library_error.ts";

/** A file or a part of one, with random access. */
export interface BinaryFile {
  /** The path, for messages. */
  readonly path: string;
  /** The size in bytes. */
  readonly size: number;
  /** Reads `length` bytes at `offset`, both within the file. */
  read(offset: number, length: number): DataView;
}

/** A system, named as in `Deno.build`. */
export interface System {
  readonly os: string;
  readonly arch: string;
}

/**
 * Checks that `file` is a complete shared library for `system`.
 *
 * @throws {LibraryError} if it is not
 */
export function checkBinary(file: BinaryFile, system: System): void {
  if (file.size === 0) fail(file, "is empty; install it again");
  const format = formatOf(file);
  if (format === null) fail(file, "is not a shared library; name the library itself");
  const wanted = system.os === "darwin" ? "Mach-O" : system.os === "windows" ? "PE" : "ELF";
  if (format !== wanted) {
    fail(file, `is a library for another system (${format}); take the one for ${system.os} ${system.arch}`);
  }
  CHECKS[format](file, system.arch);
}

type Format = "ELF" | "Mach-O" | "PE";

const CHECKS: Record<Format, (file: BinaryFile, arch: string) => void> = {
  "ELF": checkElf,
  "Mach-O": checkMachO,
  "PE": checkPe,
};

const MH_MAGIC_64 = 0xfeedfacf;
const FAT_MAGIC = 0xcafebabe;
const FAT_MAGIC_64 = 0xcafebabf;

function formatOf(file: BinaryFile): Format | null {
  if (file.size < 4) return null;
  const magic = file.read(0, 4).getUint32(0);
  if (magic === 0x7f454c46) return "ELF";
  if (magic >>> 16 === 0x4d5a) return "PE";
  const machO = magic === FAT_MAGIC || magic === FAT_MAGIC_64 || file.read(0, 4).getUint32(0, true) === MH_MAGIC_64;
  return machO ? "Mach-O" : null;
}

// ELF: System V ABI, chapters 4 (object files) and 5 (program loading)

const ELF_MACHINES: Architectures = { 62: "x86_64", 183: "aarch64" };
const ET_DYN = 3;
const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const SHT_NOBITS = 8;

function checkElf(file: BinaryFile, arch: string): void {
  const header = readPart(file, 0, 64, "header");
  const is64BitLittleEndian = header.getUint8(4) === 2 && header.getUint8(5) === 1;
  checkArchitecture(file, is64BitLittleEndian ? ELF_MACHINES[header.getUint16(18, true)] : undefined, arch);
  if (header.getUint16(16, true) !== ET_DYN) {
    fail(file, "is an ELF file but not a shared library; name the library");
  }
  const types = checkElfSegments(file, header);
  if (!types.has(PT_LOAD) || !types.has(PT_DYNAMIC)) damaged(file, "no segment to load");
  checkElfSections(file, header);
}

/** Checks the segments. Returns the types that occur. */
function checkElfSegments(file: BinaryFile, header: DataView): Set<number> {
  const count = header.getUint16(56, true);
  if (header.getUint16(54, true) !== 56) damaged(file, "the size of a segment header");
  const table = readPart(file, header.getBigUint64(32, true), 56 * count, "segment table");
  const types = new Set<number>();
  for (let at = 0; at < table.byteLength; at += 56) {
    types.add(table.getUint32(at, true));
    checkPart(file, table.getBigUint64(at + 8, true), table.getBigUint64(at + 32, true), `segment ${at / 56}`);
  }
  return types;
}

/** Checks the sections. Their table is at the end of the file, so this detects any truncation. */
function checkElfSections(file: BinaryFile, header: DataView): void {
  const count = header.getUint16(60, true);
  if (count === 0) return;
  if (header.getUint16(58, true) !== 64) damaged(file, "the size of a section header");
  const table = readPart(file, header.getBigUint64(40, true), 64 * count, "section table");
  for (let at = 0; at < table.byteLength; at += 64) {
    if (table.getUint32(at + 4, true) === SHT_NOBITS) continue;
    checkPart(file, table.getBigUint64(at + 24, true), table.getBigUint64(at + 32, true), `section ${at / 64}`);
  }
}

// Mach-O: <mach-o/loader.h> and <mach-o/fat.h>

const CPU_TYPES: Architectures = { 0x01000007: "x86_64", 0x0100000c: "aarch64" };
const MH_DYLIB = 6;
const MH_BUNDLE = 8;
const LC_SEGMENT_64 = 0x19;
const LC_CODE_SIGNATURE = 0x1d;

function checkMachO(file: BinaryFile, arch: string): void {
  const magic = file.read(0, 4).getUint32(0);
  if (magic === FAT_MAGIC || magic === FAT_MAGIC_64) {
    checkThinMachO(fatSlice(file, magic === FAT_MAGIC_64, arch), arch);
  } else {
    checkThinMachO(file, arch);
  }
}

/** The slice of a fat file for `arch`. All slices must be within the file. */
function fatSlice(file: BinaryFile, is64Bit: boolean, arch: string): BinaryFile {
  const count = readPart(file, 0, 8, "header").getUint32(4);
  // Java class files have the same magic number. There, the next field is the version, 45 or more.
  if (count === 0 || count > 40) fail(file, "is not a shared library; name the library itself");
  const entry = is64Bit ? 32 : 20;
  const table = readPart(file, 8, entry * count, "table of architectures");
  let slice: BinaryFile | undefined;
  for (let at = 0; at < table.byteLength; at += entry) {
    const offset = is64Bit ? table.getBigUint64(at + 8) : BigInt(table.getUint32(at + 8));
    const size = is64Bit ? table.getBigUint64(at + 16) : BigInt(table.getUint32(at + 12));
    checkPart(file, offset, size, `part ${at / entry}`);
    if (CPU_TYPES[table.getUint32(at)] === arch) slice ??= part(file, Number(offset), Number(size));
  }
  return slice ?? wrongArchitecture(file, "other architectures", arch);
}

function checkThinMachO(file: BinaryFile, arch: string): void {
  const header = readPart(file, 0, 32, "header");
  if (header.getUint32(0, true) !== MH_MAGIC_64) damaged(file, "the magic number");
  checkArchitecture(file, CPU_TYPES[header.getUint32(4, true)], arch);
  const type = header.getUint32(12, true);
  if (type !== MH_DYLIB && type !== MH_BUNDLE) {
    fail(file, "is a Mach-O file but not a shared library; name the library");
  }
  const commands = readPart(file, 32, header.getUint32(20, true), "load commands");
  let at = 0;
  for (let left = header.getUint32(16, true); left > 0; left--) {
    at += checkLoadCommand(file, commands, at);
  }
}

/** Checks the load command at `at`. Returns its size. */
function checkLoadCommand(file: BinaryFile, commands: DataView, at: number): number {
  const room = commands.byteLength - at;
  const size = room < 8 ? 0 : commands.getUint32(at + 4, true);
  const command = room < 8 ? 0 : commands.getUint32(at, true);
  const least = command === LC_SEGMENT_64 ? 72 : command === LC_CODE_SIGNATURE ? 16 : 8;
  if (size < least || size > room) damaged(file, "a load command");
  if (command === LC_SEGMENT_64) {
    checkPart(file, commands.getBigUint64(at + 40, true), commands.getBigUint64(at + 48, true), "a segment");
  } else if (command === LC_CODE_SIGNATURE) {
    checkPart(file, commands.getUint32(at + 8, true), commands.getUint32(at + 12, true), "the code signature");
  }
  return size;
}

// PE: the "PE Format" page of the Windows documentation

const PE_MACHINES: Architectures = { 0x8664: "x86_64", 0xaa64: "aarch64" };
const IMAGE_FILE_DLL = 0x2000;
const PE32_PLUS = 0x20b;

function checkPe(file: BinaryFile, arch: string): void {
  const at = readPart(file, 0, 64, "DOS header").getUint32(60, true);
  const header = readPart(file, at, 24, "PE header");
  if (header.getUint32(0) !== 0x50450000) fail(file, "is not a shared library; name the library itself");
  checkArchitecture(file, PE_MACHINES[header.getUint16(4, true)], arch);
  if ((header.getUint16(22, true) & IMAGE_FILE_DLL) === 0) {
    fail(file, "is a PE file but not a shared library; name the library");
  }
  const optionalSize = header.getUint16(20, true);
  const optional = readPart(file, at + 24, optionalSize, "optional header");
  if (optionalSize < 112 || optional.getUint16(0, true) !== PE32_PLUS) damaged(file, "the optional header");
  checkPart(file, 0, optional.getUint32(60, true), "the headers");
  checkPeCertificates(file, optional);
  const sections = readPart(file, at + 24 + optionalSize, 40 * header.getUint16(6, true), "section table");
  for (let i = 0; i < sections.byteLength; i += 40) {
    checkPart(file, sections.getUint32(i + 20, true), sections.getUint32(i + 16, true), `section ${i / 40}`);
  }
}

/** The signatures are at the end of the file: entry 4 of the data directories, the only one with a file offset. */
function checkPeCertificates(file: BinaryFile, optional: DataView): void {
  if (optional.getUint32(108, true) <= 4 || optional.byteLength < 152) return;
  checkPart(file, optional.getUint32(144, true), optional.getUint32(148, true), "the signature");
}

// Parts of files

type Architectures = Record<number, string>;

function part(file: BinaryFile, offset: number, size: number): BinaryFile {
  return { path: file.path, size, read: (at, length) => file.read(offset + at, length) };
}

function readPart(file: BinaryFile, offset: number | bigint, length: number, what: string): DataView {
  checkPart(file, offset, length, `the ${what}`);
  return file.read(Number(offset), length);
}

function checkPart(file: BinaryFile, offset: number | bigint, length: number | bigint, what: string): void {
  const size = BigInt(file.size);
  if (BigInt(length) > size || BigInt(offset) > size - BigInt(length)) {
    fail(file, `is truncated or damaged (${what} lies outside its ${size} bytes); install it again`);
  }
}

function checkArchitecture(file: BinaryFile, found: string | undefined, wanted: string): void {
  if (found !== wanted) wrongArchitecture(file, found ?? "another architecture", wanted);
}

function wrongArchitecture(file: BinaryFile, found: string, wanted: string): never {
  fail(file, `is for ${found}; take the one for ${wanted}`);
}

function damaged(file: BinaryFile, what: string): never {
  fail(file, `is damaged (${what}); install it again`);
}

function fail(file: BinaryFile, sentence: string): never {
  throw new LibraryError(`${file.path} ${sentence}`);
}
