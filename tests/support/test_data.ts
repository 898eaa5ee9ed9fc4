/**
 * Where tests find the weights, photos and reference results that are too large for the repository: in the folder that
 * the environment variable WEBNN_TEST_DATA names, by default `shared` beside the checkout. They may be missing; a test
 * that needs them says so through {@linkcode testWithData}.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

const folder = resolve(Deno.env.get("WEBNN_TEST_DATA") || fileURLToPath(new URL("../../../shared", import.meta.url)));

/** The absolute path of a file or folder of the test data, whether it exists or not. */
export function testData(relativePath: string): string {
  return resolve(folder, relativePath);
}

/** Whether a file or folder of the test data exists; without an argument, whether there is any. */
export function hasTestData(relativePath = "."): boolean {
  return existsSync(testData(relativePath));
}

/**
 * `Deno.test` for a test that needs `files` of the test data, paths relative to its folder. Where one is missing, the
 * test is ignored, and its name says why.
 */
export function testWithData(files: readonly string[], name: string, fn: Deno.TestDefinition["fn"]): void {
  const missing = files.filter((file) => !hasTestData(file));
  const reason = ` (skipped: no ${missing.join(", ")} in the test data; WEBNN_TEST_DATA names its folder)`;
  const ignore = missing.length > 0;
  Deno.test({ name: ignore ? name + reason : name, ignore, fn });
}
