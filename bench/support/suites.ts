/**
 * The suites by name.
 *
 * @module
 */
import { seeds } from "../seeds/seeds.ts";
import { complex } from "./complex.ts";
import { mobileNetV2, whatIsMissing } from "./mobilenetv2.ts";
import { whatIsMissing as missingForDetector } from "./detector.ts";
import { largeSuites, operatorSuites } from "./operator_suites.ts";
import { optimizerSuites } from "./optimizers.ts";
import { simple } from "./simple.ts";
import { squeezeNet, whatIsMissing as missingForSqueezeNet } from "./squeezenet.ts";
import type { Suite } from "./suite.ts";
import { trivial } from "./trivial.ts";

/** A suite that is not loaded yet. */
export interface SuiteEntry {
  readonly name: string;
  readonly group: SuiteGroup;
  /** One line about what is missing to measure it; `undefined` if nothing is. */
  readonly missing: string | undefined;
  load(): Suite | Promise<Suite>;
}

/** The groups of suites. */
export type SuiteGroup = "networks" | "operators" | "optimizers" | "large" | "seeds";

/** The group for GPUs, measured only if requested. */
export const LARGE: SuiteGroup = "large";
/** The group for `bench:seeds`; other programs measure it only if requested. */
export const SEEDS: SuiteGroup = "seeds";

/** Networks from least to most work, then operators and optimisers. */
export const suites: readonly SuiteEntry[] = [
  ...ready("networks", [trivial, simple, complex]),
  { name: "squeezenet", group: "networks", missing: missingForSqueezeNet(), load: squeezeNet },
  { name: "mobilenetv2", group: "networks", missing: whatIsMissing(), load: () => mobileNetV2() },
  ...ready("operators", operatorSuites),
  ...ready("optimizers", optimizerSuites),
  ...ready(LARGE, largeSuites),
  largeMobileNetV2("mobilenetv2-32", { batch: 32 }),
  largeMobileNetV2("mobilenetv2-half", { dataType: "float16" }),
  largeMobileNetV2("mobilenetv2-32-half", { batch: 32, dataType: "float16" }),
  ...seeds.flatMap(({ suite, row, load }): SuiteEntry[] => {
    const missing = row.startsWith("detector")
      ? missingForDetector()
      : row.includes("MobileNetV2")
      ? whatIsMissing()
      : undefined;
    return load === undefined ? [] : [{ name: suite, group: SEEDS, missing, load }];
  }).filter(({ name }, i, all) => all.findIndex((other) => other.name === name) === i), // Two may share a suite.
];

function largeMobileNetV2(name: string, options: Parameters<typeof mobileNetV2>[1]): SuiteEntry {
  return { name, group: LARGE, missing: whatIsMissing(), load: () => mobileNetV2(name, options) };
}

function ready(group: SuiteGroup, suites: readonly Suite[]): SuiteEntry[] {
  return suites.map((suite) => ({ name: suite.name, group, missing: undefined, load: () => suite }));
}

/** Loads a suite. Throws if there is none with this name. */
export async function loadSuite(name: string): Promise<Suite> {
  const entry = suites.find((suite) => suite.name === name);
  if (entry === undefined) throw new Error(`unknown suite ${name}`);
  return await entry.load();
}
