/**
 * Folders that packages are written to, in memory and on disk.
 *
 * @module
 */
import { dirname, join } from "node:path";
import { encodeProgram } from "../../src/backends/coreml/encoder.ts";
import type { MilProgram } from "../../src/backends/coreml/mil.ts";
import { type PackageFile, type PackageFolder, writePackage } from "../../src/backends/coreml/package.ts";
import { type ByteSink, type WeightFile, writeWeights } from "../../src/backends/coreml/weights.ts";

/** The two files of an encoded program. */
export interface ProgramFiles {
  readonly model: Uint8Array;
  readonly weights: Uint8Array;
}

/** Encodes `program` in memory. */
export async function encodeFiles(program: MilProgram): Promise<ProgramFiles> {
  const { model, weights } = encodeProgram(program);
  return { model, weights: await weightBytes(weights) };
}

async function weightBytes(file: WeightFile): Promise<Uint8Array> {
  const sink = new MemorySink();
  await writeWeights(file, sink);
  return sink.bytes;
}

/** Takes bytes and keeps a copy of them. */
export class MemorySink implements ByteSink {
  readonly #parts: Uint8Array<ArrayBuffer>[] = [];

  /** Everything that was written. */
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

/** Writes the package of `program` to a folder on disk, which need not exist. */
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
