/** Helpers to write and run models in tests. */
import { loadOnnx, type LoadOnnxOptions, type OnnxModel } from "@webnn/deno/onnx";
import { type ModelSpec, type NodeSpec, onnxFile, type TensorSpec } from "../support/onnx_writer.ts";

export function load(spec: ModelSpec, options?: LoadOnnxOptions): Promise<OnnxModel> {
  return loadOnnx(onnxFile(spec), options);
}

/** A node. Names are separated by spaces; `_` is an omitted input. */
export function node(op: string, inputs: string, outputs: string, attributes: NodeSpec["attributes"] = {}): NodeSpec {
  const names = (text: string) => text === "" ? [] : text.split(" ").map((name) => name === "_" ? "" : name);
  return { op, inputs: names(inputs), outputs: names(outputs), attributes };
}

export function ints(name: string, data: readonly number[], shape: readonly number[] = [data.length]): TensorSpec {
  return { name, type: "int64", shape, data };
}

export function floats(name: string, data: readonly number[], shape: readonly number[] = [data.length]): TensorSpec {
  return { name, type: "float32", shape, data };
}

export const f32 = (...data: number[]) => Float32Array.from(data);
export const i64 = (...data: number[]) => BigInt64Array.from(data, BigInt);

/** The elements of every output as plain numbers. */
export async function run(model: OnnxModel, inputs: Parameters<OnnxModel["run"]>[0]) {
  const outputs = await model.run(inputs);
  return Object.fromEntries(
    Object.entries(outputs).map((
      [name, { data, shape }],
    ) => [name, { data: Array.from(data as ArrayLike<number>, Number), shape }]),
  );
}
