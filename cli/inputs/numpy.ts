/**
 * NumPy files: .npy, and .npz, which holds several .npy files.
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

/** The WebNN data type of each NumPy type; a bool is a uint8. */
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

/** The names of some types that WebNN does not support. */
const OTHERS: Readonly<Record<string, string>> = { f8: "float64", i2: "int16", u2: "uint16", c8: "complex64" };

/** Reads an array of a .npy file. */
export function readNpy(bytes: Uint8Array, source: string): FileTensor {
  // Copied into a buffer of its own, because the parser reads to the end of the buffer.
  const { data, shape, dtype, fortranOrder } = parsing(
    source,
    () => parse(bytes.slice().buffer as ArrayBuffer, { convertFloat16: false }),
  );
  const dataType = TYPES[dtype];
  if (dataType === undefined) {
    throw new Failure(`${source} holds ${OTHERS[dtype] ?? `NumPy's type ${dtype}`}, which WebNN does not support`);
  }
  const stored = Array.isArray(data) ? Uint8Array.from(data) : data as TypedArray;
  const elements = fortranOrder ? rowMajor(stored, shape) : stored;
  if (elements.length !== sizeOf(shape)) {
    throw new Failure(`${source} is damaged: it has ${elements.length} elements for the shape [${shape.join(", ")}]`);
  }
  return { dataType, shape, bytes: new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength) };
}

/** Reorders the elements of an array from Fortran order (such as a saved transpose) to C order. */
function rowMajor(stored: TypedArray, shape: readonly number[]): TypedArray {
  // Any element type would do here: the elements are only moved.
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

/** Reads the arrays of a .npz file, by name. */
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
    throw new Failure(`${source} is damaged or not a NumPy file: ${messageOf(error)}`, { cause: error });
  }
}

/** Writes a tensor as a .npy file. 4-bit integers become 8-bit. */
export function writeNpy(output: TensorOutput): Uint8Array {
  const data = elementsOf(output);
  // The library does not accept Float16Array, only its bits.
  const array = data instanceof Float16Array ? new Uint16Array(data.buffer, data.byteOffset, data.length) : data;
  const type: { dtype?: DType } = data instanceof Float16Array ? { dtype: "f2" } : {};
  return new Uint8Array(dump(array, [...output.shape], type));
}
