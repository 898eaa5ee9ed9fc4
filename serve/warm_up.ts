/**
 * Builds the graphs for all batch sizes before the first request. Each batch size needs its own graph.
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
  /** The functions that run the model, one per instance. */
  readonly runs: readonly Run[];
  /** The maximum number of rows in a batch. */
  readonly maxBatch: number;
  /** Finds out whether requests like this one may share a run. */
  readonly mayShare: (sample: Inputs, run: Run) => Promise<boolean>;
}

/**
 * Finds out whether rows may share a run, and runs a batch of each size on each instance, to build their graphs.
 *
 * @returns whether rows may share a run, by the key of their shapes. Empty if requests may have several shapes, or if
 * rows of zeros are not a valid input; then the first requests determine it
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

/** Inputs with one row of zeros; `undefined` if a dimension other than the first is free too. */
function rowOfZeros(inputs: readonly Port[]): Inputs | undefined {
  const tensors = inputs.map(({ name, datatype, shape: [, ...rest] }) => {
    const count = rest.reduce((product, size) => product * size, 1);
    return [name, rest.includes(-1) ? undefined : { data: zeros(datatype, count), shape: [1, ...rest] }] as const;
  });
  return tensors.some(([, tensor]) => tensor === undefined) ? undefined : Object.fromEntries(tensors) as Inputs;
}
