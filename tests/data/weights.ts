/** Creates a safetensors file from the `.npy` files of its tensors. */

/** The contents of a file's header: its metadata, and the names and shapes of its tensors in order. */
export interface TensorList {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: Readonly<Record<string, readonly number[]>>;
}

/** The number of elements of a shape. */
export function countElements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/**
 * Reads the float32 elements of a `.npy` file, as bytes: little-endian and row-major.
 *
 * @throws Error if the file is damaged, or has another type or shape
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
export function readNpy(bytes: Uint8Array, shape: readonly number[]): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // "\x93NUMPY"
  if (bytes.length < 10 || magic.some((byte, i) => bytes[i] !== byte)) throw new Error("it is not a .npy file");
  const isLong = bytes[6]! > 1; // Since version 2, the length of the header has four bytes.
  const start = (isLong ? 12 + view.getUint32(8, true) : 10 + view.getUint16(8, true)) || bytes.length;
  const header = new TextDecoder().decode(bytes.subarray(isLong ? 12 : 10, start));
  const sizes = /'shape': \(([\d, ]*)\)/.exec(header)?.[1]?.split(",").filter((size) => size.trim() !== "").map(Number);
  if (!header.includes("'descr': '<f4'") || !header.includes("'fortran_order': False") || `${sizes}` !== `${shape}`) {
    throw new Error(`it must contain float32 [${shape}], but its header is ${header.trim()}`);
  }
  const data = bytes.subarray(start);
  const expected = 4 * countElements(shape);
  if (data.length !== expected) throw new Error(`it has ${data.length} bytes of elements, not ${expected}`);
  return data;
}

/**
 * Writes a safetensors file: the length of the header, the header padded to a multiple of eight bytes, the elements.
 *
 * @param elements the bytes of each tensor, by name
 */
export function safetensors(list: TensorList, elements: ReadonlyMap<string, Uint8Array>): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = { __metadata__: list.metadata };
  let end = 0;
  for (const [name, shape] of Object.entries(list.tensors)) {
    const start = end;
    end += elements.get(name)!.length;
    header[name] = { dtype: "F32", shape, data_offsets: [start, end] };
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const headerLength = Math.ceil(json.length / 8) * 8;
  const file = new Uint8Array(8 + headerLength + end).fill(" ".charCodeAt(0), 8, 8 + headerLength);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerLength), true);
  file.set(json, 8);
  let at = 8 + headerLength;
  for (const name of Object.keys(list.tensors)) {
    const bytes = elements.get(name)!;
    file.set(bytes, at);
    at += bytes.length;
  }
  return file;
}
