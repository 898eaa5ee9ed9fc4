/**
 * Checks exported models with onnx.checker and runs them in PyPI's onnxruntime.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { runCommand } from "../../support/python.ts";

/** The PyPI packages that run_models.py needs. */
export const PACKAGES = ["onnx==1.18.0", "onnxruntime==1.30.0"];

/** A job of run_models.py. */
export interface ExportedModel {
  /** The path of the model. */
  readonly model: string;
  /** The path of a model that must compute the same, and is run too. */
  readonly reference?: string;
  readonly inputs: readonly ExportedInput[];
  /** Whether the model is only checked and not run. */
  readonly isChecked: boolean;
}

/** An input; its bytes are encoded in base64. */
export interface ExportedInput {
  readonly name: string;
  readonly dataType: string;
  readonly shape: readonly number[];
  readonly bytes: string;
}

/** The result of a model: an error, or the names of the outputs and their bytes in base64. */
export interface Finding {
  readonly error?: string;
  readonly names?: readonly string[];
  readonly outputs?: Readonly<Record<string, string>>;
  /** The outputs of the reference. */
  readonly expected?: Readonly<Record<string, string>>;
}

/** The results, in the order of the models, and the versions of the packages. */
export interface Findings {
  readonly onnx: string;
  readonly onnxruntime: string;
  readonly results: readonly Finding[];
}

/** Checks and runs the models that `write` creates in a temporary folder. */
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
