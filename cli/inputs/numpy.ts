/**
 * The files of NumPy: .npy, and .npz with several of them.
 *
 * @module
 */
import type { MLOperandDataType } from "@webnn/deno";
import type { TensorOutput } from "@webnn/deno/onnx";
import { unzipSync } from "fflate";
import { type DType, dump, parse, type TypedArray } from "npyjs";
import { elementsOf, sizeOf } from "../elements.ts";
import { Failure, messageOf } from "../errors.ts";
import type { FileTensor } from "./tensor.ts";

/** NumPy's types and those of WebNN; a bool is a uint8. */
const TYPES: Readonly<Record<string, MLOperandDataType>> = {
  f4: "float32",
  f2: "float16",
  i4: "int32",
  u4: "uint32",
  i8: "int64",
  u8: "uint64",
  i1: "int8",
  u1: "uint8",
  b1: "uint8",
};

/** The types that WebNN has not, by name. */
const OTHERS: Readonly<Record<string, string>> = { f8: "float64", i2: "int16", u2: "uint16", c8: "complex64" };

/** Reads an array of a .npy file. */
export function readNpy(bytes: Uint8Array, source: string): FileTensor {
  // A view of the part that holds the array, at the beginning of memory of its own: the parser reads to the end of it.
  const { data, shape, dtype, fortranOrder } = parsing(
    source,
    () => parse(bytes.slice().buffer as ArrayBuffer, { convertFloat16: false }),
  );
  const dataType = TYPES[dtype];
  if (dataType === undefined) {
    throw new Failure(`${source} holds elements of ${OTHERS[dtype] ?? `NumPy's type ${dtype}`}, which WebNN has not`);
  }
  const stored = Array.isArray(data) ? Uint8Array.from(data) : data as TypedArray;
  const elements = fortranOrder ? rowMajor(stored, shape) : stored;
  if (elements.length !== sizeOf(shape)) {
    throw new Failure(`${source} is damaged: it has ${elements.length} elements for the shape [${shape.join(", ")}]`);
  }
  return { dataType, shape, bytes: new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength) };
}

/** The elements of an array in Fortran's order, as a transposed one is saved, in C's order. */
function rowMajor(stored: TypedArray, shape: readonly number[]): TypedArray {
  // Of any type: elements only move.
  const [from, to] = [stored, stored.slice()] as Uint8Array[];
  for (let i = 0; i < stored.length; i++) {
    let [rest, at, stride] = [i, 0, stored.length];
    for (const size of shape.toReversed()) {
      stride /= size;
      at += rest % size * stride;
      rest = Math.floor(rest / size);
    }
    to![i] = from![at]!;
  }
  return to as TypedArray;
}

/** Reads all arrays of a .npz file, by name. */
export function readNpz(bytes: Uint8Array, source: string): Map<string, FileTensor> {
  const files = parsing(source, () => unzipSync(bytes));
  return new Map(
    Object.entries(files).map(([name, content]) => [
      name.replace(/\.npy$/, ""),
      readNpy(content, `${source}, array ${JSON.stringify(name)},`),
    ]),
  );
}

function parsing<T>(source: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new Failure(`${source} is damaged or no file of NumPy: ${messageOf(error)}`, { cause: error });
  }
}

/** A tensor as a .npy file. Integers of four bits get eight. */
export function writeNpy(output: TensorOutput): Uint8Array {
  const data = elementsOf(output);
  // The library knows no arrays of float16, but their bits.
  const array = data instanceof Float16Array ? new Uint16Array(data.buffer, data.byteOffset, data.length) : data;
  const type: { dtype?: DType } = data instanceof Float16Array ? { dtype: "f2" } : {};
  return new Uint8Array(dump(array, [...output.shape], type));
}
