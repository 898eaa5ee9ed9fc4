/**
 * Errors that a client is told, with the status of the answer.
 *
 * @module
 */

/** An error with the status of HTTP that it is answered with. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly status: number;
  /** Headers of the answer beside the common ones. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

/** 400: the request is wrong, and would be wrong again. */
export function badRequest(message: string): HttpError {
  return new HttpError(400, message);
}

/** 503: the server is busy or about to stop; the client may try again in a second. */
export function unavailable(message: string): HttpError {
  return new HttpError(503, message, { "retry-after": "1" });
}

/**
 * What an error of a run means to a client: the module throws a TypeError for inputs that do not fit, NotSupportedError
 * for shapes in which the model cannot be computed. Everything else is the server's.
 */
export function httpErrorOf(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const isClients = error instanceof TypeError || (error instanceof DOMException && error.name === "NotSupportedError");
  return new HttpError(isClients ? 400 : 500, message);
}
