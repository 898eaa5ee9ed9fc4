/**
 * Test data that is too large for the repository: weights, photos and reference results. It is in the folder that the
 * environment variable WEBNN_TEST_DATA names, by default `shared` next to the checkout, and may be missing.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

const folder = resolve(Deno.env.get("WEBNN_TEST_DATA") || fileURLToPath(new URL("../../shared", import.meta.url)));

/** The absolute path of a file or folder of the test data, which may not exist. */
export function testData(relativePath: string): string {
  return resolve(folder, relativePath);
}

/** Whether a file or folder of the test data exists. Without an argument, whether there is any test data. */
export function hasTestData(relativePath = "."): boolean {
  return existsSync(testData(relativePath));
}
