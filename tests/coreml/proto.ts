/**
 * The messages of a Core ML model that the project uses, as descriptors for @bufbuild/protobuf. They are taken from
 * Model.proto, FeatureTypes.proto and MIL.proto of coremltools, and share no code with the encoder that they check.
 *
 * @see https://github.com/apple/coremltools/tree/main/mlmodel/format
 * @module
 */
import { create, createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";

/** Fields by name: number and type. `T[]` is a repeated field, `{T}` a map from strings. */
const MESSAGES = {
  Model: { specificationVersion: [1, "int32"], description: [2, "ModelDescription"], mlProgram: [502, "Program"] },
  ModelDescription: { input: [1, "FeatureDescription[]"], output: [10, "FeatureDescription[]"] },
  FeatureDescription: { name: [1, "string"], type: [3, "FeatureType"] },
  FeatureType: { multiArrayType: [5, "ArrayFeatureType"] },
  ArrayFeatureType: { shape: [1, "int64[]"], dataType: [2, "int32"] },
  Program: { version: [1, "int64"], functions: [2, "{Function}"] },
  Function: { inputs: [1, "NamedValueType[]"], opset: [2, "string"], blockSpecializations: [3, "{Block}"] },
  Block: { outputs: [2, "string[]"], operations: [3, "Operation[]"] },
  Operation: {
    type: [1, "string"],
    inputs: [2, "{Argument}"],
    outputs: [3, "NamedValueType[]"],
    attributes: [5, "{Value}"],
  },
  Argument: { arguments: [1, "Binding[]"] },
  Binding: { name: [1, "string"], value: [2, "Value"] },
  NamedValueType: { name: [1, "string"], type: [2, "ValueType"] },
  ValueType: { tensorType: [1, "TensorType"] },
  TensorType: { dataType: [1, "int32"], rank: [2, "int64"], dimensions: [3, "Dimension[]"] },
  Dimension: { constant: [1, "ConstantDimension"] },
  ConstantDimension: { size: [1, "uint64"] },
  Value: { type: [2, "ValueType"], immediateValue: [3, "ImmediateValue"], blobFileValue: [5, "BlobFileValue"] },
  ImmediateValue: { tensor: [1, "TensorValue"] },
  BlobFileValue: { fileName: [1, "string"], offset: [2, "uint64"] },
  TensorValue: {
    floats: [1, "RepeatedFloats"],
    ints: [2, "RepeatedInts"],
    bools: [3, "RepeatedBools"],
    strings: [4, "RepeatedStrings"],
    bytes: [7, "RepeatedBytes"],
  },
  RepeatedFloats: { values: [1, "float[]"] },
  RepeatedInts: { values: [1, "int32[]"] },
  RepeatedBools: { values: [1, "bool[]"] },
  RepeatedStrings: { values: [1, "string[]"] },
  RepeatedBytes: { values: [1, "bytes"] },
} as const;

interface Scalars {
  int32: number;
  int64: bigint;
  uint64: bigint;
  float: number;
  bool: boolean;
  string: string;
  bytes: Uint8Array;
}

const SCALARS: Readonly<Record<keyof Scalars, FieldDescriptorProto_Type>> = {
  int32: FieldDescriptorProto_Type.INT32,
  int64: FieldDescriptorProto_Type.INT64,
  uint64: FieldDescriptorProto_Type.UINT64,
  float: FieldDescriptorProto_Type.FLOAT,
  bool: FieldDescriptorProto_Type.BOOL,
  string: FieldDescriptorProto_Type.STRING,
  bytes: FieldDescriptorProto_Type.BYTES,
};

type MessageName = keyof typeof MESSAGES;
type Element<T> = T extends keyof Scalars ? Scalars[T] : T extends MessageName ? Message<T> : never;
type Field<T> = T extends `${infer E}[]` ? readonly Element<E>[]
  : T extends `{${infer E}}` ? Readonly<Record<string, Element<E>>>
  : T extends MessageName ? Message<T> | undefined
  : Element<T>;

/** A decoded message. An absent scalar is zero or empty; an absent message is `undefined`. */
export type Message<Name extends MessageName> = {
  readonly [F in keyof (typeof MESSAGES)[Name]]: (typeof MESSAGES)[Name][F] extends readonly [number, infer T]
    ? Field<T>
    : never;
};

const PACKAGE = "coreml";
const registry = createFileRegistry(fileDescriptor(), () => undefined);

/**
 * Decodes a message.
 * @throws {Error} if the bytes are not such a message, or have an unknown field
 */
export function decode<Name extends MessageName>(name: Name, bytes: Uint8Array): Message<Name> {
  const message = fromBinary(registry.getMessage(`${PACKAGE}.${name}`)!, bytes);
  rejectUnknownFields(message, name);
  return message as unknown as Message<Name>;
}

function rejectUnknownFields(value: unknown, path: string): void {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return;
  for (const [key, member] of Object.entries(value)) {
    if (key === "$unknown") throw new Error(`${path} has an unknown field ${member[0].no}`);
    rejectUnknownFields(member, `${path}.${key}`);
  }
}

function fileDescriptor() {
  const messageType = Object.entries(MESSAGES).map(([name, fields]) => {
    const entries = Object.entries(fields) as [string, readonly [number, string]][];
    return {
      name,
      field: entries.map(([field, [number, type]]) => fieldDescriptor(name, field, number, type)),
      nestedType: entries.filter(([, [, type]]) => type.startsWith("{")).map(([field, [, type]]) => ({
        name: entryName(field),
        options: { mapEntry: true },
        field: [fieldDescriptor(name, "key", 1, "string"), fieldDescriptor(name, "value", 2, type.slice(1, -1))],
      })),
    };
  });
  return create(FileDescriptorProtoSchema, { name: "coreml.proto", package: PACKAGE, syntax: "proto3", messageType });
}

function fieldDescriptor(message: string, name: string, number: number, type: string) {
  const isMap = type.startsWith("{");
  const element = type.replace("[]", "");
  const scalar = (SCALARS as Record<string, FieldDescriptorProto_Type>)[element];
  return {
    name,
    jsonName: name,
    number,
    label: isMap || type.endsWith("[]") ? FieldDescriptorProto_Label.REPEATED : FieldDescriptorProto_Label.OPTIONAL,
    type: scalar ?? FieldDescriptorProto_Type.MESSAGE,
    ...(scalar === undefined && { typeName: `.${PACKAGE}.${isMap ? `${message}.${entryName(name)}` : element}` }),
  };
}

/** Protobuf's name for the entries of a map. */
function entryName(field: string): string {
  return `${field[0]!.toUpperCase()}${field.slice(1)}Entry`;
}
