/**
 * Registers tests that need a device. If it is missing, the test is ignored, with the reason in its name.
 *
 * @module
 */
import type { TestDevice } from "../../support/devices.ts";
import { testWithData } from "./test_data.ts";

export * from "../../support/devices.ts";

/** `Deno.test` for a test that needs a device, and optionally files of the test data. */
export function testOn(
  { name, missing }: TestDevice,
  title: string,
  fn: Deno.TestDefinition["fn"],
  files: readonly string[] = [],
): void {
  if (missing === undefined) testWithData(files, `${name}: ${title}`, fn);
  else Deno.test({ name: `${name}: ${title} (skipped: ${missing})`, ignore: true, fn });
}
