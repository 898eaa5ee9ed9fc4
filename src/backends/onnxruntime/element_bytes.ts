/**
 * Converts numbers to the bytes of a tensor.
 *
 * @module
 */

import { elementCount, type Shape } from "../../shape.ts";
import type { OnnxType } from "./onnx.ts";

/** The bytes of a tensor, in the machine's byte order. A single value fills the whole shape. */
export function elementBytes(dataType: OnnxType, shape: Shape, values: readonly (number | bigint)[]): Uint8Array {
  const count = elementCount(shape);
  const array = elementArray(dataType, count);
  const convert = array instanceof BigInt64Array
    ? (value: number | bigint) => BigInt.asIntN(64, BigInt(value))
    : Number;
  if (values.length === 1) array.fill(convert(values[0]!) as never);
  else values.forEach((value, i) => array[i] = convert(value));
  return new Uint8Array(array.buffer);
}

function elementArray(dataType: OnnxType, count: number) {
  switch (dataType) {
    case "float32":
      return new Float32Array(count);
    case "float64":
      return new Float64Array(count);
    case "float16":
      return new Float16Array(count);
    case "int64":
    case "uint64":
      return new BigInt64Array(count);
    case "int32":
      return new Int32Array(count);
    case "uint32":
      return new Uint32Array(count);
    case "int8":
      return new Int8Array(count);
    case "uint8":
    case "bool":
      return new Uint8Array(count);
    case "int4":
    case "uint4":
      throw new TypeError(`A lowering must not make constants of ${dataType}`);
  }
}
