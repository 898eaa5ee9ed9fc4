/**
 * Errors for clients, with the status of the response.
 *
 * @module
 */

/** An error with the HTTP status of the response. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly status: number;
  /** Additional headers of the response. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

/** 400: the request is invalid. */
export function badRequest(message: string): HttpError {
  return new HttpError(400, message);
}

/** 503: the server is busy or stopping; the client may retry after a second. */
export function unavailable(message: string): HttpError {
  return new HttpError(503, message, { "retry-after": "1" });
}

/**
 * Converts an error of a run to one for the client. A TypeError (invalid inputs) or NotSupportedError (unsupported
 * shapes) is the client's fault; all others are the server's.
 */
export function httpErrorOf(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const isClients = error instanceof TypeError || (error instanceof DOMException && error.name === "NotSupportedError");
  return new HttpError(isClients ? 400 : 500, message);
}
