/**
 * The metadata of the server and its models in the protocol.
 *
 * @module
 */

import type { ModelPort } from "@webnn/deno/onnx";
import { type DataTypeName, protocolType } from "./data_types.ts";
import config from "./deno.json" with { type: "json" };

/** The version of every model, because files have no versions. */
export const VERSION = "1";

/** An input or output of a model. */
export interface Port {
  readonly name: string;
  readonly datatype: DataTypeName;
  /** -1 for a free dimension; `[-1]` if the model does not specify the rank. */
  readonly shape: readonly number[];
  /** Whether the model specifies the rank. */
  readonly hasRank: boolean;
}

/** @throws {TypeError} for a data type that the protocol does not have */
export function portOf(port: ModelPort): Port {
  const shape = port.shape?.map((size) => typeof size === "number" ? size : -1) ?? [-1];
  return { name: port.name, datatype: protocolType(port), shape, hasRank: port.shape !== undefined };
}

/** The server's metadata. */
export const SERVER_METADATA = {
  name: "webnn-serve",
  version: config.version,
  extensions: ["binary_tensor_data"],
} as const;

/** A model's metadata. */
export function modelMetadata(
  name: string,
  { inputs, outputs }: { readonly inputs: readonly Port[]; readonly outputs: readonly Port[] },
): Readonly<Record<string, unknown>> {
  const plain = ({ name, datatype, shape }: Port) => ({ name, datatype, shape });
  return { name, versions: [VERSION], platform: "webnn_onnx", inputs: inputs.map(plain), outputs: outputs.map(plain) };
}
