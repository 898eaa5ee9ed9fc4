/**
 * What the elements of a tensor are like.
 *
 * @module
 */
import type { TensorOutput } from "@webnn/deno/onnx";
import { elementsOf } from "./elements.ts";

/** The least, the greatest and the mean element; NaN if one of them is, or if there is none. */
export interface Summary {
  readonly min: number | bigint;
  readonly max: number | bigint;
  readonly mean: number;
}

/** The summary of a tensor. */
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
