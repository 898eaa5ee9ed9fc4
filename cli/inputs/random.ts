/**
 * Random inputs from a seed.
 *
 * @module
 */
import type { ModelPort, TensorInput } from "@webnn/deno/onnx";
import { mersenne } from "pure-rand/generator/mersenne";
import { makeElements, sizeOf } from "../elements.ts";

/**
 * Makes random elements: from 0 to 1 for floats, and 0 or 1 for integers, which are valid as indices, masks and
 * booleans alike.
 */
export function randomInput(
  { dataType }: Pick<ModelPort, "dataType">,
  shape: readonly number[],
  seed: number,
): TensorInput {
  const generator = mersenne(seed);
  const next = () => (generator.next() >>> 0) / 2 ** 32;
  const isFloat = dataType.startsWith("float");
  return { data: makeElements(dataType, sizeOf(shape), isFloat ? next : () => next() < 0.5 ? 0 : 1), shape };
}
