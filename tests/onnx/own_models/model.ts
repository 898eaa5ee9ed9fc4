/**
 * The type of our own models, and helpers for their tensors.
 *
 * @module
 */

import { random } from "../../../support/random.ts";
import type { AttributeSpec } from "../../support/onnx_writer.ts";
import type { Windows64 } from "../reference.ts";
import { make, type Tensor64 } from "../tensor64.ts";

/** A model with one node. */
export interface OwnModel {
  readonly name: string;
  readonly op: string;
  readonly domain?: string;
  readonly opset?: number;
  readonly attributes?: Readonly<Record<string, AttributeSpec>>;
  readonly inputs: readonly (Tensor64 | undefined)[];
  /** The inputs that are initializers. */
  readonly known?: readonly number[];
  readonly outputs: readonly (Tensor64 | undefined)[];
}

/** The domain of contributed operators. */
export const MICROSOFT = "com.microsoft";
const next = random(15);

/** Random float32 numbers in a range; the reference uses the same values. */
export function floats(shape: readonly number[], low = -2, high = 2): Tensor64 {
  return make(shape, () => Math.fround(low + (high - low) * next()));
}

/** Random integers in a range. */
export function integers(
  shape: readonly number[],
  low: number,
  high: number,
  type: Tensor64["type"] = "int64",
): Tensor64 {
  return make(shape, () => next.integer(low, high), type);
}

/** A vector. */
export function list(type: Tensor64["type"], ...data: number[]): Tensor64 {
  return { type, shape: [data.length], data };
}

/** A scalar tensor. */
export const scalar = (type: Tensor64["type"], value: number): Tensor64 => ({ type, shape: [], data: [value] });
/** A float attribute, even if its value is an integer. */
export const float = (value: number) => ({ float: value });

/** The same number for each axis. */
export function windows(
  axes: number,
  kernel: number,
  stride = 1,
  dilation = 1,
  pads: readonly [number, number] = [0, 0],
): Windows64 {
  const each = (value: number) => new Array<number>(axes).fill(value);
  return {
    kernel: each(kernel),
    strides: each(stride),
    dilations: each(dilation),
    pads: [...each(pads[0]), ...each(pads[1])],
  };
}
