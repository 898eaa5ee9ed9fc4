/**
 * Exported models, for onnx.checker and PyPI's onnxruntime.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { runCommand } from "../../support/python.ts";

/** The packages of PyPI that run_models.py needs. */
export const PACKAGES = ["onnx==1.18.0", "onnxruntime==1.30.0"];

/** What run_models.py is told of a model. */
export interface ExportedModel {
  /** Its file. */
  readonly model: string;
  /** A model that computes the same, to run beside it. */
  readonly reference?: string;
  readonly inputs: readonly ExportedInput[];
  /** Whether it is only checked and not run. */
  readonly isChecked: boolean;
}

/** An input, its bytes in base64. */
export interface ExportedInput {
  readonly name: string;
  readonly dataType: string;
  readonly shape: readonly number[];
  readonly bytes: string;
}

/** What it finds of a model: an error, or names and the bytes of the outputs in base64. */
export interface Finding {
  readonly error?: string;
  readonly names?: readonly string[];
  readonly outputs?: Readonly<Record<string, string>>;
  /** Of the reference. */
  readonly expected?: Readonly<Record<string, string>>;
}

/** What it finds, in the order of the models. */
export interface Findings {
  readonly onnx: string;
  readonly onnxruntime: string;
  readonly results: readonly Finding[];
}

/** Has models checked and run that `write` puts into a folder, which is removed again. */
export async function runModels(
  python: string,
  write: (folder: string) => Promise<readonly ExportedModel[]>,
): Promise<Findings> {
  const folder = await Deno.makeTempDir({ prefix: "webnn-export-" });
  try {
    await Deno.writeTextFile(`${folder}/models.json`, JSON.stringify(await write(folder)));
    await runCommand(python, [fileURLToPath(new URL("run_models.py", import.meta.url)), folder]);
    return JSON.parse(await Deno.readTextFile(`${folder}/results.json`));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
