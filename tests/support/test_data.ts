/**
 * Tests that need weights, photos or reference results that are too large for the repository.
 *
 * @module
 */
import { hasTestData } from "../../support/test_data.ts";

export { hasTestData, testData } from "../../support/test_data.ts";

/**
 * `Deno.test` for a test that needs `files` of the test data (paths relative to its folder). If one is missing, the
 * test is ignored, with the reason in its name.
 */
export function testWithData(files: readonly string[], name: string, fn: Deno.TestDefinition["fn"]): void {
  const missing = files.filter((file) => !hasTestData(file));
  const reason = ` (skipped: no ${
    missing.join(", ")
  } in the test data; deno task data downloads it, WEBNN_TEST_DATA names its folder)`;
  const ignore = missing.length > 0;
  Deno.test({ name: ignore ? name + reason : name, ignore, fn });
}
