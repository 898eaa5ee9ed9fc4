/**
 * Tensors read from files that contain the data type and the shape.
 *
 * @module
 */
import type { MLOperandDataType } from "@webnn/deno";
import type { ModelPort, TensorInput } from "@webnn/deno/onnx";
import { arrayOf, formatShape } from "../elements.ts";
import { Failure } from "../errors.ts";
import { checkShape } from "../shapes.ts";

/** A tensor read from such a file. */
export interface FileTensor {
  readonly dataType: MLOperandDataType;
  readonly shape: readonly number[];
  /** The elements in row-major order, little-endian. */
  readonly bytes: Uint8Array;
}

/** Makes an input from a tensor. The data types must match: nothing is converted silently. */
export function inputOf(port: ModelPort, { dataType, shape, bytes }: FileTensor, source: string): TensorInput {
  if (dataType !== port.dataType) {
    throw new Failure(
      `${source} holds ${dataType} ${formatShape(shape)}, but the input ${
        JSON.stringify(port.name)
      } is ${port.dataType}`,
    );
  }
  checkShape(port, shape, source);
  return { data: arrayOf(dataType, bytes), shape };
}
