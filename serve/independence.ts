/**
 * Finds out whether the rows of a batch are independent, so that requests may share a run.
 *
 * @module
 */

import type { TensorData, TensorInput } from "@webnn/deno/onnx";
import { type Inputs, type Outputs, sameKind, slice, stack, unstack } from "./rows.ts";

/**
 * Operators that may mix rows in a way that a few runs do not reveal, because their results depend on the elements of
 * the whole tensor. Models with one of them are batched only if the user sets the option.
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

/** An operator of the model for which test runs prove nothing, if there is one. */
export function mixingOperator(operators: readonly string[]): string | undefined {
  return operators.find((operator) => MIXING.includes(operator));
}

/**
 * The tolerated difference from a separate run, relative to the largest number: it allows only for the order of sums.
 */
const TOLERANCE = { Float32Array: 1e-4, Float16Array: 2e-2 } as const;

/** The scales of the first and second row. They differ, to reveal operators in which one row affects the other. */
const SCALES = [[1, 1], [16, 1], [1, 16]] as const;

/**
 * Runs two rows together and separately, three times, and compares the results. The rows are random; integers are in
 * the range of those in a real request, because others may be invalid indices.
 *
 * @param run runs the model
 * @param sample the inputs of a request
 * @returns whether the results of both rows were equal each time
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

/** Deterministic random numbers from 0 to 1. A linear congruential generator is good enough here. */
function generator(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 1664525 + 1013904223) % 2 ** 32) / 2 ** 32;
}
