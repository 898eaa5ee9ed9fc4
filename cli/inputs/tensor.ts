/**
 * A tensor that a file holds, on the way to an input of a model.
 *
 * @module
 */
import type { MLOperandDataType } from "@webnn/deno";
import type { ModelPort, TensorInput } from "@webnn/deno/onnx";
import { arrayOf, formatShape } from "../elements.ts";
import { Failure } from "../errors.ts";
import { checkShape } from "../shapes.ts";

/** A tensor of a file that says what it holds. */
export interface FileTensor {
  readonly dataType: MLOperandDataType;
  readonly shape: readonly number[];
  /** The elements in row-major order, little-endian. */
  readonly bytes: Uint8Array;
}

/** The tensor as an input. Its type must be the input's: nothing is converted in silence. */
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
