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
 * @returns rejects with an HttpError: 413 if the body is too large, 408 if it arrives too slowly, 415 for an unknown
 * encoding, 400 if it is truncated or cannot be decompressed
 */
export async function readBody({ headers, body }: Request, limits: BodyLimits): Promise<Bytes> {
  if (!body) return new Uint8Array(0);
  if (Number(headers.get("content-length") ?? 0) > limits.maxBodyBytes) {
    await body.cancel();
    throw tooLarge(limits);
  }
  const encoding = headers.get("content-encoding") ?? "identity";
  if (encoding === "identity") return collect(body, limits);
  const format = ENCODINGS.find((known) => known === encoding);
  if (!format) {
    await body.cancel();
    throw new HttpError(415, `Content-Encoding must be ${ENCODINGS.join(" or ")}, not ${JSON.stringify(encoding)}`);
  }
  return collect(body.pipeThrough(new DecompressionStream(format)), limits);
}

/** Reads the bytes of a stream, until a limit is exceeded. */
async function collect(stream: ReadableStream<Bytes>, limits: BodyLimits): Promise<Bytes> {
  const { maxBodyBytes, signal } = limits;
  const reader = stream.getReader();
  // Errors of the cancellation are ignored: the request fails with the error of the limit.
  const stop = () => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", stop);
  const chunks: Bytes[] = [];
  let length = 0;
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      chunks.push(part.value);
      length += part.value.byteLength;
      if (length > maxBodyBytes) throw tooLarge(limits);
    }
  } catch (error) {
    stop();
    throw error instanceof HttpError ? error : badRequest(`The body cannot be read: ${(error as Error).message}`);
  } finally {
    signal.removeEventListener("abort", stop);
  }
  if (signal.aborted) throw new HttpError(408, "The body did not arrive in time", { connection: "close" });
  return chunks.length === 1 ? chunks[0]! : join(chunks, length);
}

/** Concatenates parts. */
export function join(parts: readonly Bytes[], length = parts.reduce((sum, part) => sum + part.byteLength, 0)): Bytes {
  const whole = new Uint8Array(length);
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
