/**
 * The suites by name.
 *
 * @module
 */
import { complex } from "./complex.ts";
import { mobileNetV2, whatIsMissing } from "./mobilenetv2.ts";
import { simple } from "./simple.ts";
import type { Suite } from "./suite.ts";
import { trivial } from "./trivial.ts";

/** A suite that has not been loaded. */
export interface SuiteEntry {
  readonly name: string;
  /** What it cannot be measured without, as one line; `undefined` where everything is there. */
  readonly missing: string | undefined;
  load(): Suite | Promise<Suite>;
}

/** From the least work to the most. */
export const suites: readonly SuiteEntry[] = [
  { name: "trivial", missing: undefined, load: () => trivial },
  { name: "simple", missing: undefined, load: () => simple },
  { name: "complex", missing: undefined, load: () => complex },
  { name: "mobilenetv2", missing: whatIsMissing(), load: mobileNetV2 },
];

/** Loads a suite. Throws if there is none of that name. */
export async function loadSuite(name: string): Promise<Suite> {
  const entry = suites.find((suite) => suite.name === name);
  if (entry === undefined) throw new Error(`there is no suite ${name}`);
  return await entry.load();
}
