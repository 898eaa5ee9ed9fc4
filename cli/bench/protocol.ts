/**
 * What `webnn bench` and its workers tell each other: JSON, a message a line, on standard input and output.
 *
 * @module
 */
import type { MLOperandDataType } from "@webnn/deno";
import type { TensorInput, TensorOutput } from "@webnn/deno/onnx";
import { Buffer } from "node:buffer";
import { arrayOf } from "../elements.ts";

/** What loads and runs the model. */
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

/** Tensors on the way through a pipe. */
export type EncodedTensors = Readonly<Record<string, EncodedTensor>>;

/** A tensor on the way through a pipe. */
export interface EncodedTensor {
  readonly dataType: MLOperandDataType;
  readonly shape: readonly number[];
  readonly base64: string;
}

/** What a worker answers when the model is loaded and has run once. Times are in milliseconds. */
export interface Loaded {
  /** The engine and its version, and the device that it runs the model on. */
  readonly title: string;
  readonly load: number;
  readonly first: number;
  readonly outputs: EncodedTensors;
}

/** A later message to a worker: so many runs. */
export interface RunRequest {
  readonly runs: number;
}

/** What a worker answers to that. */
export interface Measured {
  /** The time of each run in milliseconds. */
  readonly times: readonly number[];
  /** By how many bytes the process has grown since before the model was loaded. */
  readonly memory: number;
}

/** A tensor as a message has it. */
export function encodeTensor(dataType: MLOperandDataType, { data, shape }: TensorInput | TensorOutput): EncodedTensor {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return {
    dataType,
    shape: shape!,
    base64: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64"),
  };
}

/** A tensor of a message. */
export function decodeTensor({ dataType, shape, base64 }: EncodedTensor): TensorOutput {
  return { dataType, shape, data: arrayOf(dataType, new Uint8Array(Buffer.from(base64, "base64"))) };
}
