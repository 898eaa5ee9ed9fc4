/**
 * Identifies the features of the processor.
 *
 * @module
 */

import { kernelFileReader } from "./kernel_file.ts";
import { cString } from "./memory.ts";
import { libc, systemFunctions } from "./system.ts";

/**
 * A text that is the same on processors with the same instructions, and mostly differs on others. Code compiled for
 * this processor runs on all with the same text.
 */
export function cpuFeatures(): string {
  const find = FEATURES[Deno.build.os];
  return `${Deno.build.os} ${Deno.build.arch} ${find ? find() : ""}`;
}

const FEATURES: Partial<Record<typeof Deno.build.os, () => string>> = {
  linux: linuxFeatures,
  darwin: macosFeatures,
  windows: windowsFeatures,
};

/** The features of the first core; all cores of a machine have the same. */
function linuxFeatures(): string {
  const text = kernelFileReader()("/proc/cpuinfo") ?? "";
  return /^(?:flags|Features)\s*: (.*)$/m.exec(text)?.[1] ?? "";
}

const MACOS = {
  // name, oldp, oldlenp, newp, newlen
  sysctlbyname: { parameters: ["buffer", "buffer", "buffer", "pointer", "usize"], result: "i32" },
} as const;

/** The model: "Apple M4 Pro". */
function macosFeatures(): string {
  const text = new Uint8Array(256);
  const length = BigUint64Array.of(BigInt(text.byteLength));
  libc(MACOS).sysctlbyname(cString("machdep.cpu.brand_string"), text, length, null, 0n);
  return new TextDecoder().decode(text.subarray(0, text.indexOf(0)));
}

const WINDOWS = {
  IsProcessorFeaturePresent: { parameters: ["u32"], result: "i32" }, // ProcessorFeature
} as const;

/** One digit for each feature number of Windows, and for some numbers not used yet. */
function windowsFeatures(): string {
  const { IsProcessorFeaturePresent } = systemFunctions("kernel32.dll", WINDOWS);
  return Array.from({ length: 96 }, (_, feature) => IsProcessorFeaturePresent(feature) === 0 ? 0 : 1).join("");
}
