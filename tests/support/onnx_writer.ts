/**
 * Writes ONNX files for tests: protocol buffer fields, and the messages of a model.
 *
 * @module
 */
import type { Attribute } from "../../src/onnx/model.ts";

/** The elements of a tensor, and how to store them. */
export interface TensorSpec {
  readonly name?: string;
  readonly type: keyof typeof DATA_TYPES;
  readonly shape: readonly number[];
  readonly data: ArrayBufferView | readonly (number | bigint)[];
  /** Store them in the typed field, or in another file, instead of as raw bytes. */
  readonly typed?: boolean;
  readonly external?: { readonly location: string; readonly offset: number; readonly length: number };
}

/** The value of an attribute. A number is an integer attribute; pass a float as `{ float }`. */
export type AttributeSpec =
  | number
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly strings: readonly string[] }
  | { readonly tensor: TensorSpec }
  | { readonly graph: GraphSpec }
  | { readonly reference: string; readonly kind: Attribute["kind"] };

/** A node of a graph. */
export interface NodeSpec {
  readonly op: string;
  readonly domain?: string;
  readonly name?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, AttributeSpec>>;
}

/** An input or output: its type and shape. */
export interface PortSpec {
  readonly name: string;
  readonly type?: keyof typeof DATA_TYPES;
  readonly shape?: readonly (number | string | null)[];
}

/** A graph. */
export interface GraphSpec {
  readonly nodes: readonly NodeSpec[];
  readonly inputs?: readonly PortSpec[];
  readonly outputs: readonly PortSpec[];
  readonly initializers?: readonly TensorSpec[];
  readonly values?: readonly PortSpec[];
}

/** A function of a model. */
export interface FunctionSpec {
  readonly domain: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: readonly string[];
  readonly nodes: readonly NodeSpec[];
}

/** A model. */
export interface ModelSpec extends GraphSpec {
  readonly opset?: number;
  readonly functions?: readonly FunctionSpec[];
}

const DATA_TYPES = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
  uint4: 21,
  int4: 22,
} as const;

/** One field of a message. */
type Field = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();

/** An integer of up to 64 bits, seven bits per byte. */
export function varint(value: number | bigint): Field {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Uint8Array.from(bytes);
}

/** Concatenates fields. */
export function message(...fields: (Field | readonly Field[])[]): Field {
  const parts = fields.flat() as Field[];
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.byteLength;
  }
  return result;
}

/** A field with bytes, a string or a message. */
export function bytesField(number: number, content: Field | string): Field {
  const bytes = typeof content === "string" ? encoder.encode(content) : content;
  return message(varint(number * 8 + 2), varint(bytes.byteLength), bytes);
}

/** An integer field. */
export function intField(number: number, value: number | bigint): Field {
  return message(varint(number * 8), varint(value));
}

/** A float field. */
export function floatField(number: number, value: number): Field {
  return message(varint(number * 8 + 5), new Uint8Array(Float32Array.of(value).buffer));
}

/** A field of packed integers. */
function packedField(number: number, values: readonly (number | bigint)[]): Field {
  return bytesField(number, message(values.map(varint)));
}

/** TensorProto. */
export function tensorProto({ name = "", type, shape, data, typed, external }: TensorSpec): Field {
  const head = [shape.map((size) => intField(1, size)), intField(2, DATA_TYPES[type]), bytesField(8, name)] as const;
  if (external) {
    const entry = (key: string, value: string) => bytesField(13, message(bytesField(1, key), bytesField(2, value)));
    const { location, offset, length } = external;
    const entries = [entry("location", location), entry("offset", `${offset}`), entry("length", `${length}`)];
    return message(...head, ...entries, intField(14, 1));
  }
  if (typed) return message(...head, typedField(type, [...data as readonly number[]]));
  const view = ArrayBuffer.isView(data) ? data : arrayFor(type, data);
  return message(...head, bytesField(9, new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength)));
}

/** The typed field: float_data, double_data, int64_data, uint64_data, or int32_data for all narrower types. */
function typedField(type: TensorSpec["type"], data: readonly number[]): Field {
  switch (type) {
    case "float32":
      return bytesField(4, new Uint8Array(Float32Array.from(data).buffer));
    case "float64":
      return bytesField(10, new Uint8Array(Float64Array.from(data).buffer));
    case "int64":
      return packedField(7, data);
    case "uint32":
    case "uint64":
      return packedField(11, data);
    default:
      return packedField(5, data);
  }
}

function arrayFor(type: TensorSpec["type"], data: readonly (number | bigint)[]): ArrayBufferView {
  switch (type) {
    case "float32":
      return Float32Array.from(data, Number);
    case "float64":
      return Float64Array.from(data, Number);
    case "float16":
      return Float16Array.from(data, Number);
    case "int64":
      return BigInt64Array.from(data, BigInt);
    case "uint64":
      return BigUint64Array.from(data, BigInt);
    case "int32":
      return Int32Array.from(data, Number);
    case "uint32":
      return Uint32Array.from(data, Number);
    case "int16":
      return Int16Array.from(data, Number);
    case "uint16":
      return Uint16Array.from(data, Number);
    default:
      return Uint8Array.from(data, Number);
  }
}

function attributeProto(name: string, value: AttributeSpec): Field {
  const kind = (type: number, ...fields: Field[]) => message(bytesField(1, name), intField(20, type), ...fields);
  if (typeof value === "number") return kind(2, intField(3, value));
  if (typeof value === "string") return kind(3, bytesField(4, value));
  if (Array.isArray(value)) return kind(7, ...value.map((item) => intField(8, item)));
  if ("float" in value) return kind(1, floatField(2, value.float));
  if ("floats" in value) return kind(6, ...value.floats.map((item) => floatField(7, item)));
  if ("strings" in value) return kind(8, ...value.strings.map((item) => bytesField(9, item)));
  if ("tensor" in value) return kind(4, bytesField(5, tensorProto(value.tensor)));
  if ("graph" in value) return kind(5, bytesField(6, graphProto(value.graph)));
  return kind(2, bytesField(21, (value as { reference: string }).reference));
}

function nodeProto({ op, domain = "", name = "", inputs, outputs, attributes = {} }: NodeSpec): Field {
  return message(
    inputs.map((input) => bytesField(1, input)),
    outputs.map((output) => bytesField(2, output)),
    bytesField(3, name),
    bytesField(4, op),
    Object.entries(attributes).map(([key, value]) => bytesField(5, attributeProto(key, value))),
    bytesField(7, domain),
  );
}

function valueInfoProto({ name, type = "float32", shape }: PortSpec): Field {
  const dimension = (size: number | string | null) =>
    size === null ? message() : typeof size === "number" ? intField(1, size) : bytesField(2, size);
  const shapeField = shape ? [bytesField(2, message(shape.map((size) => bytesField(1, dimension(size)))))] : [];
  const tensor = message(intField(1, DATA_TYPES[type]), shapeField);
  return message(bytesField(1, name), bytesField(2, bytesField(1, tensor)));
}

/** GraphProto. */
export function graphProto({ nodes, inputs = [], outputs, initializers = [], values = [] }: GraphSpec): Field {
  return message(
    nodes.map((node) => bytesField(1, nodeProto(node))),
    bytesField(2, "graph"),
    initializers.map((tensor) => bytesField(5, tensorProto(tensor))),
    inputs.map((input) => bytesField(11, valueInfoProto(input))),
    outputs.map((output) => bytesField(12, valueInfoProto(output))),
    values.map((value) => bytesField(13, valueInfoProto(value))),
  );
}

function functionProto({ domain, name, inputs, outputs, attributes = [], nodes }: FunctionSpec, opset: number): Field {
  return message(
    bytesField(1, name),
    inputs.map((input) => bytesField(4, input)),
    outputs.map((output) => bytesField(5, output)),
    attributes.map((attribute) => bytesField(6, attribute)),
    nodes.map((node) => bytesField(7, nodeProto(node))),
    bytesField(9, intField(2, opset)),
    bytesField(10, domain),
  );
}

/** The bytes of a model file. */
export function onnxFile({ opset = 21, functions = [], ...graph }: ModelSpec): Uint8Array<ArrayBuffer> {
  const domains = new Set(["", "com.microsoft", ...functions.map(({ domain }) => domain)]);
  return message(
    intField(1, 10),
    bytesField(7, graphProto(graph)),
    [...domains].map((domain) => bytesField(8, message(bytesField(1, domain), intField(2, domain === "" ? opset : 1)))),
    functions.map((called) => bytesField(25, functionProto(called, opset))),
  );
}
