/**
 * Where tests and benches find the weights, photos and reference results that are too large for the repository: in the folder that
 * the environment variable WEBNN_TEST_DATA names, by default `shared` beside the checkout. They may be missing.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

const folder = resolve(Deno.env.get("WEBNN_TEST_DATA") || fileURLToPath(new URL("../../shared", import.meta.url)));

/** The absolute path of a file or folder of the test data, whether it exists or not. */
export function testData(relativePath: string): string {
  return resolve(folder, relativePath);
}

/** Whether a file or folder of the test data exists; without an argument, whether there is any. */
export function hasTestData(relativePath = "."): boolean {
  return existsSync(testData(relativePath));
}
