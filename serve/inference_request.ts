/**
 * Reads an inference request, JSON with optional binary data, and checks it against the model's inputs and outputs.
 *
 * @see https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
 * @see https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
 *
 * @module
 */

import type { TensorInput } from "@webnn/deno/onnx";
import type { Bytes } from "./body.ts";
import {
  bytesOf,
  DATA_TYPE_NAMES,
  type DataTypeName,
  isDataType,
  readBinary,
  readJson,
  webnnType,
} from "./data_types.ts";
import { badRequest } from "./errors.ts";
import { hasLongIntegers, parseJson } from "./json.ts";
import type { Port } from "./metadata.ts";

/** The header with the number of JSON bytes in a body; the binary data of tensors follows them. */
export const JSON_LENGTH = "inference-header-content-length";

/** A requested output. */
export interface AskedOutput {
  readonly name: string;
  readonly binary: boolean;
}

/** An inference request. */
export interface InferenceRequest {
  /** Returned in the response. */
  readonly id: string | undefined;
  readonly inputs: Readonly<Record<string, TensorInput>>;
  /** In the order of the response. */
  readonly outputs: readonly AskedOutput[];
  /** The client's time limit, in milliseconds. */
  readonly timeout: number | undefined;
}

/** The inputs and outputs of a model. */
export interface Ports {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
}

type Fields = Readonly<Record<string, unknown>>;

/** Parameters of unsupported extensions. They are rejected, because ignoring them would give a different response. */
const REFUSED_PARAMETERS = /^(shared_memory_|sequence_|classification$)/;

/**
 * Reads a request.
 * @throws {HttpError} 400 with the reason
 */
export function readRequest(headers: Headers, body: Bytes, ports: Ports): InferenceRequest {
  const { text, binary } = split(headers, body);
  const fields = parse(text);
  // Some clients send null for omitted fields.
  const id = fields.id ?? undefined;
  if (id !== undefined && typeof id !== "string") throw badRequest("id must be a string");
  const parameters = parametersOf(fields, "The request");
  return {
    id,
    inputs: readInputs(listOf(fields.inputs, "inputs"), binary, ports.inputs),
    outputs: readOutputs(fields.outputs, parameters.binary_data_output === true, ports.outputs),
    timeout: timeoutOf(parameters.timeout),
  };
}

/** Splits a body into its JSON and the binary data after it. */
function split(headers: Headers, body: Bytes): { text: string; binary: Bytes } {
  const stated = headers.get(JSON_LENGTH);
  const length = stated === null ? body.byteLength : Number(stated);
  if (stated !== null && !/^[1-9]\d*$/.test(stated)) {
    throw badRequest(`${JSON_LENGTH} must be a positive integer`);
  }
  if (length > body.byteLength) {
    throw badRequest(`${JSON_LENGTH} is ${length}, but the body has ${body.byteLength} bytes`);
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(body.subarray(0, length));
    return { text, binary: body.subarray(length) };
  } catch {
    throw badRequest("The JSON of the body is not UTF-8");
  }
}

/** Parses the fields of the JSON; with 64-bit inputs, integers keep all digits. */
function parse(text: string): Fields {
  const fields = fieldsOf(parseJson(text), "The body");
  const isWide = (tensor: unknown) => /^U?INT64$/.test(String((tensor as Fields | null)?.datatype));
  const needsDigits = Array.isArray(fields.inputs) && fields.inputs.some(isWide) && hasLongIntegers(text);
  return needsDigits ? fieldsOf(parseJson(text, { exact: true }), "The body") : fields;
}

function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw badRequest(`${what} must be a JSON object`);
  }
  return value as Fields;
}

function listOf(value: unknown, name: string): Fields[] {
  if (!Array.isArray(value)) throw badRequest(`${name} must be a list of tensors`);
  return value.map((tensor, i) => fieldsOf(tensor, `${name}[${i}]`));
}

function parametersOf({ parameters }: Fields, what: string): Fields {
  if (parameters === undefined || parameters === null) return {};
  const fields = fieldsOf(parameters, `${what}: parameters`);
  const refused = Object.keys(fields).find((name) => REFUSED_PARAMETERS.test(name));
  if (refused !== undefined) throw badRequest(`${what}: this server does not support the parameter ${refused}`);
  return fields;
}

/** The client's time limit in milliseconds. Clients send microseconds; 0 means no limit. */
function timeoutOf(microseconds: unknown): number | undefined {
  if (microseconds === undefined || microseconds === 0) return undefined;
  if (typeof microseconds !== "number" || !(microseconds > 0)) {
    throw badRequest("timeout must be a positive number of microseconds");
  }
  return microseconds / 1000;
}

function readInputs(tensors: readonly Fields[], binary: Bytes, ports: readonly Port[]): Record<string, TensorInput> {
  const inputs = new Map<string, TensorInput>();
  let at = 0;
  for (const tensor of tensors) {
    const port = portOf(tensor.name, ports, "input");
    if (inputs.has(port.name)) throw badRequest(`The input ${JSON.stringify(port.name)} occurs twice`);
    const { size, input } = readTensor(tensor, port, binary.subarray(at));
    inputs.set(port.name, input);
    at += size;
  }
  if (at !== binary.byteLength) {
    throw badRequest(`The body has ${binary.byteLength} bytes of binary data; the inputs use ${at}`);
  }
  const missing = ports.find(({ name }) => !inputs.has(name));
  if (missing) throw badRequest(`The input ${JSON.stringify(missing.name)} is missing`);
  return Object.fromEntries(inputs);
}

/** Reads an input. Returns it with the number of bytes of binary data that it used. */
function readTensor(tensor: Fields, port: Port, binary: Bytes): { size: number; input: TensorInput } {
  const what = `The input ${JSON.stringify(port.name)}`;
  const type = typeOf(tensor.datatype, port, what);
  const shape = shapeOf(tensor.shape, port, what);
  const { binary_data_size: size } = parametersOf(tensor, what);
  if (size === undefined) {
    if (!Array.isArray(tensor.data)) {
      throw badRequest(`${what} needs data: a list, or binary data with binary_data_size`);
    }
    return { size: 0, input: { data: readJson(type, tensor.data, shape, what), shape } };
  }
  if (tensor.data !== undefined) throw badRequest(`${what} has both data and binary_data_size`);
  const needed = shape.reduce((product, size) => product * size, bytesOf(type));
  if (size !== needed) throw badRequest(`${what}: binary_data_size is ${size}; ${type} [${shape}] needs ${needed}`);
  if (needed > binary.byteLength) {
    throw badRequest(`${what}: binary_data_size is ${needed}, but the body has only ${binary.byteLength} more bytes`);
  }
  return { size: needed, input: { data: readBinary(type, binary.subarray(0, needed)), shape } };
}

function portOf(name: unknown, ports: readonly Port[], kind: string): Port {
  const port = ports.find((known) => known.name === name);
  if (port) return port;
  const names = ports.map((known) => JSON.stringify(known.name)).join(", ");
  throw badRequest(`The model has no ${kind} ${JSON.stringify(name) ?? "without a name"}; it has ${names}`);
}

/** Checks a data type: the one in the metadata, or another with the same representation in WebNN. */
function typeOf(name: unknown, port: Port, what: string): DataTypeName {
  if (!isDataType(name)) {
    throw badRequest(`${what}: datatype must be one of ${DATA_TYPE_NAMES.join(", ")}, not ${JSON.stringify(name)}`);
  }
  if (webnnType(name) !== webnnType(port.datatype)) throw badRequest(`${what} must be ${port.datatype}, not ${name}`);
  return name;
}

/** The maximum number of elements of a shape, so that its size in bytes is exact too. */
const MAX_ELEMENTS = 2 ** 49;

function shapeOf(shape: unknown, port: Port, what: string): readonly number[] {
  if (!Array.isArray(shape) || !shape.every((size) => Number.isSafeInteger(size) && size >= 1)) {
    throw badRequest(`${what} must have a shape of positive integers`);
  }
  const fits = port.hasRank
    ? shape.length === port.shape.length && port.shape.every((size, axis) => size === -1 || size === shape[axis])
    : shape.length <= MAX_RANK;
  if (!fits) throw badRequest(`${what} must have the shape [${port.shape}], not [${shape}]`);
  if (shape.reduce((product, size) => product * size, 1) > MAX_ELEMENTS) {
    throw badRequest(`${what} has too many elements`);
  }
  return shape;
}

/** The largest rank that WebNN supports. */
const MAX_RANK = 8;

function readOutputs(asked: unknown, allBinary: boolean, ports: readonly Port[]): AskedOutput[] {
  const tensors = asked === undefined || asked === null ? [] : listOf(asked, "outputs");
  if (tensors.length === 0) return ports.map(({ name }) => ({ name, binary: allBinary }));
  const outputs = tensors.map((tensor) => {
    const { name } = portOf(tensor.name, ports, "output");
    const { binary_data: binary = allBinary } = parametersOf(tensor, `The output ${JSON.stringify(name)}`);
    return { name, binary: binary === true };
  });
  const twice = outputs.find(({ name }, i) => outputs.findIndex((other) => other.name === name) !== i);
  if (twice) throw badRequest(`The output ${JSON.stringify(twice.name)} is requested twice`);
  return outputs;
}
