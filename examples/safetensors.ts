/** A float32 tensor in a file: row-major elements. */
export interface WeightTensor {
  shape: number[];
  data: Float32Array;
}

/** Tensors by name. */
export type Weights = ReadonlyMap<string, WeightTensor>;

/** The limit of the format. A file of another format would usually exceed it. */
const MAX_HEADER_BYTES = 100_000_000;

/**
 * Reads a safetensors file of float32 tensors: the length of the header (8 bytes, little-endian), the header in JSON
 * (name → dtype, shape, data_offsets), and the elements without gaps or overlaps.
 *
 * Tensors are views of `bytes` if they are aligned, as in a file that was read whole; otherwise copies.
 *
 * @throws Error for a truncated file, a header that is not JSON, a data type other than F32, or offsets that do not
 * match the shape or the file
 */
export function parseSafetensors(bytes: Uint8Array): Weights {
  const { header, dataStart } = readHeader(bytes);
  const entries = Object.entries(header)
    .filter(([name]) => name !== "__metadata__")
    .map(([name, entry]) => ({ name, ...checkEntry(name, entry) }));
  checkCoverage(entries, bytes.byteLength - dataStart);
  return new Map(entries.map(({ name, shape, begin, end }) => [
    name,
    { shape, data: float32View(bytes, dataStart + begin, dataStart + end) },
  ]));
}

function readHeader(bytes: Uint8Array): { header: Record<string, unknown>; dataStart: number } {
  if (bytes.byteLength < 8) throw new Error(`safetensors: ${bytes.byteLength} bytes are too few for the header length`);
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES) {
    throw new Error(`safetensors: a header of ${length} bytes is longer than the format allows`);
  }
  const dataStart = 8 + Number(length);
  if (dataStart > bytes.byteLength) {
    throw new Error(`safetensors: the header ends at byte ${dataStart}, but the file at ${bytes.byteLength}`);
  }
  return { header: parseHeader(bytes.subarray(8, dataStart)), dataStart };
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new Error("safetensors: the header is not JSON", { cause });
  }
  if (!isRecord(header)) throw new Error("safetensors: the header is not a JSON object");
  return header;
}

interface Entry {
  shape: number[];
  begin: number;
  end: number;
}

function checkEntry(name: string, entry: unknown): Entry {
  const fail = (what: string): never => {
    throw new Error(`safetensors: tensor "${name}": ${what}`);
  };
  if (!isRecord(entry)) return fail("its header entry is not an object");
  const { dtype, shape, data_offsets: offsets } = entry;
  if (dtype !== "F32") return fail(`data type ${JSON.stringify(dtype)} is not supported, only "F32"`);
  if (!isSizes(shape)) return fail("shape must be a list of non-negative integers");
  if (!isSizes(offsets) || offsets.length !== 2) return fail("data_offsets must be two non-negative integers");
  const [begin, end] = offsets as [number, number];
  const byteLength = 4 * shape.reduce((product, size) => product * size, 1);
  if (end - begin !== byteLength) {
    return fail(`shape [${shape}] needs ${byteLength} bytes, but data_offsets [${offsets}] span ${end - begin}`);
  }
  return { shape, begin, end };
}

/** Checks that each byte after the header belongs to exactly one tensor, as the format requires. */
function checkCoverage(entries: readonly (Entry & { name: string })[], dataBytes: number): void {
  let covered = 0;
  for (const { name, begin, end } of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== covered) {
      throw new Error(
        `safetensors: tensor "${name}" begins at data byte ${begin}, but the previous one ends at ${covered}`,
      );
    }
    covered = end;
  }
  if (covered !== dataBytes) {
    throw new Error(`safetensors: the tensors have ${covered} bytes, but the file has ${dataBytes} after its header`);
  }
}

function float32View(bytes: Uint8Array, begin: number, end: number): Float32Array {
  const offset = bytes.byteOffset + begin;
  if (offset % Float32Array.BYTES_PER_ELEMENT !== 0) return new Float32Array(bytes.slice(begin, end).buffer);
  return new Float32Array(bytes.buffer, offset, (end - begin) / Float32Array.BYTES_PER_ELEMENT);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}
