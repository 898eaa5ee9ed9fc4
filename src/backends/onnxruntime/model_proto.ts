/**
 * Encodes an ONNX graph as a model file: ONNX's `ModelProto`.
 *
 * @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 * @module
 */

import { ElementType } from "../../../ffi/onnxruntime/enums.ts";
import type { Shape } from "../../shape.ts";
import { ProtobufWriter } from "../common/protobuf.ts";
import {
  Float,
  MICROSOFT,
  type OnnxAttribute,
  type OnnxGraph,
  type OnnxInitializer,
  type OnnxNode,
  type OnnxValueInfo,
  OPSET,
} from "./onnx.ts";

/** The version of the format for our operator set. */
const IR_VERSION = 10;

/** Protocol buffer parsers reject larger messages. */
const MAX_BYTES = 2 ** 31 - 1;

/** The field numbers of each message. */
const MODEL = { irVersion: 1, producerName: 2, graph: 7, opsetImport: 8 };
const OPERATOR_SET = { domain: 1, version: 2 };
const GRAPH = { node: 1, name: 2, initializer: 5, input: 11, output: 12 };
const NODE = { input: 1, output: 2, name: 3, opType: 4, attribute: 5, domain: 7 };
const ATTRIBUTE = { name: 1, float: 2, int: 3, string: 4, ints: 8, strings: 9, type: 20 };
const TENSOR = { dims: 1, dataType: 2, name: 8, rawData: 9, externalData: 13, dataLocation: 14 };
const ENTRY = { key: 1, value: 2 };
const VALUE_INFO = { name: 1, type: 2 };
const TYPE = { tensorType: 1 };
const TENSOR_TYPE = { elemType: 1, shape: 2 };
const SHAPE = { dim: 1 };
const DIMENSION = { dimValue: 1 };

/** AttributeProto.AttributeType. */
const ATTRIBUTE_TYPE = { float: 1, int: 2, string: 3, ints: 7, strings: 8 };

/** TensorProto.DataLocation. */
const EXTERNAL = 1;

/** Options of the encoding. */
export interface ModelProtoOptions {
  /** The version of the default operator set; by default that of the lowering. */
  readonly opset?: number;
  /** Whether the elements of an initializer are external; by default, none are. */
  readonly isExternal?: (initializer: OnnxInitializer) => boolean;
  /** The name of the file with external elements. */
  readonly externalFile?: string;
}

/**
 * Encodes a graph as a model file.
 * @throws {RangeError} if the model has 2 GiB or more, which the format does not support
 */
export function encodeModel(graph: OnnxGraph, options: ModelProtoOptions = {}): Uint8Array<ArrayBuffer> {
  const { isExternal = () => false, externalFile = "weights", opset = OPSET } = options;
  const inline = graph.initializers.filter((initializer) => !isExternal(initializer));
  const inlineBytes = inline.reduce((sum, { data }) => sum + data.byteLength, 0);
  if (inlineBytes > MAX_BYTES) throw tooLarge(inlineBytes);
  const writer = new ProtobufWriter(estimatedBytes(graph) + inlineBytes);
  writer.integer(MODEL.irVersion, IR_VERSION);
  writer.string(MODEL.producerName, "@webnn/deno");
  writer.message(MODEL.graph, () => {
    for (const node of graph.nodes) writer.message(GRAPH.node, writeNode, node);
    writer.string(GRAPH.name, "graph");
    for (const initializer of graph.initializers) {
      const location = isExternal(initializer) ? externalFile : undefined;
      writer.message(GRAPH.initializer, () => writeTensor(writer, initializer, location));
    }
    for (const info of graph.inputs) writer.message(GRAPH.input, writeValueInfo, info);
    for (const info of graph.outputs) writer.message(GRAPH.output, writeValueInfo, info);
  });
  writeOperatorSet(writer, "", opset);
  if (graph.nodes.some(({ domain }) => domain === MICROSOFT)) writeOperatorSet(writer, MICROSOFT, 1);
  if (writer.bytes.byteLength > MAX_BYTES) throw tooLarge(writer.bytes.byteLength);
  return writer.bytes;
}

/** The expected size without the elements. It is generous, because a buffer that grows copies all inline weights. */
function estimatedBytes({ nodes, initializers, inputs, outputs }: OnnxGraph): number {
  return 512 + 256 * nodes.length + 128 * (initializers.length + inputs.length + outputs.length);
}

function tooLarge(bytes: number): RangeError {
  return new RangeError(`An ONNX file can hold at most 2 GiB; this model has ${bytes} bytes`);
}

function writeOperatorSet(writer: ProtobufWriter, domain: string, version: number): void {
  writer.message(MODEL.opsetImport, () => {
    writer.string(OPERATOR_SET.domain, domain);
    writer.integer(OPERATOR_SET.version, version);
  });
}

function writeNode(writer: ProtobufWriter, { op, domain, name, inputs, outputs, attributes }: OnnxNode): void {
  for (const input of inputs) writer.string(NODE.input, input);
  for (const output of outputs) writer.string(NODE.output, output);
  writer.string(NODE.name, name);
  writer.string(NODE.opType, op);
  for (const attribute of Object.entries(attributes)) {
    if (attribute[1] !== undefined) {
      writer.message(NODE.attribute, writeAttribute, attribute as [string, OnnxAttribute]);
    }
  }
  if (domain !== "") writer.string(NODE.domain, domain);
}

function writeAttribute(writer: ProtobufWriter, [name, value]: readonly [string, OnnxAttribute]): void {
  writer.string(ATTRIBUTE.name, name);
  writer.integer(ATTRIBUTE.type, ATTRIBUTE_TYPE[kindOf(value)]);
  if (typeof value === "number") writer.integer(ATTRIBUTE.int, value);
  else if (typeof value === "string") writer.string(ATTRIBUTE.string, value);
  else if (value instanceof Float) writer.float(ATTRIBUTE.float, value.value);
  else {
    for (const item of value) {
      if (typeof item === "number") writer.integer(ATTRIBUTE.ints, item);
      else writer.string(ATTRIBUTE.strings, item);
    }
  }
}

function kindOf(value: OnnxAttribute): keyof typeof ATTRIBUTE_TYPE {
  if (typeof value === "number") return "int";
  if (typeof value === "string") return "string";
  if (value instanceof Float) return "float";
  return value.every((item) => typeof item === "number") ? "ints" : "strings";
}

function writeTensor(
  writer: ProtobufWriter,
  { name, dataType, shape, data }: OnnxInitializer,
  externalFile: string | undefined,
): void {
  for (const size of shape) writer.integer(TENSOR.dims, size);
  writer.integer(TENSOR.dataType, ElementType[dataType]);
  writer.string(TENSOR.name, name);
  if (externalFile === undefined) return writer.raw(TENSOR.rawData, data instanceof Uint8Array ? data : data.bytes);
  writer.message(TENSOR.externalData, () => {
    writer.string(ENTRY.key, "location");
    writer.string(ENTRY.value, externalFile);
  });
  writer.integer(TENSOR.dataLocation, EXTERNAL);
}

function writeValueInfo(writer: ProtobufWriter, info: OnnxValueInfo): void {
  writer.string(VALUE_INFO.name, info.name);
  writer.message(VALUE_INFO.type, writeType, info);
}

function writeType(writer: ProtobufWriter, info: OnnxValueInfo): void {
  writer.message(TYPE.tensorType, writeTensorType, info);
}

function writeTensorType(writer: ProtobufWriter, { dataType, shape }: OnnxValueInfo): void {
  writer.integer(TENSOR_TYPE.elemType, ElementType[dataType]);
  writer.message(TENSOR_TYPE.shape, writeShape, shape);
}

function writeShape(writer: ProtobufWriter, shape: Shape): void {
  for (const size of shape) writer.message(SHAPE.dim, writeDimension, size);
}

function writeDimension(writer: ProtobufWriter, size: number): void {
  writer.integer(DIMENSION.dimValue, size);
}
