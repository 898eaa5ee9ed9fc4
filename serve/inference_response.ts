/**
 * Writes the response to an inference request.
 *
 * @module
 */

import type { TensorOutput } from "@webnn/deno/onnx";
import { type Bytes, join } from "./body.ts";
import { type DataTypeName, isFloat, writeBinary, writeJson } from "./data_types.ts";
import { type InferenceRequest, JSON_LENGTH } from "./inference_request.ts";
import { type Port, VERSION } from "./metadata.ts";

/** A body and its headers. */
export interface Encoded {
  readonly body: Bytes;
  readonly headers: Record<string, string>;
  /** Whether compression makes the body much smaller. */
  readonly isCompressible: boolean;
}

/**
 * Writes a response: JSON, followed by the binary data of outputs that were requested as binary.
 * @throws {HttpError} 400 for NaN or infinity in an output that was requested as JSON
 */
export function writeResponse(
  model: string,
  { id, outputs }: InferenceRequest,
  results: Readonly<Record<string, TensorOutput>>,
  ports: readonly Port[],
): Encoded {
  const binaries: Bytes[] = [];
  let isCompressible = true;
  const tensors = outputs.map(({ name, binary }) => {
    const { datatype } = ports.find((port) => port.name === name)!;
    const result = results[name]!;
    if (!binary) return jsonTensor(name, datatype, result);
    const bytes = writeBinary(datatype, result.data);
    binaries.push(bytes);
    if (isFloat(datatype)) isCompressible = false;
    return `{${head(name, datatype, result)},"parameters":{"binary_data_size":${bytes.byteLength}}}`;
  });
  const fields = JSON.stringify({ ...id === undefined ? {} : { id }, model_name: model, model_version: VERSION });
  const json = new TextEncoder().encode(`${fields.slice(0, -1)},"outputs":[${tensors.join(",")}]}`);
  if (binaries.length === 0) return { body: json, headers: { "content-type": "application/json" }, isCompressible };
  return {
    body: join([json, ...binaries]),
    headers: { "content-type": "application/octet-stream", [JSON_LENGTH]: `${json.byteLength}` },
    isCompressible,
  };
}

function jsonTensor(name: string, datatype: DataTypeName, result: TensorOutput): string {
  const what = `The output ${JSON.stringify(name)}`;
  return `{${head(name, datatype, result)},"data":${writeJson(datatype, result.data, what)}}`;
}

function head(name: string, datatype: DataTypeName, { shape }: TensorOutput): string {
  return `"name":${JSON.stringify(name)},"datatype":"${datatype}","shape":[${shape}]`;
}
