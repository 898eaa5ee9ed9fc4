/**
 * Folders for packages, in memory and on disk.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { encodeProgram } from "../../src/backends/coreml/encoder.ts";
import type { MilProgram } from "../../src/backends/coreml/mil.ts";
import { type PackageFile, type PackageFolder, writePackage } from "../../src/backends/coreml/package.ts";
import { type ByteSink, type WeightFile, weightParts } from "../../src/backends/coreml/weights.ts";

/** The two files of an encoded program. */
export interface ProgramFiles {
  readonly model: Uint8Array;
  readonly weights: Uint8Array;
}

/** Encodes `program` in memory. */
export function encodeFiles(program: MilProgram): ProgramFiles {
  const { model, weights } = encodeProgram(program);
  return { model, weights: weightBytes(weights) };
}

function weightBytes(file: WeightFile): Uint8Array {
  const sink = new MemorySink();
  for (const part of weightParts(file)) sink.write(part);
  return sink.bytes;
}

/** Keeps a copy of the bytes that it gets. */
export class MemorySink implements ByteSink {
  readonly #parts: Uint8Array<ArrayBuffer>[] = [];

  /** All bytes so far. */
  get bytes(): Uint8Array {
    const bytes = new Uint8Array(this.#parts.reduce((sum, { length }) => sum + length, 0));
    let offset = 0;
    for (const part of this.#parts) {
      bytes.set(part, offset);
      offset += part.length;
    }
    return bytes;
  }

  write(bytes: Uint8Array): void {
    this.#parts.push(bytes.slice());
  }
}

/** The files of a package, by path. */
export type PackageFiles = ReadonlyMap<string, Uint8Array>;

/** Writes the package of a program in memory. */
export async function packageFiles(program: MilProgram): Promise<PackageFiles> {
  const sinks = new Map<string, MemorySink>();
  await writePackage(encodeProgram(program), {
    create(path) {
      const sink = new MemorySink();
      sinks.set(path, sink);
      return { write: (bytes) => sink.write(bytes), close() {} };
    },
  });
  return new Map([...sinks].map(([path, { bytes }]) => [path, bytes]));
}

/** Finds the two files of a program by the manifest of its package. `read` reads a file of the package. */
export function readPackage(read: (path: string) => Uint8Array): ProgramFiles {
  const manifest = JSON.parse(new TextDecoder().decode(read("Manifest.json")));
  const { path } = manifest.itemInfoEntries[manifest.rootModelIdentifier];
  return { model: read(`Data/${path}`), weights: read(`Data/${dirname(path)}/weights/weight.bin`) };
}

/** A hash of all files of a package. */
export function packageDigest(files: PackageFiles): string {
  const hash = createHash("sha256");
  for (const path of [...files.keys()].sort()) hash.update(`${path}\n`).update(files.get(path)!);
  return hash.digest("hex");
}

/** A hash of several packages, from their hashes, independent of their order. */
export function digestOfAll(digests: readonly string[]): string {
  return createHash("sha256").update(digests.toSorted().join("\n")).digest("hex");
}

/** Writes the package of a program to a folder on disk, which need not exist. */
export async function savePackage(program: MilProgram, path: string): Promise<void> {
  await writePackage(encodeProgram(program), diskFolder(path));
}

function diskFolder(path: string): PackageFolder {
  return {
    async create(name): Promise<PackageFile> {
      await Deno.mkdir(dirname(join(path, name)), { recursive: true });
      const file = await Deno.open(join(path, name), { write: true, create: true, truncate: true });
      return {
        async write(bytes) {
          for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
        },
        close: () => file.close(),
      };
    },
  };
}
