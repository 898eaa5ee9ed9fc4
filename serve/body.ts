/**
 * Bodies of requests and answers: limits of size and time, compression.
 *
 * @module
 */

import { badRequest, HttpError } from "./errors.ts";

/** What a body may be. */
export interface BodyLimits {
  /** How many bytes, as they come and decompressed. */
  readonly maxBodyBytes: number;
  /** Aborts when the body has to be there. */
  readonly signal: AbortSignal;
}

/** A body, or a part of one. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** The encodings that are read and written, the preferred one first. What HTTP calls deflate is the format of zlib. */
const ENCODINGS = ["gzip", "deflate"] as const;

/** Answers below this size are not worth compressing. */
const MIN_COMPRESSED_BYTES = 1024;

/**
 * Reads a body as far as the limits allow.
 * @returns rejects with an HttpError: 413 for a body that is too large, 408 for one that comes too slowly, 415 for an
 * unknown encoding, 400 for one that is cut off or does not decompress
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
    throw new HttpError(415, `Content-Encoding may be ${ENCODINGS.join(" or ")}, not ${JSON.stringify(encoding)}`);
  }
  return collect(body.pipeThrough(new DecompressionStream(format)), limits);
}

/** The bytes of a stream. One that breaks a limit is read no further. */
async function collect(stream: ReadableStream<Bytes>, limits: BodyLimits): Promise<Bytes> {
  const { maxBodyBytes, signal } = limits;
  const reader = stream.getReader();
  // What the cancellation itself fails with tells nothing: the request ends with the limit's error.
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
  if (signal.aborted) throw new HttpError(408, "The body did not come in time", { connection: "close" });
  return chunks.length === 1 ? chunks[0]! : join(chunks, length);
}

/** Parts one after the other. */
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
  // What was not read of the body would be taken for the next request.
  return new HttpError(413, `The body has more than the ${maxBodyBytes} bytes that are allowed`, {
    connection: "close",
  });
}

/** An answer, compressed if the client takes that and it is worth it. */
export function respond(request: Request, status: number, body: Bytes, headers: Record<string, string>): Response {
  const format = body.byteLength < MIN_COMPRESSED_BYTES ? undefined : acceptedEncoding(request);
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
