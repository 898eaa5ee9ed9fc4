/**
 * What coremltools has loaded: coremltools_result.json, which `deno task verify:coremltools` writes. A program always has
 * the same bytes, so that their hash tells whether it was this very one.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { LowerOptions } from "../../src/backends/coreml/lower.ts";
import json from "./coremltools_result.json" with { type: "json" };
import { digestOfAll } from "./files.ts";

/** What is found of a set of programs. */
export interface SetResult {
  readonly set: string;
  /** The hash of all its packages. */
  readonly digest: string;
  readonly programs: number;
  readonly loaded: number;
  /** Why, by the name of the program. */
  readonly refused: Readonly<Record<string, string>>;
  readonly numbers: {
    readonly equal: number;
    /** NumPy implementations are missing for some operations, conv among them. */
    readonly notComputed: number;
    readonly notGiven: number;
    /** How many differ for a known reason. */
    readonly expected: Readonly<Record<string, number>>;
    readonly different: Readonly<Record<string, string>>;
  };
}

/** What is found of all programs. */
export interface Result {
  readonly coremltools: string;
  readonly numpy: string;
  readonly sets: readonly SetResult[];
  /** Programs that are wrong, by their names. */
  readonly wrong: { readonly programs: number; readonly refused: readonly string[]; readonly taken: readonly string[] };
}

/** What was found when the task was last run. */
export const RESULT = json as unknown as Result;

/** The ways in which graphs are lowered, by the names that the result has for them. */
export const LOWERINGS: Readonly<Record<string, LowerOptions>> = {
  "specification version 8": { specificationVersion: 8, float16: false },
  "specification version 9": { specificationVersion: 9, float16: false },
  "specification version 8, computed in float16": { specificationVersion: 8, float16: true },
};

/** Asserts that coremltools has loaded these programs, by the hashes of their packages, and all of them. */
export function assertLoaded(set: string, digests: readonly string[]): void {
  const recorded = RESULT.sets.find((recorded) => recorded.set === set);
  assertEquals(
    { loaded: digests.length, digest: digestOfAll(digests) },
    { loaded: recorded?.loaded, digest: recorded?.digest },
    `coremltools has loaded other programs of the ${set}: \`deno task verify:coremltools\` loads these`,
  );
}
