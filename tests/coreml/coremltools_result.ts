/**
 * The result of `deno task verify:coremltools`: coremltools_result.json says which programs coremltools has loaded. A
 * program always has the same bytes, so its hash identifies it.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { LowerOptions } from "../../src/backends/coreml/lower.ts";
import json from "./coremltools_result.json" with { type: "json" };
import { digestOfAll } from "./files.ts";

/** The findings about a set of programs. */
export interface SetResult {
  readonly set: string;
  /** The hash of all packages. */
  readonly digest: string;
  readonly programs: number;
  readonly loaded: number;
  /** Why coremltools rejected programs, by name of the program. */
  readonly rejected: Readonly<Record<string, string>>;
  readonly numbers: {
    readonly equal: number;
    /** NumPy implementations are missing for some operations, such as conv. */
    readonly notComputed: number;
    readonly notGiven: number;
    /** How many differ for a known reason. */
    readonly expected: Readonly<Record<string, number>>;
    readonly different: Readonly<Record<string, string>>;
  };
}

/** The findings about all programs. */
export interface Result {
  readonly coremltools: string;
  readonly numpy: string;
  readonly sets: readonly SetResult[];
  /** The wrong programs, by name. */
  readonly wrong: {
    readonly programs: number;
    readonly rejected: readonly string[];
    readonly accepted: readonly string[];
  };
}

/** The findings of the last run of the task. */
export const RESULT = json as unknown as Result;

/** The lowering options, by their names in the result. */
export const LOWERINGS: Readonly<Record<string, LowerOptions>> = {
  "specification version 8": { specificationVersion: 8, float16: false },
  "specification version 9": { specificationVersion: 9, float16: false },
  "specification version 8, computed in float16": { specificationVersion: 8, float16: true },
};

/** Asserts that coremltools has loaded exactly these programs, by the hashes of their packages. */
export function assertLoaded(set: string, digests: readonly string[]): void {
  const recorded = RESULT.sets.find((recorded) => recorded.set === set);
  assertEquals(
    { loaded: digests.length, digest: digestOfAll(digests) },
    { loaded: recorded?.loaded, digest: recorded?.digest },
    `coremltools has not loaded the current programs of the set "${set}": run \`deno task verify:coremltools\``,
  );
}
