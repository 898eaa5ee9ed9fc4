/**
 * Statistics of the elements of a tensor.
 *
 * @module
 */
import type { TensorOutput } from "@webnn/deno/onnx";
import { elementsOf } from "./elements.ts";

/** The minimum, maximum and mean of the elements; NaN if an element is NaN, or if there are none. */
export interface Summary {
  readonly min: number | bigint;
  readonly max: number | bigint;
  readonly mean: number;
}

/** Computes the summary of a tensor. */
export function summarize(output: TensorOutput): Summary {
  const elements = elementsOf(output);
  let [min, max]: (number | bigint)[] = [elements[0] ?? NaN, elements[0] ?? NaN];
  let sum = 0;
  for (const value of elements) {
    if (value < min! || value !== value) min = value;
    if (value > max! || value !== value) max = value;
    sum += Number(value);
  }
  return { min: min!, max: max!, mean: sum / elements.length };
}
