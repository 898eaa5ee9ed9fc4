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
import { Damaged, Message } from "./protobuf.ts";
import { elementType, typeName } from "./element_type.ts";
import { type ExternalData, readTensor } from "./tensor.ts";

/** The maximum depth of nested graphs. */
const MAX_DEPTH = 32;

/**
 * Reads a model. Initializers are views of `bytes`.
 * @throws {TypeError} if the bytes are damaged or not an ONNX model
 */
export function* readModel(bytes: Uint8Array, external: ExternalData): Steps<ModelProto> {
  try {
    return yield* model(new Message(bytes), external);
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
  let domain = "", version = 0;
  while (message.next()) {
    if (message.field === 1) domain = plainDomain(message.string());
    else if (message.field === 2) version = message.integer();
  }
  opsets.set(domain, version);
}

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
  let name = "";
  const shape: number[] = [];
  while (message.next()) {
    if (message.field === 1) name = readTensor(message.message(), external).name;
    else if (message.field === 3) message.integers(shape);
  }
  return { name, tensor: { type: "other", shape, bytes: new Uint8Array(0) } };
}

/** A node that is being read. */
interface ReadNode {
  readonly node: OnnxNode & { readonly attributes: Map<string, Attribute> };
  /** The graph attributes, which are read in steps, since they may be large. */
  readonly bodies: readonly (readonly [name: string, graph: Message])[];
}

function readNode(message: Message, external: ExternalData): ReadNode {
  const inputs: string[] = [], outputs: string[] = [];
  const attributes = new Map<string, Attribute>();
  const bodies: [string, Message][] = [];
  let domain = "", operator = "", name = "";
  while (message.next()) {
    switch (message.field) {
      case 1:
        inputs.push(message.string());
        break;
      case 2:
        outputs.push(message.string());
        break;
      case 3:
        name = message.string();
        break;
      case 4:
        operator = message.string();
        break;
      case 5: {
        const found = readAttribute(message.message(), external);
        if (found.value instanceof Message) bodies.push([found.name, found.value]);
        else attributes.set(found.name, found.value);
        break;
      }
      case 7:
        domain = plainDomain(message.string());
    }
  }
  return { node: { domain, operator, name, inputs, outputs, attributes }, bodies };
}

/** The fields of an AttributeProto. */
interface AttributeFields {
  name: string;
  type: number;
  reference: string;
  float: number;
  int: number;
  text: string;
  tensor: KnownTensor | undefined;
  graph: Message | undefined;
  floats: number[];
  ints: number[];
  strings: string[];
}

/** An attribute; the value of a graph attribute is the message of the graph. */
function readAttribute(message: Message, external: ExternalData): { name: string; value: Attribute | Message } {
  const fields: AttributeFields = {
    name: "",
    type: 0,
    reference: "",
    float: 0,
    int: 0,
    text: "",
    tensor: undefined,
    graph: undefined,
    floats: [],
    ints: [],
    strings: [],
  };
  while (message.next()) readAttributeField(message, fields, external);
  return { name: fields.name, value: attribute(fields) };
}

function readAttributeField(message: Message, fields: AttributeFields, external: ExternalData): void {
  switch (message.field) {
    case 1:
      fields.name = message.string();
      break;
    case 2:
      fields.float = message.float();
      break;
    case 3:
      fields.int = message.integer();
      break;
    case 4:
      fields.text = message.string();
      break;
    case 5:
      fields.tensor = readTensor(message.message(), external).tensor;
      break;
    case 6:
      fields.graph = message.message();
      break;
    case 7:
      message.floats(fields.floats);
      break;
    case 8:
      message.integers(fields.ints);
      break;
    case 9:
      fields.strings.push(message.string());
      break;
    case 20:
      fields.type = message.integer();
      break;
    case 21:
      fields.reference = message.string();
  }
}

/** The value for a number of AttributeProto.AttributeType; `undefined` if the field is missing. */
const VALUES: Readonly<Record<number, (fields: AttributeFields) => Attribute | Message | undefined>> = {
  1: ({ float }) => ({ kind: "float", value: float }),
  2: ({ int }) => ({ kind: "int", value: int }),
  3: ({ text }) => ({ kind: "string", value: text }),
  4: ({ tensor }) => tensor && { kind: "tensor", value: tensor },
  5: ({ graph }) => graph,
  6: ({ floats }) => ({ kind: "floats", value: floats }),
  7: ({ ints }) => ({ kind: "ints", value: ints }),
  8: ({ strings }) => ({ kind: "strings", value: strings }),
};

/** The last number of AttributeType. Types without a reader here are not supported. */
const LAST_TYPE = 14;

function attribute(fields: AttributeFields): Attribute | Message {
  const { name, reference, type } = fields;
  if (reference !== "") return { kind: "reference", value: reference };
  const value = VALUES[type]?.(fields);
  if (value !== undefined) return value;
  if (!(type in VALUES) && type >= 1 && type <= LAST_TYPE) return { kind: "other", value: `kind ${type}` };
  throw new Damaged(`the attribute ${JSON.stringify(name)} has no value of the kind ${type}`);
}

function readValueInfo(message: Message): ValueInfo {
  let name = "";
  let type: Omit<ValueInfo, "name"> = { type: undefined, typeName: "of no type", shape: undefined };
  while (message.next()) {
    if (message.field === 1) name = message.string();
    else if (message.field === 2) type = readType(message.message());
  }
  return { name, ...type };
}

/** TypeProto. */
function readType(message: Message): Omit<ValueInfo, "name"> {
  let found: Omit<ValueInfo, "name"> = { type: undefined, typeName: "of no type", shape: undefined };
  while (message.next()) {
    if (message.field === 1) found = readTensorType(message.message());
    else if (message.field === 4) found = { ...found, typeName: "sequence" };
    else if (message.field === 5) found = { ...found, typeName: "map" };
    else if (message.field === 8) found = { ...found, typeName: "sparse tensor" };
    else if (message.field === 9) found = { ...found, typeName: "optional" };
  }
  return found;
}

function readTensorType(message: Message): Omit<ValueInfo, "name"> {
  let code = 0;
  let shape: Dimension[] | undefined;
  while (message.next()) {
    if (message.field === 1) code = message.integer();
    else if (message.field === 2) shape = readShape(message.message());
  }
  return { type: elementType(code), typeName: typeName(code), shape };
}

function readShape(message: Message): Dimension[] {
  const shape: Dimension[] = [];
  while (message.next()) {
    if (message.field === 1) shape.push(readDimension(message.message()));
  }
  return shape;
}

/** Empty names and negative sizes are free dimensions without a name. */
function readDimension(message: Message): Dimension {
  let dimension: Dimension = null;
  while (message.next()) {
    if (message.field === 1) dimension = message.integer();
    else if (message.field === 2) dimension = message.string();
  }
  if (typeof dimension === "number") return dimension < 0 ? null : dimension;
  return dimension === "" || dimension === "?" ? null : dimension;
}

/** A graph attribute, read at once: functions are small. */
function bodyOf(graph: Message, external: ExternalData): Attribute {
  return { kind: "graph", value: finish(readGraph(graph, external, 1)) };
}

function readFunction(message: Message, external: ExternalData): OnnxFunction {
  const inputs: string[] = [], outputs: string[] = [];
  const defaults = new Map<string, Attribute>();
  const nodes: OnnxNode[] = [];
  const opsets = new Map<string, number>();
  let domain = "", name = "";
  while (message.next()) {
    switch (message.field) {
      case 1:
        name = message.string();
        break;
      case 4:
        inputs.push(message.string());
        break;
      case 5:
        outputs.push(message.string());
        break;
      case 7: {
        const { node, bodies } = readNode(message.message(), external);
        for (const [name, body] of bodies) node.attributes.set(name, bodyOf(body, external));
        nodes.push(node);
        break;
      }
      case 9:
        readOpset(message.message(), opsets);
        break;
      case 10:
        domain = plainDomain(message.string());
        break;
      case 11: {
        const found = readAttribute(message.message(), external);
        defaults.set(found.name, found.value instanceof Message ? bodyOf(found.value, external) : found.value);
        break;
      }
    }
  }
  return { domain, name, inputs, outputs, defaults, nodes, opsets };
}
