/**
 * The checks of a device. Each step runs in a process of its own, so that a driver that crashes it does not affect the
 * others.
 *
 * @module
 */

import { contextInfo, createContext, type DeviceEntry, devices } from "@webnn/deno";
import { messageOf } from "../src/errors.ts";
import { deviceNamed } from "../support/devices.ts";
import { networks } from "../tests/support/networks.ts";
import { exceptionsOf } from "../tests/wpt_cases/exceptions.ts";
import { runCases } from "../tests/wpt_cases/main.ts";
import { failureLines, summarize } from "../tests/wpt_cases/report.ts";
import { median } from "../support/statistics.ts";
import { checkModels, type ModelResult } from "./models.ts";

export type { ModelResult };

/** Reports the progress. */
export type Progress = (step: string) => void;

/** WPT's numeric cases. */
export interface CasesResult {
  readonly passed: number;
  readonly failed: number;
  readonly unsupported: number;
  /** One line per failed case. */
  readonly failures: readonly string[];
}

/** A network, compared with its reference. */
export interface NetworkResult {
  readonly name: string;
  /** The largest difference of a logit; absent if the network failed. */
  readonly maxError?: number;
  readonly problem?: string;
}

/** How long it takes to write and read tensors, in seconds. */
export interface CopyResult {
  readonly bytes: number;
  readonly write: number;
  readonly read: number;
}

/** Facts about an opened context. */
export interface ContextResult {
  readonly version: string;
  readonly accelerated: boolean;
  readonly float16: boolean;
}

/** The steps. The first one is about the machine, the others about a device. */
export interface Results {
  devices: readonly DeviceEntry[];
  context: ContextResult;
  cases: CasesResult;
  networks: readonly NetworkResult[];
  models: readonly ModelResult[];
  copies: readonly CopyResult[];
}

type Step<Name extends keyof Results> = (device: string, filter: string | undefined, progress: Progress) => Promise<
  Results[Name]
>;

/** Runs the steps. */
export const STEPS: { readonly [Name in keyof Results]: Step<Name> } = {
  devices: () => devices(),
  context: openContext,
  cases: checkCases,
  networks: checkNetworks,
  models: (device, _filter, progress) => checkModels(device, progress),
  copies: measureCopies,
};

async function openContext(device: string): Promise<ContextResult> {
  const context = await createContext(deviceNamed(device).options);
  try {
    const float16 = context.opSupportLimits().input.dataTypes.includes("float16");
    return { version: contextInfo(context).version, accelerated: context.accelerated, float16 };
  } finally {
    context.destroy();
  }
}

async function checkCases(device: string, filter: string | undefined, progress: Progress): Promise<CasesResult> {
  const exceptions = exceptionsOf(device);
  const results = await runCases(
    filter,
    deviceNamed(device).options,
    (done, all) => progress(`case ${done + 1} of ${all}`),
  );
  const failed = results.filter(({ outcome }) => outcome === "failed");
  return { ...counts(summarize(results, exceptions, false)), failures: failureLines(failed, exceptions) };
}

function counts({ failed, passed, unsupported }: CasesResult | ReturnType<typeof summarize>) {
  return { failed, passed, unsupported };
}

async function checkNetworks(device: string, _filter: unknown, progress: Progress): Promise<NetworkResult[]> {
  const results: NetworkResult[] = [];
  for (const { check, name } of networks) {
    progress(name);
    try {
      results.push({ name, maxError: await check(deviceNamed(device).options, "nchw") });
    } catch (error) {
      results.push({ name, problem: messageOf(error) });
    }
  }
  return results;
}

const COPIES = 5;

async function measureCopies(device: string, _filter: unknown, progress: Progress): Promise<CopyResult[]> {
  const context = await createContext(deviceNamed(device).options);
  const results: CopyResult[] = [];
  for (const bytes of [4, 2 ** 16, 2 ** 20, 2 ** 24, 2 ** 26]) {
    progress(`copies of ${bytes} bytes`);
    const values = new Uint8Array(bytes).map((_, i) => i);
    const out = new Uint8Array(bytes);
    const tensor = await context.createTensor({ dataType: "uint8", shape: [bytes], readable: true, writable: true });
    const [write, read]: [number[], number[]] = [[], []];
    for (let round = 0; round <= COPIES; round++) {
      // Writes are queued; a read after them waits until they are done.
      const began = performance.now();
      context.writeTensor(tensor, values);
      await context.readTensor(tensor, out);
      const between = performance.now();
      await context.readTensor(tensor, out);
      const reading = performance.now() - between;
      if (round === 0) continue;
      read.push(reading / 1000);
      write.push(Math.max(0, between - began - reading) / 1000);
    }
    if (out.some((value, i) => value !== values[i])) throw new Error(`${bytes} bytes were read back with other values`);
    tensor.destroy();
    results.push({ bytes, write: median(write), read: median(read) });
  }
  context.destroy();
  return results;
}
