/**
 * Runs a model with the npm package onnxruntime-node, for `webnn bench --against`.
 *
 * @module
 */
import type { MLOperandDataType } from "@webnn/deno";
import type { TensorData, TensorInput, TensorOutput } from "@webnn/deno/onnx";
import * as ort from "onnxruntime-node";
import { Failure } from "../errors.ts";
import { isModule } from "../model/module.ts";
import type { Job } from "./protocol.ts";

/** Returns a function that loads the model in a session; the loaded model runs on `inputs`. */
export function openOnnxRuntimeNode(
  { model, threads, inputs: encoded }: Job,
  inputs: Readonly<Record<string, TensorInput>>,
): () => Promise<{ title: string; run(): Promise<Record<string, TensorOutput>> }> {
  if (isModule(model)) throw new Failure(`onnxruntime-node runs .onnx files only, not ${model}`);
  return async () => {
    const threading = threads === undefined ? {} : { intraOpNumThreads: threads };
    const session = await ort.InferenceSession.create(model, { ...threading, logSeverityLevel: 3 });
    const types = new Map(session.inputMetadata.map((input) => [input.name, input.isTensor ? input.type : "float32"]));
    const feeds = Object.fromEntries(
      Object.entries(inputs).map(([name, { data, shape }]) => [
        name,
        new ort.Tensor((types.get(name) ?? encoded[name]!.dataType) as "float32", data as Float32Array, shape!),
      ]),
    );
    const run = async () => Object.fromEntries(Object.entries(await session.run(feeds)).map(toOutput));
    return { title: `onnxruntime-node ${ort.env.versions.node}`, run };
  };
}

function toOutput([name, value]: [string, ort.OnnxValue]): [string, TensorOutput] {
  const { type, data, dims } = value as ort.Tensor;
  const dataType = (type === "bool" ? "uint8" : type) as MLOperandDataType;
  return [name, { dataType, data: data as unknown as TensorData, shape: dims }];
}
