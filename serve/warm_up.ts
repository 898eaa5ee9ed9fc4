/**
 * The graphs of batches, built before the first request: each size of a batch is a graph of its own.
 *
 * @module
 */

import { zeros } from "./data_types.ts";
import type { Port } from "./metadata.ts";
import { type Inputs, type Outputs, rowKey, stack } from "./rows.ts";

type Run = (inputs: Inputs) => Promise<Outputs>;

/** What to warm up. */
export interface WarmUpOptions {
  readonly inputs: readonly Port[];
  /** Runs the model: one for each instance. */
  readonly runs: readonly Run[];
  /** How many rows a batch may have. */
  readonly maxBatch: number;
  /** Whether requests like this one may share a run. */
  readonly mayShare: (sample: Inputs, run: Run) => Promise<boolean>;
}

/**
 * Finds out whether rows may share a run, and runs a batch of each size on each instance, so that their graphs are there.
 *
 * @returns whether rows of the shapes that requests have may share a run, by their key. Nothing if requests may have
 * several shapes, or if rows of zeros are no valid input: then the requests show it
 */
export async function warmUp({ inputs, runs, maxBatch, mayShare }: WarmUpOptions): Promise<Map<string, boolean>> {
  const sample = rowOfZeros(inputs);
  if (!sample) return new Map();
  try {
    const may = await mayShare(sample, runs[0]!);
    for (let rows = 1; may && rows <= maxBatch; rows *= 2) {
      const batch = stack(Array.from({ length: rows }, () => sample));
      for (const run of runs) await run(batch);
    }
    return new Map([[rowKey(sample), may]]);
  } catch {
    return new Map();
  }
}

/** Inputs of one row; `undefined` if another dimension than the first is free as well. */
function rowOfZeros(inputs: readonly Port[]): Inputs | undefined {
  const tensors = inputs.map(({ name, datatype, shape: [, ...rest] }) => {
    const count = rest.reduce((product, size) => product * size, 1);
    return [name, rest.includes(-1) ? undefined : { data: zeros(datatype, count), shape: [1, ...rest] }] as const;
  });
  return tensors.some(([, tensor]) => tensor === undefined) ? undefined : Object.fromEntries(tensors) as Inputs;
}
