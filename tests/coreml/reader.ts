/**
 * Reads an ML Program from its model file, with @bufbuild/protobuf, and its file of weights. It accepts only what the
 * project writes, and throws an error for anything else.
 *
 * @module
 */
import type {
  MilConstant,
  MilData,
  MilOperation,
  MilProgram,
  MilType,
  MilValue,
} from "../../src/backends/coreml/mil.ts";
import { decode, type Message } from "./proto.ts";

const DATA_TYPES: Readonly<Record<number, MilType>> = {
  1: "bool",
  2: "string",
  10: "fp16",
  11: "fp32",
  21: "int8",
  23: "int32",
  25: "int4",
  31: "uint8",
  35: "uint4",
};
/** ArrayFeatureType.ArrayDataType. */
const FEATURE_TYPES: Readonly<Record<number, MilType>> = { 65568: "fp32", 65552: "fp16", 131104: "int32" };
/** The types of records in the file of weights. */
const RECORD_TYPES: Readonly<Record<number, MilType>> = {
  1: "fp16",
  2: "fp32",
  3: "uint8",
  4: "int8",
  8: "int4",
  11: "uint4",
  14: "int32",
};
const BITS: Readonly<Record<Exclude<MilType, "string">, number>> = {
  fp32: 32,
  fp16: 16,
  int32: 32,
  int8: 8,
  uint8: 8,
  int4: 4,
  uint4: 4,
  bool: 8,
};
const OPSETS: Readonly<Record<number, string>> = { 8: "CoreML7", 9: "CoreML8" };
const ALIGNMENT = 64;
const SENTINEL = 0xdeadbeef;
const WEIGHTS = "@model_path/weights/weight.bin";

/**
 * Reads the program in a model file and its file of weights.
 *
 * Constants are in the order of their `const` operations. Inline values of a `constexpr_` operation become its
 * `attributes`; they have no names, so they are named `<operation>_<parameter>`. Inputs that refer to a constant are
 * the same object as in `constants`. The data of large constants are views of `weights`.
 * @throws {Error} if the files are malformed or inconsistent
 */
export function readProgram(model: Uint8Array, weights: Uint8Array): MilProgram {
  const { specificationVersion, description, mlProgram } = decode("Model", model);
  if (specificationVersion !== 8 && specificationVersion !== 9) {
    throw new Error(`unknown version ${specificationVersion}`);
  }
  const main = mlProgram?.functions["main"];
  const block = main?.blockSpecializations[main.opset];
  if (mlProgram?.version !== 1n || main === undefined || block === undefined) throw new Error("no function main");
  if (main.opset !== OPSETS[specificationVersion]) {
    throw new Error(`opset ${main.opset} in version ${specificationVersion}`);
  }

  const inputs = main.inputs.map(readNamedType);
  const constants: MilConstant[] = [];
  const operations: MilOperation[] = [];
  const values = new Map<string, MilValue>();
  const define = (value: MilValue) => {
    if (values.has(value.name)) throw new Error(`${value.name} is defined twice`);
    values.set(value.name, value);
  };
  inputs.forEach(define);
  for (const operation of block.operations) {
    if (operation.type === "const") {
      constants.push(readConstant(operation, weights));
      define(constants.at(-1)!);
    } else {
      operations.push(readOperation(operation, values, weights));
      operations.at(-1)!.outputs.forEach(define);
    }
  }
  const outputs = block.outputs.map((name) => valueNamed(values, name, "an output of the program"));
  checkFeatures("input", description?.input ?? [], inputs);
  checkFeatures("output", description?.output ?? [], outputs);
  checkWeightFile(weights);
  return { specificationVersion, inputs, constants, operations, outputs };
}

function readConstant({ attributes, inputs, outputs }: Message<"Operation">, weights: Uint8Array): MilConstant {
  const [output] = outputs.map(readNamedType);
  const value = attributes["val"];
  if (output === undefined || outputs.length !== 1 || value === undefined) {
    throw new Error("a const must have the attribute val and one output");
  }
  const name = readName(attributes);
  if (name !== output.name) throw new Error(`the output of const ${name} is named ${output.name}`);
  const others = [...Object.keys(inputs), ...Object.keys(attributes)].filter((key) => key !== "name" && key !== "val");
  if (others.length > 0) throw new Error(`const ${name} has unknown parameters: ${others}`);
  const constant = readValue(name, value, weights);
  if (!sameType(constant, output)) throw new Error(`const ${name}: the types of val and output differ`);
  return constant;
}

function readOperation(
  operation: Message<"Operation">,
  values: ReadonlyMap<string, MilValue>,
  weights: Uint8Array,
): MilOperation {
  const { type, attributes: { name: _, ...written } } = operation;
  const name = readName(operation.attributes);
  const inputs: Record<string, MilValue | MilValue[]> = {};
  const attributes: Record<string, MilConstant> = {};
  for (const [key, value] of Object.entries(written)) attributes[key] = readValue(`${name}_${key}`, value, weights);
  for (const [key, { arguments: bindings }] of Object.entries(operation.inputs)) {
    const literal = bindings[0]?.value;
    if (literal !== undefined) attributes[key] = readValue(`${name}_${key}`, literal, weights);
    else {
      const bound = bindings.map((binding) => valueNamed(values, binding.name, `${type} ${name}, ${key}`));
      inputs[key] = bound.length === 1 ? bound[0]! : bound;
    }
  }
  const hasAttributes = Object.keys(attributes).length > 0;
  return { type, name, inputs, outputs: operation.outputs.map(readNamedType), ...(hasAttributes && { attributes }) };
}

function valueNamed(values: ReadonlyMap<string, MilValue>, name: string, where: string): MilValue {
  const value = values.get(name);
  if (value === undefined) throw new Error(`${where}: ${name} is not defined before`);
  return value;
}

function readName(attributes: Message<"Operation">["attributes"]): string {
  const name = attributes["name"]?.immediateValue?.tensor?.strings?.values[0];
  if (name === undefined) throw new Error("an operation has no name");
  return name;
}

function readNamedType({ name, type }: Message<"NamedValueType">): MilValue {
  return { name, ...readType(type) };
}

function readType(type: Message<"ValueType"> | undefined): Omit<MilValue, "name"> {
  const { dataType, rank, dimensions } = type?.tensorType ?? { dataType: 0, rank: 0n, dimensions: [] };
  const known = DATA_TYPES[dataType];
  if (known === undefined || Number(rank) !== dimensions.length) {
    throw new Error(`unknown type ${dataType} of rank ${rank}`);
  }
  return { dataType: known, shape: dimensions.map(({ constant }) => Number(constant?.size)) };
}

function readValue(name: string, value: Message<"Value">, weights: Uint8Array): MilConstant {
  const type = readType(value.type);
  const data = value.blobFileValue !== undefined
    ? readRecord(value.blobFileValue, type.dataType, weights)
    : readImmediate(value.immediateValue?.tensor, type.dataType);
  if (data.length !== byteLengthOf(type) && typeof data !== "string") {
    throw new Error(`${name} has ${data.length} bytes, not ${byteLengthOf(type)}`);
  }
  return { name, ...type, data };
}

function readImmediate(tensor: Message<"TensorValue"> | undefined, dataType: MilType): MilData {
  switch (dataType) {
    case "fp32":
      return bytesOf(Float32Array.from(tensor!.floats!.values));
    case "int32":
      return bytesOf(Int32Array.from(tensor!.ints!.values));
    case "bool":
      return Uint8Array.from(tensor!.bools!.values, Number);
    case "string":
      return tensor!.strings!.values[0]!;
    default:
      return tensor!.bytes!.values;
  }
}

function readRecord(blob: Message<"BlobFileValue">, dataType: MilType, weights: Uint8Array): Uint8Array {
  if (blob.fileName !== WEIGHTS) throw new Error(`weights are in ${blob.fileName}, not in ${WEIGHTS}`);
  const record = recordAt(weights, Number(blob.offset));
  if (record.dataType !== dataType) throw new Error(`the record at ${blob.offset} has ${record.dataType}`);
  return record.data;
}

interface WeightRecord {
  dataType: MilType | undefined;
  data: Uint8Array;
  /** The offset of the next record, or of the end of the file. */
  end: number;
}

function recordAt(weights: Uint8Array, offset: number): WeightRecord {
  const view = new DataView(weights.buffer, weights.byteOffset, weights.byteLength);
  if (offset % ALIGNMENT !== 0 || view.getUint32(offset, true) !== SENTINEL) throw new Error(`no record at ${offset}`);
  const byteLength = Number(view.getBigUint64(offset + 8, true));
  const start = Number(view.getBigUint64(offset + 16, true));
  const end = Math.ceil((start + byteLength) / ALIGNMENT) * ALIGNMENT;
  if (start !== offset + ALIGNMENT || end > weights.length) throw new Error(`the record at ${offset} exceeds the file`);
  if (weights.subarray(start + byteLength, end).some((byte) => byte !== 0)) {
    throw new Error(`the padding of the record at ${offset} is not zero`);
  }
  return {
    dataType: RECORD_TYPES[view.getUint32(offset + 4, true)],
    data: weights.subarray(start, start + byteLength),
    end,
  };
}

/** Checks the header, and that its records fill the file. */
function checkWeightFile(weights: Uint8Array): void {
  const view = new DataView(weights.buffer, weights.byteOffset, weights.byteLength);
  if (view.getUint32(4, true) !== 2) throw new Error("the file of weights is not of version 2");
  let offset = ALIGNMENT;
  for (let left = view.getUint32(0, true); left > 0; left--) offset = recordAt(weights, offset).end;
  if (offset !== weights.length) {
    throw new Error(`the records end at ${offset}, the file of weights at ${weights.length}`);
  }
}

/** Checks that the features of the model match the values of its function. */
function checkFeatures(kind: string, features: readonly Message<"FeatureDescription">[], values: readonly MilValue[]) {
  if (features.length !== values.length) throw new Error(`${features.length} features for ${values.length} ${kind}s`);
  features.forEach(({ name, type }, i) => {
    const { shape, dataType } = type?.multiArrayType ?? { shape: [], dataType: 0 };
    const feature = { name, dataType: FEATURE_TYPES[dataType]!, shape: shape.map(Number) };
    if (name !== values[i]!.name || !sameType(feature, values[i]!)) {
      throw new Error(`the feature of ${kind} ${name} has another name or type`);
    }
  });
}

function sameType(a: MilValue, b: MilValue): boolean {
  return a.dataType === b.dataType && a.shape.join() === b.shape.join();
}

function byteLengthOf({ dataType, shape }: Omit<MilValue, "name">): number {
  if (dataType === "string") return 0;
  return Math.ceil(shape.reduce((count, dimension) => count * dimension, 1) * BITS[dataType] / 8);
}

function bytesOf(array: Float32Array | Int32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
