/**
 * Checks a device with the models of bench:models, if the bundle has them: their results beside those of the CPU.
 *
 * @module
 */

import { createContext, type MLContext } from "@webnn/deno";
import { loadOnnx } from "@webnn/deno/onnx";
import { basename, join } from "node:path";
import { decodeInput, errorOf, toOutputFile } from "../bench/models/encoded.ts";
import type { Job, Output } from "../bench/models/engine.ts";
import { messageOf } from "../src/errors.ts";
import { deviceNamed } from "../support/devices.ts";
import { median } from "../support/statistics.ts";
import { hasTestData, testData } from "../support/test_data.ts";

/** The folder of the models in the test data. */
export const MODELS_FOLDER = "gallery";

/** A model on a device. */
export interface ModelResult {
  readonly name: string;
  /** The time of a run on the CPU and on the device, in milliseconds. */
  readonly cpuTime?: number;
  readonly time?: number;
  /** The largest difference from the CPU, relative to the largest magnitude in the output. */
  readonly error?: number;
  readonly problem?: string;
}

/** Runs all models on the CPU and on the device. There are none in a bundle without models. */
export async function checkModels(device: string, progress: (step: string) => void): Promise<ModelResult[]> {
  const folder = testData(MODELS_FOLDER);
  if (!hasTestData(MODELS_FOLDER)) return [];
  const jobs = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => name.endsWith(".json")).sort();
  const results: ModelResult[] = [];
  for (const job of jobs) {
    const name = basename(job, ".json");
    progress(name);
    try {
      results.push({ name, ...await compare(device, JSON.parse(await Deno.readTextFile(join(folder, job)))) });
    } catch (error) {
      results.push({ name, problem: messageOf(error) });
    }
  }
  return results;
}

async function compare(device: string, job: Job): Promise<Omit<ModelResult, "name">> {
  const cpu = await measure(await createContext({ accelerated: false }), job);
  const own = await measure(await createContext(deviceNamed(device).options), job);
  return { cpuTime: cpu.time, time: own.time, error: errorOf(toOutputFile(own.outputs), toOutputFile(cpu.outputs)) };
}

const RUNS = 5;

interface Measured {
  readonly time: number;
  readonly outputs: Readonly<Record<string, Output>>;
}

/** Runs a model a few times, and destroys the context. */
async function measure(context: MLContext, { file, dimensions, inputs }: Job): Promise<Measured> {
  try {
    using model = await loadOnnx(join(testData(MODELS_FOLDER), file), { context, dimensions });
    const decoded = inputs.map(decodeInput);
    const values = Object.fromEntries(decoded.map(({ name, data, shape }) => [name, { data, shape }]));
    let outputs = await model.run(values);
    const times: number[] = [];
    for (let i = 0; i < RUNS; i++) {
      const start = performance.now();
      outputs = await model.run(values);
      times.push(performance.now() - start);
    }
    return { time: median(times), outputs };
  } finally {
    context.destroy();
  }
}
