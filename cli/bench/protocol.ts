/**
 * The messages between `webnn bench` and its workers: one line of JSON each, on standard input and output.
 *
 * @module
 */
import type { MLOperandDataType } from "@webnn/deno";
import type { TensorInput, TensorOutput } from "@webnn/deno/onnx";
import { Buffer } from "node:buffer";
import { arrayOf } from "../elements.ts";

/** The engine that loads and runs the model. */
export type EngineName = "webnn" | "onnxruntime-node";

/** The first message to a worker. */
export interface Job {
  readonly engine: EngineName;
  readonly model: string;
  readonly device?: string | undefined;
  readonly threads?: number | undefined;
  /** Sizes of free dimensions by name. */
  readonly dimensions: Readonly<Record<string, number>>;
  readonly inputs: EncodedTensors;
}

/** Tensors in a message, by name. */
export type EncodedTensors = Readonly<Record<string, EncodedTensor>>;

/** A tensor in a message. */
export interface EncodedTensor {
  readonly dataType: MLOperandDataType;
  readonly shape: readonly number[];
  readonly base64: string;
}

/** A worker's answer after it has loaded the model and run it once. Times are in milliseconds. */
export interface Loaded {
  /** The engine, its version, and the device that runs the model. */
  readonly title: string;
  readonly load: number;
  readonly first: number;
  readonly outputs: EncodedTensors;
}

/** A later message to a worker: asks for a number of runs. */
export interface RunRequest {
  readonly runs: number;
}

/** The answer to a {@linkcode RunRequest}. */
export interface Measured {
  /** The time of each run in milliseconds. */
  readonly times: readonly number[];
  /** How much the memory of the process has grown since before the model was loaded, in bytes. */
  readonly memory: number;
}

/** Encodes a tensor for a message. */
export function encodeTensor(dataType: MLOperandDataType, { data, shape }: TensorInput | TensorOutput): EncodedTensor {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return {
    dataType,
    shape: shape!,
    base64: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64"),
  };
}

/** Decodes a tensor of a message. */
export function decodeTensor({ dataType, shape, base64 }: EncodedTensor): TensorOutput {
  return { dataType, shape, data: arrayOf(dataType, new Uint8Array(Buffer.from(base64, "base64"))) };
}
