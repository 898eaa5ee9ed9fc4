/**
 * The file of weights: constants that are too large for the model file. Each has a record, followed by its bytes.
 *
 * @see https://github.com/apple/coremltools/blob/main/mlmodel/src/MILBlob/Blob/StorageFormat.hpp
 * @module
 */
import { elementCount } from "../../shape.ts";
import type { MilConstant, MilProgram, MilType } from "./mil.ts";

/** Takes bytes in order. It must not use them after it returns or resolves. */
export interface ByteSink {
  /** Appends `bytes`. */
  write(bytes: Uint8Array): void | Promise<void>;
}

/** One constant in the file. */
export interface WeightRecord {
  /** The offset of the record, which the model file refers to. The bytes start 64 bytes later. */
  readonly offset: number;
  /** The element type, by its number in records. */
  readonly type: number;
  /** The elements, the constant's own bytes. */
  readonly data: Uint8Array;
  /** The number of unused bits in the last byte. */
  readonly unusedBits: number;
}

/** The layout of the file of weights. Nothing is copied until it is written. */
export interface WeightFile {
  /** In the order of the file. */
  readonly records: readonly WeightRecord[];
  /** The offset of each constant's record. Constants with the same bytes share a record. */
  readonly offsets: ReadonlyMap<MilConstant, number>;
  /** The size of the file, in bytes. */
  readonly byteLength: number;
}

const ALIGNMENT = 64;
const VERSION = 2;
const SENTINEL = 0xdeadbeef;

/** BlobDataType. */
const RECORD_TYPES: Readonly<Partial<Record<MilType, number>>> = {
  fp16: 1,
  fp32: 2,
  uint8: 3,
  int8: 4,
  int4: 8,
  uint4: 11,
  int32: 14,
};

/** Smaller constants go to the model file, as in coremltools. */
const MIN_ELEMENTS = 10;

/** Lays out the file of a program's large constants. */
export function layOutWeights(program: MilProgram): WeightFile {
  const records: WeightRecord[] = [];
  const offsets = new Map<MilConstant, number>();
  const shared = new WeakMap<ArrayBufferLike, Map<string, number>>();
  let byteLength = ALIGNMENT;
  for (const constant of constantsOf(program)) {
    const { data, dataType, shape } = constant;
    if (typeof data === "string" || !belongsInFile(constant, program.specificationVersion)) continue;
    const ranges = shared.get(data.buffer) ?? new Map<string, number>();
    shared.set(data.buffer, ranges);
    const range = `${dataType} ${data.byteOffset} ${data.byteLength}`;
    const written = ranges.get(range);
    offsets.set(constant, written ?? byteLength);
    if (written !== undefined) continue;
    ranges.set(range, byteLength);
    const unusedBits = dataType.endsWith("int4") ? elementCount(shape) % 2 * 4 : 0;
    records.push({ offset: byteLength, type: RECORD_TYPES[dataType]!, data, unusedBits });
    byteLength += ALIGNMENT + align(data.byteLength);
  }
  return { records, offsets, byteLength };
}

/** The parts of the file, in order. Each constant's bytes are one part, without a copy. */
export function* weightParts({ records }: WeightFile): Iterable<Uint8Array> {
  yield header(records.length);
  for (const record of records) {
    yield recordHeader(record);
    yield record.data;
    const padding = align(record.data.byteLength) - record.data.byteLength;
    if (padding > 0) yield new Uint8Array(padding);
  }
}

/** Every constant of a program, in the order of the model file. */
function* constantsOf({ constants, operations }: MilProgram): Iterable<MilConstant> {
  yield* constants;
  for (const { attributes = {} } of operations) yield* Object.values(attributes);
}

/** int32 constants may be in the file from version 9 on; booleans and strings never. */
function belongsInFile({ dataType, shape }: MilConstant, specificationVersion: number): boolean {
  if (elementCount(shape) < MIN_ELEMENTS || RECORD_TYPES[dataType] === undefined) return false;
  return dataType !== "int32" || specificationVersion >= 9;
}

function header(count: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(ALIGNMENT));
  view.setUint32(0, count, true);
  view.setUint32(4, VERSION, true);
  return new Uint8Array(view.buffer);
}

function recordHeader({ offset, type, data, unusedBits }: WeightRecord): Uint8Array {
  const view = new DataView(new ArrayBuffer(ALIGNMENT));
  view.setUint32(0, SENTINEL, true);
  view.setUint32(4, type, true);
  view.setBigUint64(8, BigInt(data.byteLength), true);
  view.setBigUint64(16, BigInt(offset + ALIGNMENT), true);
  view.setBigUint64(24, BigInt(unusedBits), true);
  return new Uint8Array(view.buffer);
}

function align(byteLength: number): number {
  return Math.ceil(byteLength / ALIGNMENT) * ALIGNMENT;
}
