/**
 * Writes .onnx files: the few messages of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto that a test's model
 * needs. A member's number there is the first argument of `field` here.
 *
 * @module
 */

/** A value that enters or leaves the model. A dimension with a name may have any size. */
export interface Port {
  name: string;
  dataType: keyof typeof DATA_TYPES;
  shape: readonly (number | string)[];
}

/** A weight, or another constant. */
export interface Initializer {
  name: string;
  shape: readonly number[];
  data: Float32Array | BigInt64Array;
}

/** One operation; its outputs bear its name where it has one output only. */
export interface Node {
  op: string;
  inputs: readonly string[];
  output: string;
  /** Numbers are written as integers, but for the names in {@linkcode FLOAT_ATTRIBUTES}. */
  attributes?: Readonly<Record<string, number | readonly number[]>>;
}

/** A model of one graph. */
export interface OnnxModel {
  opset: number;
  inputs: readonly Port[];
  outputs: readonly Port[];
  initializers: readonly Initializer[];
  nodes: readonly Node[];
}

const DATA_TYPES = { float32: 1, int64: 7 } as const;
const ATTRIBUTE_TYPES = { float: 1, int: 2, ints: 7 } as const;
const FLOAT_ATTRIBUTES = ["epsilon"];
/** The version of the file format that came with opset 17. */
const IR_VERSION = 8;

/** The bytes of the file. */
export function encodeOnnx({ opset, inputs, outputs, initializers, nodes }: OnnxModel): Uint8Array<ArrayBuffer> {
  const graph = [
    ...nodes.map((node) => field(1, nodeProto(node))),
    field(2, "graph"),
    ...initializers.map((initializer) => field(5, tensorProto(initializer))),
    ...inputs.map((port) => field(11, valueInfoProto(port))),
    ...outputs.map((port) => field(12, valueInfoProto(port))),
  ].flat();
  return Uint8Array.from([...field(1, IR_VERSION), ...field(7, graph), ...field(8, field(2, opset))]);
}

function nodeProto({ op, inputs, output, attributes = {} }: Node): number[] {
  return [
    ...inputs.flatMap((name) => field(1, name)),
    ...field(2, output),
    ...field(3, output),
    ...field(4, op),
    ...Object.entries(attributes).flatMap(([name, value]) => field(5, attributeProto(name, value))),
  ];
}

function attributeProto(name: string, value: number | readonly number[]): number[] {
  if (typeof value !== "number") {
    return [...field(1, name), ...value.flatMap((item) => field(8, item)), ...field(20, ATTRIBUTE_TYPES.ints)];
  }
  if (!FLOAT_ATTRIBUTES.includes(name)) {
    return [...field(1, name), ...field(3, value), ...field(20, ATTRIBUTE_TYPES.int)];
  }
  const float = new Uint8Array(Float32Array.of(value).buffer);
  return [...field(1, name), ...varint(2 << 3 | 5), ...float, ...field(20, ATTRIBUTE_TYPES.float)];
}

function tensorProto({ name, shape, data }: Initializer): number[] {
  const type = data instanceof Float32Array ? DATA_TYPES.float32 : DATA_TYPES.int64;
  const bytes = [...new Uint8Array(data.buffer, data.byteOffset, data.byteLength)];
  return [...shape.flatMap((size) => field(1, size)), ...field(2, type), ...field(8, name), ...field(9, bytes)];
}

function valueInfoProto({ name, dataType, shape }: Port): number[] {
  const dimensions = shape.flatMap((size) => field(1, typeof size === "number" ? field(1, size) : field(2, size)));
  const tensorType = [...field(1, DATA_TYPES[dataType]), ...field(2, dimensions)];
  return [...field(1, name), ...field(2, field(1, tensorType))];
}

/** A member of a message: a number as a varint; a string, bytes or another message with its length before it. */
function field(number: number, value: number | string | number[]): number[] {
  if (typeof value === "number") return [...varint(number << 3), ...varint(value)];
  const bytes = typeof value === "string" ? [...new TextEncoder().encode(value)] : value;
  return [...varint(number << 3 | 2), ...varint(bytes.length)].concat(bytes);
}

/** https://protobuf.dev/programming-guides/encoding/#varints */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return [...bytes, Number(rest)];
}
