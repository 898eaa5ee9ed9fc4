/**
 * The core of the ONNX importer as a script for a page.
 *
 * @module
 */
import * as esbuild from "esbuild";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** Bundles the core as a script that defines a global `onnx` with the function `loadModel`. */
export async function bundleImporter(): Promise<string> {
  const { outputFiles } = await esbuild.build({
    stdin: { contents: 'export { loadModel } from "./src/onnx/load.ts";', resolveDir: ROOT, loader: "ts" },
    bundle: true,
    write: false,
    format: "iife",
    globalName: "onnx",
    target: "esnext",
  });
  await esbuild.stop();
  return outputFiles[0]!.text;
}
