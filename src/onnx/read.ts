/**
 * Reads an ONNX file as plain data.
 *
 * @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 * @module
 */

import { finish, type Steps } from "../event_loop.ts";
import type {
  Attribute,
  Dimension,
  KnownTensor,
  ModelProto,
  OnnxFunction,
  OnnxGraph,
  OnnxNode,
  ValueInfo,
} from "./model.ts";
import { Damaged, type Fields, type LateFile, Message, readFields } from "./protobuf.ts";
import { elementType, typeName } from "./element_type.ts";
import { type ExternalData, readTensor } from "./tensor.ts";

/** The maximum depth of nested graphs. */
const MAX_DEPTH = 32;

/**
 * Reads a model. Initializers are views of the bytes, or read when they are first used.
 * @throws {TypeError} if the bytes are damaged or not an ONNX model
 */
export function* readModel(source: Uint8Array | LateFile, external: ExternalData): Steps<ModelProto> {
  try {
    return yield* model(Message.of(source), external);
  } catch (error) {
    if (!(error instanceof Damaged)) throw error;
    throw new TypeError(`The file is damaged or is not an ONNX model: ${error.message}.`, { cause: error });
  }
}

function* model(message: Message, external: ExternalData): Steps<ModelProto> {
  const opsets = new Map<string, number>();
  const functions: OnnxFunction[] = [];
  let irVersion = 0;
  let graph: OnnxGraph | undefined;
  while (message.next()) {
    if (message.field === 1) irVersion = message.integer();
    else if (message.field === 7) graph = yield* readGraph(message.message(), external, 0);
    else if (message.field === 8) readOpset(message.message(), opsets);
    else if (message.field === 25) functions.push(readFunction(message.message(), external));
  }
  if (irVersion < 1 || graph === undefined) throw new Damaged("it has no graph");
  // Files before IR version 3 have no operator set version.
  if (irVersion < 3 && !opsets.has("")) opsets.set("", 1);
  return { opsets, graph, functions };
}

function readOpset(message: Message, opsets: Map<string, number>): void {
  const { domain, version } = readFields(message, { domain: "", version: 0 }, OPSET);
  opsets.set(domain, version);
}

const OPSET: Fields<{ domain: string; version: number }> = {
  1: (opset, message) => opset.domain = plainDomain(message.string()),
  2: (opset, message) => opset.version = message.integer(),
};

/** The empty name and `ai.onnx` mean the same domain. */
function plainDomain(domain: string): string {
  return domain === "ai.onnx" ? "" : domain;
}

function* readGraph(message: Message, external: ExternalData, depth: number): Steps<OnnxGraph> {
  if (depth > MAX_DEPTH) throw new Damaged(`graphs are nested more than ${MAX_DEPTH} deep`);
  const nodes: OnnxNode[] = [];
  const initializers = new Map<string, KnownTensor>();
  const inputs: ValueInfo[] = [], outputs: ValueInfo[] = [];
  const values: Message[] = [];
  while (message.next()) {
    switch (message.field) {
      case 1: {
        const { node, bodies } = readNode(message.message(), external);
        for (const [name, body] of bodies) {
          node.attributes.set(name, { kind: "graph", value: yield* readGraph(body, external, depth + 1) });
        }
        const constant = constantOf(node);
        if (constant) initializers.set(node.outputs[0]!, constant);
        else nodes.push(node);
        yield;
        break;
      }
      case 5: {
        const { name, tensor } = readTensor(message.message(), external);
        initializers.set(name, tensor);
        yield;
        break;
      }
      case 11:
        inputs.push(readValueInfo(message.message()));
        break;
      case 12:
        outputs.push(readValueInfo(message.message()));
        break;
      case 13:
        values.push(message.message());
        break;
      case 15: {
        const { name, tensor } = readSparse(message.message(), external);
        initializers.set(name, tensor);
        break;
      }
    }
  }
  return {
    nodes,
    initializers,
    inputs: inputs.filter(({ name }) => !initializers.has(name)),
    outputs,
    values: valuesOf(values),
  };
}

/** Reads value infos on demand. Damaged ones are ignored. */
function valuesOf(messages: readonly Message[]): () => ReadonlyMap<string, ValueInfo> {
  let found: Map<string, ValueInfo> | undefined;
  return () => {
    if (found) return found;
    found = new Map();
    for (const message of messages) {
      try {
        const info = readValueInfo(message);
        found.set(info.name, info);
      } catch (error) {
        if (!(error instanceof Damaged)) throw error;
      }
    }
    return found;
  };
}

/** The tensor of a Constant node, which is then treated like an initializer. */
function constantOf({ domain, operator, outputs, attributes }: OnnxNode): KnownTensor | undefined {
  const value = attributes.get("value");
  return domain === "" && operator === "Constant" && outputs.length === 1 && value?.kind === "tensor"
    ? value.value
    : undefined;
}

/** The name and shape of a sparse tensor; its elements are not read. */
function readSparse(message: Message, external: ExternalData): { name: string; tensor: KnownTensor } {
  const { name, shape } = readFields(message, { name: "", shape: [], external }, SPARSE);
  return { name, tensor: { type: "other", shape, bytes: new Uint8Array(0) } };
}

const SPARSE: Fields<{ name: string; readonly shape: number[]; readonly external: ExternalData }> = {
  1: (sparse, message) => sparse.name = readTensor(message.message(), sparse.external).name,
  3: (sparse, message) => message.integers(sparse.shape),
};

/** A node, and its graph attributes, which are read in steps, since they may be large. */
function readNode(message: Message, external: ExternalData) {
  let domain = "", operator = "", name = "";
  const inputs: string[] = [], outputs: string[] = [];
  const attributes = new Map<string, Attribute>();
  const bodies: [name: string, graph: Message][] = [];
  while (message.next()) {
    const { field } = message;
    if (field === 1) inputs.push(message.string());
    else if (field === 2) outputs.push(message.string());
    else if (field === 3) name = message.string();
    else if (field === 4) operator = message.string();
    else if (field === 5) {
      const { name, value } = readAttribute(message.message(), external);
      if (value instanceof Message) bodies.push([name, value]);
      else attributes.set(name, value);
    } else if (field === 7) domain = plainDomain(message.string());
  }
  return { node: { domain, operator, name, inputs, outputs, attributes }, bodies };
}

/** An attribute; the value of a graph attribute is the message of the graph. */
function readAttribute(message: Message, external: ExternalData): { name: string; value: Attribute | Message } {
  const fields = emptyAttribute();
  while (message.next()) readAttributeField(message, fields, external);
  return { name: fields.name, value: attribute(fields) };
}

type AttributeFields = ReturnType<typeof emptyAttribute>;

function emptyAttribute() {
  return {
    name: "",
    type: 0,
    reference: "",
    float: 0,
    int: 0,
    text: "",
    tensor: undefined as KnownTensor | undefined,
    graph: undefined as Message | undefined,
    floats: [] as number[],
    ints: [] as number[],
    strings: [] as string[],
  };
}

function readAttributeField(message: Message, fields: AttributeFields, external: ExternalData): void {
  const { field } = message;
  if (field === 1) fields.name = message.string();
  else if (field === 2) fields.float = message.float();
  else if (field === 3) fields.int = message.integer();
  else if (field === 4) fields.text = message.string();
  else if (field === 5) fields.tensor = readTensor(message.message(), external).tensor;
  else if (field === 6) fields.graph = message.message();
  else if (field === 7) message.floats(fields.floats);
  else if (field === 8) message.integers(fields.ints);
  else if (field === 9) fields.strings.push(message.string());
  else if (field === 20) fields.type = message.integer();
  else if (field === 21) fields.reference = message.string();
}

/** The last number of AttributeProto.AttributeType. Types that `valueOf` lacks are not supported. */
const LAST_TYPE = 14;

function attribute(fields: AttributeFields): Attribute | Message {
  const { name, reference, type } = fields;
  if (reference !== "") return { kind: "reference", value: reference };
  const value = valueOf(fields);
  if (value !== undefined) return value;
  throw new Damaged(`the attribute ${JSON.stringify(name)} has no value of its type, ${type}`);
}

/** The value of an attribute's type; `undefined` if the field is missing, or ONNX does not have the type. */
function valueOf({ type, float, int, text, tensor, graph, floats, ints, strings }: AttributeFields) {
  switch (type) {
    case 1:
      return { kind: "float", value: float } as const;
    case 2:
      return { kind: "int", value: int } as const;
    case 3:
      return { kind: "string", value: text } as const;
    case 4:
      return tensor && { kind: "tensor", value: tensor } as const;
    case 5:
      return graph;
    case 6:
      return { kind: "floats", value: floats } as const;
    case 7:
      return { kind: "ints", value: ints } as const;
    case 8:
      return { kind: "strings", value: strings } as const;
    default:
      return type >= 1 && type <= LAST_TYPE ? { kind: "other", value: `kind ${type}` } as const : undefined;
  }
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

function readValueInfo(message: Message): ValueInfo {
  return readFields(message, { name: "", type: undefined, typeName: "of no type", shape: undefined }, VALUE_INFO);
}

const VALUE_INFO: Fields<Writable<ValueInfo>> = {
  1: (info, message) => info.name = message.string(),
  2: (info, message) => readFields(message.message(), info, TYPE),
};

const TYPE: Fields<Writable<ValueInfo>> = {
  1: (info, message) => readFields(message.message(), info, TENSOR_TYPE),
  4: (info) => info.typeName = "sequence",
  5: (info) => info.typeName = "map",
  8: (info) => info.typeName = "sparse tensor",
  9: (info) => info.typeName = "optional",
};

const TENSOR_TYPE: Fields<Writable<ValueInfo>> = {
  1: (info, message) => {
    const code = message.integer();
    info.type = elementType(code);
    info.typeName = typeName(code);
  },
  2: (info, message) => info.shape = readFields(message.message(), [], SHAPE),
};

const SHAPE: Fields<Dimension[]> = {
  1: (shape, message) => shape.push(dimensionOf(readFields(message.message(), { value: null }, DIMENSION))),
};

const DIMENSION: Fields<{ value: Dimension }> = {
  1: (dimension, message) => dimension.value = message.integer(),
  2: (dimension, message) => dimension.value = message.string(),
};

/** An empty name, the name `?` and a negative size mean a free dimension without a name. */
function dimensionOf({ value }: { readonly value: Dimension }): Dimension {
  const isFree = typeof value === "number" ? value < 0 : value === "" || value === "?";
  return isFree ? null : value;
}

/** A graph attribute of a function, read in one step, because functions are small. */
function bodyOf(graph: Message, external: ExternalData): Attribute {
  return { kind: "graph", value: finish(readGraph(graph, external, 1)) };
}

function readFunction(message: Message, external: ExternalData): OnnxFunction {
  const { external: _, ...called } = readFields(message, emptyFunction(external), FUNCTION);
  return called;
}

function emptyFunction(external: ExternalData) {
  return {
    domain: "",
    name: "",
    inputs: [] as string[],
    outputs: [] as string[],
    defaults: new Map<string, Attribute>(),
    nodes: [] as OnnxNode[],
    opsets: new Map<string, number>(),
    external,
  };
}

const FUNCTION: Fields<ReturnType<typeof emptyFunction>> = {
  1: (called, message) => called.name = message.string(),
  4: (called, message) => called.inputs.push(message.string()),
  5: (called, message) => called.outputs.push(message.string()),
  7: (called, message) => {
    const { node, bodies } = readNode(message.message(), called.external);
    for (const [name, body] of bodies) node.attributes.set(name, bodyOf(body, called.external));
    called.nodes.push(node);
  },
  9: (called, message) => readOpset(message.message(), called.opsets),
  10: (called, message) => called.domain = plainDomain(message.string()),
  11: (called, message) => {
    const { name, value } = readAttribute(message.message(), called.external);
    called.defaults.set(name, value instanceof Message ? bodyOf(value, called.external) : value);
  },
};
