/**
 * The package of a model (`.mlpackage`): a folder with a manifest, the model file and the file of weights, named as
 * Apple's exporter does.
 *
 * @module
 */
import type { EncodedProgram } from "./encoder.ts";
import { type ByteSink, weightParts } from "./weights.ts";

/** A file that is being written. */
export interface PackageFile extends ByteSink {
  /** Closes the file. Also called after a failure. */
  close(): void | Promise<void>;
}

/** A folder to write a package to. */
export interface PackageFolder {
  /** Creates the file at `path` (separated by `/`), and the folders above it. */
  create(path: string): PackageFile | Promise<PackageFile>;
}

const AUTHOR = "com.apple.CoreML";
const MODEL_PATH = `${AUTHOR}/model.mlmodel`;
const WEIGHTS_PATH = `${AUTHOR}/weights`;
/** The UUIDs of the manifest's items. They must differ only within a package, so all packages use the same. */
const MODEL_ID = "7D4F4C7C-3B0E-4C55-9C37-2A5B8E0F6A11";
const WEIGHTS_ID = "E1A9B8D2-6F43-4B1D-8A5E-90C4D7F3B622";

const MANIFEST = {
  fileFormatVersion: "1.0.0",
  itemInfoEntries: {
    [MODEL_ID]: item("CoreML Model Specification", "model.mlmodel", MODEL_PATH),
    [WEIGHTS_ID]: item("CoreML Model Weights", "weights", WEIGHTS_PATH),
  },
  rootModelIdentifier: MODEL_ID,
};

/** The files of the package of `program` by path, each as parts that follow one another. */
export function packageFiles(program: EncodedProgram): ReadonlyMap<string, Iterable<Uint8Array>> {
  return new Map<string, Iterable<Uint8Array>>([
    ["Manifest.json", [new TextEncoder().encode(`${JSON.stringify(MANIFEST, null, 2)}\n`)]],
    [`Data/${MODEL_PATH}`, [program.model]],
    [`Data/${WEIGHTS_PATH}/weight.bin`, weightParts(program.weights)],
  ]);
}

/** Writes the package of `program` into `folder`, one file after the other. */
export async function writePackage(program: EncodedProgram, folder: PackageFolder): Promise<void> {
  for (const [path, parts] of packageFiles(program)) {
    const file = await folder.create(path);
    try {
      for (const part of parts) await file.write(part);
    } finally {
      await file.close();
    }
  }
}

function item(description: string, name: string, path: string) {
  return { author: AUTHOR, description, name, path };
}
