/**
 * Whether the rows of a batch have nothing to do with each other, so that requests may share a run.
 *
 * @module
 */

import type { TensorData, TensorInput } from "@webnn/deno/onnx";
import { type Inputs, type Outputs, sameKind, slice, stack, unstack } from "./rows.ts";

/**
 * Operators that may mix rows in a way that a few runs do not show: what they compute with depends on the elements of the
 * whole tensor. Models that have one are batched on the user's word only.
 */
const MIXING = [
  "BatchNormalization",
  "Bernoulli",
  "Compress",
  "DynamicQuantizeLinear",
  "If",
  "Loop",
  "NonMaxSuppression",
  "NonZero",
  "RandomNormalLike",
  "RandomUniformLike",
  "Scan",
  "Unique",
];

/** The operator of a model, if there is one, that rules out a proof by runs. */
export function mixingOperator(operators: readonly string[]): string | undefined {
  return operators.find((operator) => MIXING.includes(operator));
}

/** How far a row may be off that of a run of its own, in parts of the largest number: sums in another order, no more. */
const TOLERANCE = { Float32Array: 1e-4, Float16Array: 2e-2 } as const;

/** Scales of the first and the second row: where one decides over both, it shows. */
const SCALES = [[1, 1], [16, 1], [1, 16]] as const;

/**
 * Runs two rows together and each by itself, three times, and compares. The rows are random; integers are in the range of
 * those of a real request, since others may be no valid indices.
 *
 * @param run runs the model
 * @param sample inputs of a request
 * @returns whether both rows were the same each time
 */
export async function rowsAreIndependent(run: (inputs: Inputs) => Promise<Outputs>, sample: Inputs): Promise<boolean> {
  const random = generator(1);
  for (const scales of SCALES) {
    const rows = scales.map((scale) => mapTensors(sample, (tensor) => randomRow(tensor, scale, random)));
    const together = unstack(await run(stack(rows)), [1, 1]);
    if (!together) return false;
    for (const [i, row] of rows.entries()) {
      if (!isSame(together[i]!, await run(row))) return false;
    }
  }
  return true;
}

function mapTensors(inputs: Inputs, change: (tensor: TensorInput) => TensorInput): Inputs {
  return Object.fromEntries(Object.entries(inputs).map(([name, tensor]) => [name, change(tensor)]));
}

function randomRow(tensor: TensorInput, scale: number, random: () => number): TensorInput {
  const { data, shape } = slice(tensor, 0, 1);
  const row = sameKind(data, data.length);
  const draw = drawFor(tensor.data, scale, random);
  for (let i = 0; i < row.length; i++) row[i] = draw();
  return { data: row, shape: shape! };
}

function drawFor(data: TensorData, scale: number, random: () => number): () => number | bigint {
  if (data instanceof Float32Array || data instanceof Float16Array) return () => (2 * random() - 1) * scale;
  let [low, high] = [0, 1];
  for (const value of data) {
    low = Math.min(low, Number(value));
    high = Math.max(high, Number(value));
  }
  const whole = () => low + Math.floor(random() * (high - low + 1));
  return data instanceof BigInt64Array || data instanceof BigUint64Array ? () => BigInt(whole()) : whole;
}

function isSame(row: Outputs, alone: Outputs): boolean {
  return Object.entries(row).every(([name, { data, shape }]) =>
    String(shape) === String(alone[name]!.shape) && areClose(data, alone[name]!.data)
  );
}

function areClose(a: TensorData, b: TensorData): boolean {
  if (!(a instanceof Float32Array || a instanceof Float16Array)) return a.every((value, i) => value === b[i]);
  let largest = 0;
  for (const value of a) if (Number.isFinite(value)) largest = Math.max(largest, Math.abs(value));
  const bound = largest * TOLERANCE[a instanceof Float32Array ? "Float32Array" : "Float16Array"];
  return a.every((value: number, i: number) => Object.is(value, b[i]) || Math.abs(value - Number(b[i])) <= bound);
}

/** Numbers from 0 to 1 that are the same in every process, by a linear congruence: only their order of size matters. */
function generator(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 1664525 + 1013904223) % 2 ** 32) / 2 ** 32;
}
