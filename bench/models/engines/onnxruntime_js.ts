/**
 * Conversions of inputs and outputs, shared by onnxruntime-node and onnxruntime-web.
 *
 * @module
 */
import type { InferenceSession, Tensor, TensorConstructor } from "onnxruntime-common";
import type { Output } from "../engine.ts";
import type { Input } from "../model.ts";

/** Inputs as tensors. */
export function feedsOf(Tensor: TensorConstructor, inputs: readonly Input[]): Record<string, Tensor> {
  return Object.fromEntries(inputs.map(({ name, dataType, data, shape }) => [name, new Tensor(dataType, data, shape)]));
}

/** Outputs as arrays. */
export function outputsOf(results: InferenceSession.OnnxValueMapType): Record<string, Output> {
  const entries = Object.entries(results).map(([name, value]) => {
    const { dims, data } = value as Tensor;
    return [name, { shape: dims, data: data as ArrayLike<number | bigint> }] as const;
  });
  return Object.fromEntries(entries);
}
