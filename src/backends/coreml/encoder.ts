/**
 * Encodes an ML Program as the bytes of a model file, in the form that Apple's exporter writes: every constant is a
 * `const` operation, every operation has a name, and parameters are passed by name.
 *
 * @see https://github.com/apple/coremltools/tree/main/mlmodel/format
 * @module
 */
import type { MilConstant, MilOperation, MilProgram, MilTensorType, MilType, MilValue } from "./mil.ts";
import { ProtobufWriter } from "../common/protobuf.ts";
import { layOutWeights, type WeightFile } from "./weights.ts";

/** A program as the contents of the two files of its package. */
export interface EncodedProgram {
  /** The model file. Equal programs give equal bytes. */
  readonly model: Uint8Array<ArrayBuffer>;
  /** The file of weights, for {@linkcode weightParts}. */
  readonly weights: WeightFile;
}

/** The operator set of each version of the specification. */
const OPSETS = { 8: "CoreML7", 9: "CoreML8" } as const;

const WEIGHTS_REFERENCE = "@model_path/weights/weight.bin";

/** MILSpec.DataType. */
const DATA_TYPES: Readonly<Record<MilType, number>> = {
  bool: 1,
  string: 2,
  fp16: 10,
  fp32: 11,
  int8: 21,
  int32: 23,
  int4: 25,
  uint8: 31,
  uint4: 35,
};

/** ArrayFeatureType.ArrayDataType. */
const FEATURE_TYPES: Readonly<Partial<Record<MilType, number>>> = { fp32: 65568, fp16: 65552, int32: 131104 };

/** The field of a TensorValue for each type. All types but int32 and string are stored as raw bytes. */
const VALUE_FIELDS: Readonly<Record<MilType, number>> = {
  fp32: 1,
  int32: 2,
  bool: 3,
  string: 4,
  fp16: 7,
  int8: 7,
  uint8: 7,
  int4: 7,
  uint4: 7,
};

/** The operations that store their values in attributes; newer ones store them inline among the inputs. */
const CONSTEXPR_WITH_ATTRIBUTES: readonly string[] = [
  "constexpr_affine_dequantize",
  "constexpr_cast",
  "constexpr_lut_to_dense",
  "constexpr_sparse_to_dense",
];

/** The field numbers of each message. Messages with a single field have no table. */
const MODEL = { specificationVersion: 1, description: 2, mlProgram: 502 };
const DESCRIPTION = { input: 1, output: 10 };
const FEATURE = { name: 1, type: 3, multiArrayType: 5 };
const ARRAY_FEATURE = { shape: 1, dataType: 2 };
const PROGRAM = { version: 1, functions: 2 };
const FUNCTION = { inputs: 1, opset: 2, blocks: 3 };
const BLOCK = { outputs: 2, operations: 3 };
const OPERATION = { type: 1, inputs: 2, outputs: 3, attributes: 5 };
const BINDINGS = 1;
const BINDING = { name: 1, value: 2 };
const NAMED_TYPE = { name: 1, type: 2 };
const TENSOR_TYPE = { dataType: 1, rank: 2, dimensions: 3 };
const VALUE = { type: 2, immediate: 3, blob: 5 };
const BLOB = { fileName: 1, offset: 2 };
const ONLY = 1;
const ENTRY = { key: 1, value: 2 };

/** Encodes `program`. The bytes of large constants are not copied until the file of weights is written. */
export function encodeProgram(program: MilProgram): EncodedProgram {
  const weights = layOutWeights(program);
  const writer = new ProtobufWriter();
  writer.integer(MODEL.specificationVersion, program.specificationVersion);
  writer.message(MODEL.description, () => {
    for (const value of program.inputs) writeFeature(writer, DESCRIPTION.input, value);
    for (const value of program.outputs) writeFeature(writer, DESCRIPTION.output, value);
  });
  writer.message(MODEL.mlProgram, () => {
    writer.integer(PROGRAM.version, 1);
    writeEntry(writer, PROGRAM.functions, "main", () => writeFunction(writer, program, weights));
  });
  return { model: writer.bytes, weights };
}

function writeFeature(writer: ProtobufWriter, field: number, { name, dataType, shape }: MilValue): void {
  writer.message(field, () => {
    writer.string(FEATURE.name, name);
    writer.message(FEATURE.type, () =>
      writer.message(FEATURE.multiArrayType, () => {
        writer.integers(ARRAY_FEATURE.shape, shape);
        writer.integer(ARRAY_FEATURE.dataType, FEATURE_TYPES[dataType]!);
      }));
  });
}

function writeFunction(writer: ProtobufWriter, program: MilProgram, weights: WeightFile): void {
  const opset = OPSETS[program.specificationVersion];
  for (const input of program.inputs) writeNamedType(writer, FUNCTION.inputs, input);
  writer.string(FUNCTION.opset, opset);
  writeEntry(writer, FUNCTION.blocks, opset, () => {
    for (const output of program.outputs) writer.string(BLOCK.outputs, output.name);
    for (const constant of program.constants) {
      writer.message(BLOCK.operations, () => writeConst(writer, constant, weights));
    }
    for (const operation of program.operations) {
      writer.message(BLOCK.operations, () => writeOperation(writer, operation, weights));
    }
  });
}

function writeConst(writer: ProtobufWriter, constant: MilConstant, weights: WeightFile): void {
  writer.string(OPERATION.type, "const");
  writeNamedType(writer, OPERATION.outputs, constant);
  writeOperationName(writer, constant.name);
  writeEntry(writer, OPERATION.attributes, "val", () => writeValue(writer, constant, weights));
}

function writeOperation(writer: ProtobufWriter, operation: MilOperation, weights: WeightFile): void {
  const { type, name, inputs, outputs, attributes = {} } = operation;
  writer.string(OPERATION.type, type);
  for (const [parameter, values] of Object.entries(inputs)) {
    writeEntry(writer, OPERATION.inputs, parameter, () => {
      for (const value of [values].flat()) {
        writer.message(BINDINGS, () => writer.string(BINDING.name, value.name));
      }
    });
  }
  const areAttributes = CONSTEXPR_WITH_ATTRIBUTES.includes(type);
  for (const [parameter, constant] of areAttributes ? [] : Object.entries(attributes)) {
    writeEntry(writer, OPERATION.inputs, parameter, () => {
      writer.message(BINDINGS, () => writer.message(BINDING.value, () => writeValue(writer, constant, weights)));
    });
  }
  for (const output of outputs) writeNamedType(writer, OPERATION.outputs, output);
  writeOperationName(writer, name);
  for (const [parameter, constant] of areAttributes ? Object.entries(attributes) : []) {
    writeEntry(writer, OPERATION.attributes, parameter, () => writeValue(writer, constant, weights));
  }
}

function writeOperationName(writer: ProtobufWriter, name: string): void {
  writeEntry(writer, OPERATION.attributes, "name", () => {
    writeType(writer, VALUE.type, { dataType: "string", shape: [] });
    writeImmediate(writer, { name, dataType: "string", shape: [], data: name });
  });
}

function writeNamedType(writer: ProtobufWriter, field: number, value: MilValue): void {
  writer.message(field, () => {
    writer.string(NAMED_TYPE.name, value.name);
    writeType(writer, NAMED_TYPE.type, value);
  });
}

/** A ValueType with a TensorType. A scalar has neither rank nor dimensions. */
function writeType(writer: ProtobufWriter, field: number, { dataType, shape }: MilTensorType): void {
  writer.message(field, () =>
    writer.message(ONLY, () => {
      writer.integer(TENSOR_TYPE.dataType, DATA_TYPES[dataType]);
      if (shape.length > 0) writer.integer(TENSOR_TYPE.rank, shape.length);
      for (const dimension of shape) {
        writer.message(TENSOR_TYPE.dimensions, () => writer.message(ONLY, () => writer.integer(ONLY, dimension)));
      }
    }));
}

function writeValue(writer: ProtobufWriter, constant: MilConstant, weights: WeightFile): void {
  writeType(writer, VALUE.type, constant);
  const offset = weights.offsets.get(constant);
  if (offset === undefined) return writeImmediate(writer, constant);
  writer.message(VALUE.blob, () => {
    writer.string(BLOB.fileName, WEIGHTS_REFERENCE);
    writer.integer(BLOB.offset, offset);
  });
}

function writeImmediate(writer: ProtobufWriter, { dataType, data }: MilConstant): void {
  writer.message(VALUE.immediate, () =>
    writer.message(ONLY, () =>
      writer.message(VALUE_FIELDS[dataType], () => {
        if (typeof data === "string") writer.string(ONLY, data);
        else if (dataType === "int32") writer.integers(ONLY, integersOf(data));
        else writer.raw(ONLY, data);
      })));
}

/** The elements of an int32 constant. Its bytes need not be aligned. */
function* integersOf(data: Uint8Array): Iterable<number> {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  for (let offset = 0; offset < data.byteLength; offset += 4) yield view.getInt32(offset, true);
}

/** Writes an entry of a map. */
function writeEntry(writer: ProtobufWriter, field: number, key: string, writeContent: () => void): void {
  writer.message(field, () => {
    writer.string(ENTRY.key, key);
    writer.message(ENTRY.value, writeContent);
  });
}
