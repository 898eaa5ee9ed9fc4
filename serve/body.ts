/**
 * Bodies of requests and responses: limits of size and time, and compression.
 *
 * @module
 */

import { badRequest, HttpError } from "./errors.ts";

/** The limits of a body. */
export interface BodyLimits {
  /** The maximum size in bytes, both as received and decompressed. */
  readonly maxBodyBytes: number;
  /** Aborts when the time to receive the body is over. */
  readonly signal: AbortSignal;
}

/** A body, or a part of one. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** The supported encodings, the preferred one first. HTTP's deflate is the zlib format. */
const ENCODINGS = ["gzip", "deflate"] as const;

/** Responses below this size are not compressed. */
const MIN_COMPRESSED_BYTES = 1024;

/**
 * Reads a body within the limits.
 * @param binaryAt the offset of the binary data, which is aligned in memory, so that tensors need no copy
 * @returns rejects with an HttpError: 413 if the body is too large, 408 if it arrives too slowly, 415 for an unknown
 * encoding, 400 if it is truncated or cannot be decompressed
 */
export async function readBody({ headers, body }: Request, limits: BodyLimits, binaryAt = 0): Promise<Bytes> {
  if (!body) return new Uint8Array(0);
  const length = Number(headers.get("content-length") ?? 0);
  if (length > limits.maxBodyBytes) {
    await body.cancel();
    throw tooLarge(limits);
  }
  const encoding = headers.get("content-encoding") ?? "identity";
  const room = { length: Math.min(length || FIRST_BYTES, FIRST_BYTES), skipped: -binaryAt & (ALIGNMENT - 1) };
  if (encoding === "identity") return collect(body, limits, room);
  const format = ENCODINGS.find((known) => known === encoding);
  if (!format) {
    await body.cancel();
    throw new HttpError(415, `Content-Encoding must be ${ENCODINGS.join(" or ")}, not ${JSON.stringify(encoding)}`);
  }
  return collect(body.pipeThrough(new DecompressionStream(format)), limits, room);
}

/** The largest size of an element in bytes. */
const ALIGNMENT = 8;

/**
 * The maximum size of the first buffer, so that a client cannot make the server allocate memory without sending data.
 */
const FIRST_BYTES = 2 ** 20;

/** Reads the bytes of a stream, until a limit is exceeded. */
async function collect(
  stream: ReadableStream<Bytes>,
  limits: BodyLimits,
  { length, skipped }: { readonly length: number; readonly skipped: number },
): Promise<Bytes> {
  const { maxBodyBytes, signal } = limits;
  const reader = readerOf(stream);
  // Errors of the cancellation are ignored: the request fails with the error of the limit.
  const stop = () => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", stop);
  // One more byte, so that the end of the stream can be read without enlarging the buffer.
  let buffer = new ArrayBuffer(skipped + length + 1);
  let end = skipped;
  try {
    for (let isDone = false; !isDone;) {
      if (end === buffer.byteLength) buffer = buffer.transfer(2 * end);
      ({ buffer, end, isDone } = await reader.read(buffer, end));
      if (end - skipped > maxBodyBytes) throw tooLarge(limits);
    }
  } catch (error) {
    stop();
    throw error instanceof HttpError ? error : badRequest(`The body cannot be read: ${(error as Error).message}`);
  } finally {
    signal.removeEventListener("abort", stop);
  }
  if (signal.aborted) throw new HttpError(408, "The body did not arrive in time", { connection: "close" });
  return new Uint8Array(buffer, skipped, end - skipped);
}
/** A buffer, up to where it is filled, and whether the stream has ended. */
interface Filled {
  readonly buffer: ArrayBuffer;
  readonly end: number;
  readonly isDone: boolean;
}

/** Reads a stream into a buffer at `end`. The returned buffer may be a different one. */
interface BufferReader {
  read(buffer: ArrayBuffer, end: number): Promise<Filled>;
  cancel(): Promise<void>;
}

function readerOf(stream: ReadableStream<Bytes>): BufferReader {
  let reader: ReadableStreamBYOBReader;
  try {
    reader = stream.getReader({ mode: "byob" });
  } catch {
    // Not a byte stream: it has been decompressed, or JavaScript code has created it.
    return chunkReader(stream.getReader());
  }
  return {
    async read(buffer, end) {
      const { value, done } = await reader.read(new Uint8Array(buffer, end));
      // If the stream is cancelled, the buffer is lost.
      if (!value) return { buffer: new ArrayBuffer(end), end, isDone: true };
      return { buffer: value.buffer, end: end + value.byteLength, isDone: done };
    },
    cancel: () => reader.cancel(),
  };
}

function chunkReader(reader: ReadableStreamDefaultReader<Bytes>): BufferReader {
  return {
    async read(buffer, end) {
      const { value, done } = await reader.read();
      if (!value) return { buffer, end, isDone: done };
      const next = end + value.byteLength;
      const grown = next > buffer.byteLength ? buffer.transfer(Math.max(next, 2 * buffer.byteLength)) : buffer;
      new Uint8Array(grown).set(value, end);
      return { buffer: grown, end: next, isDone: false };
    },
    cancel: () => reader.cancel(),
  };
}

/** Concatenates parts. */
export function join(parts: readonly Bytes[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

function tooLarge({ maxBodyBytes }: BodyLimits): HttpError {
  // Closes the connection, because the unread rest of the body would be parsed as the next request.
  return new HttpError(413, `The body is larger than the limit of ${maxBodyBytes} bytes`, {
    connection: "close",
  });
}

/** Creates a response, compressed if the client accepts that, and the body is large enough and compressible. */
export function respond(
  request: Request,
  status: number,
  body: Bytes,
  headers: Record<string, string>,
  isCompressible = true,
): Response {
  const format = isCompressible && body.byteLength >= MIN_COMPRESSED_BYTES ? acceptedEncoding(request) : undefined;
  if (!format) return new Response(body, { status, headers });
  const compressed = new Blob([body]).stream().pipeThrough(new CompressionStream(format));
  return new Response(compressed, {
    status,
    headers: { ...headers, "content-encoding": format, vary: "accept-encoding" },
  });
}

function acceptedEncoding({ headers }: Request): typeof ENCODINGS[number] | undefined {
  const accepted = (headers.get("accept-encoding") ?? "").split(",").flatMap((entry) => {
    const [name = "", ...parameters] = entry.split(";").map((part) => part.trim().toLowerCase());
    return parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter)) ? [] : [name];
  });
  return ENCODINGS.find((known) => accepted.includes(known));
}
