/**
 * Measures how fast data is copied to and from Core ML's arrays, by shape. A tensor is such an array, so writing and
 * reading are one copy each, plus a conversion if Core ML does not have the data type. An output that Core ML has
 * allocated itself is copied from rows with gaps between them.
 *
 * @module
 */
import { createContext } from "@webnn/deno";
import { copyStrided, rowMajorStrides } from "../../src/backends/coreml/strides.ts";
import { randomArray } from "../../bench/support/random_array.ts";

/** The measurements of a shape. */
export interface Conversion {
  readonly shape: readonly number[];
  readonly dataType: DataType;
  /** Rates in GB/s of WebNN data, one per round: `writeTensor`, and `readTensor` into a buffer. */
  readonly write: readonly number[];
  readonly read: readonly number[];
  /** The rate of a copy from rows with gaps; none for types that Core ML does not have. */
  readonly gather: readonly number[];
}

type DataType = keyof typeof ARRAYS;

const ARRAYS = { float32: Float32Array, float16: Float16Array, uint8: Uint8Array } as const;
const SHAPES = [[1], [1000], [1, 3, 224, 224], [1, 112, 112, 32], [1024, 1024], [4096, 4096]];
/** Core ML aligns rows to this many bytes. */
const ROW_ALIGNMENT = 64;
/** The number of bytes to copy per turn. */
const TURN_BYTES = 2 ** 28;

/** Copies data of every shape and type. With 0 rounds, copies all but the largest once and measures nothing. */
export async function measureConversions(rounds: number, cacheDirectory: string): Promise<Conversion[]> {
  const context = await createContext({ backend: "coreml", fallback: false, cacheDirectory });
  try {
    const conversions: Conversion[] = [];
    for (const shape of rounds > 0 ? SHAPES : SHAPES.slice(0, -1)) {
      for (const dataType of Object.keys(ARRAYS) as DataType[]) {
        conversions.push(await measureConversion(context, shape, dataType, rounds));
      }
    }
    return conversions;
  } finally {
    context.destroy();
  }
}

async function measureConversion(
  context: MLContext,
  shape: readonly number[],
  dataType: DataType,
  rounds: number,
): Promise<Conversion> {
  const tensor = await context.createTensor({ dataType, shape: [...shape], readable: true, writable: true });
  const length = shape.reduce((product, size) => product * size, 1);
  const values = ARRAYS[dataType].from(randomArray(length, 1, 100));
  const out = new ARRAYS[dataType](length);
  const gather = dataType === "uint8" ? undefined : gatherRows(shape, values as Float32Array | Float16Array);
  const read = async () => void await context.readTensor(tensor, out);
  const figures: Record<"write" | "read" | "gather", number[]> = { write: [], read: [], gather: [] };
  const bytes = values.byteLength;
  for (let round = 0; round <= rounds; round++) {
    const count = round === 0 ? 1 : Math.max(1, Math.min(10_000, Math.round(TURN_BYTES / bytes)));
    const rates = {
      write: await rate(bytes, count, () => context.writeTensor(tensor, values)),
      read: await rate(bytes, count, read),
      gather: gather && await rate(bytes, count, gather),
    };
    if (round === 0) continue;
    figures.write.push(rates.write);
    figures.read.push(rates.read);
    if (rates.gather !== undefined) figures.gather.push(rates.gather);
  }
  if (!values.every((value, i) => Object.is(value, out[i]))) {
    throw new Error(`[${shape}] of ${dataType} was read back with other values`);
  }
  tensor.destroy();
  return { shape, dataType, ...figures };
}

/** Lays out the values in rows with gaps. Returns a function that copies them from there, after checking it once. */
function gatherRows(shape: readonly number[], values: Float32Array | Float16Array): () => void {
  const elementSize = values.BYTES_PER_ELEMENT as 2 | 4;
  const rowLength = shape.at(-1)!;
  const unit = ROW_ALIGNMENT / elementSize;
  const rowStride = (Math.floor(rowLength / unit) + 1) * unit;
  const strides = [...rowMajorStrides([...shape.slice(0, -1), rowStride]).slice(0, -1), 1];
  const padded = new (values.constructor as Float32ArrayConstructor)(values.length / rowLength * rowStride);
  for (let row = 0; row * rowLength < values.length; row++) {
    padded.set(values.subarray(row * rowLength, (row + 1) * rowLength), row * rowStride);
  }
  const target = new Uint8Array(values.byteLength);
  const source = Deno.UnsafePointer.of(padded)!;
  const gather = () => copyStrided(source, { shape, strides, elementSize }, target);
  gather();
  const copied = new (values.constructor as Float32ArrayConstructor)(target.buffer);
  if (!values.every((value, i) => Object.is(value, copied[i]))) throw new Error(`[${shape}] was copied wrongly`);
  return gather;
}

/** The rate in GB/s. */
async function rate(bytes: number, count: number, move: () => void | Promise<void>): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < count; i++) await move();
  return bytes * count / (performance.now() - start) / 1e6;
}
