/**
 * The exceptions that the standard names. A message names the method, the label and the requirement:
 * `MLGraphBuilder.conv2d: [stem] filter must have rank 4, not 3`.
 *
 * @module
 */

/** `InvalidStateError`: the object is destroyed, lost or already built. */
export function invalidStateError(message: string): DOMException {
  return new DOMException(message, "InvalidStateError");
}

/** `NotSupportedError`: no engine or device can do what the caller asks. */
export function notSupportedError(message: string, cause?: unknown): DOMException {
  return withCause(new DOMException(message, "NotSupportedError"), cause);
}

/** `OperationError`: the engine rejected the work or failed; `cause` is its error. */
export function operationError(message: string, cause?: unknown): DOMException {
  return withCause(new DOMException(message, "OperationError"), cause);
}

/** `UnknownError`: there is not enough memory for a tensor or constant. */
export function unknownError(message: string, cause?: unknown): DOMException {
  return withCause(new DOMException(message, "UnknownError"), cause);
}

/** The message of a thrown value, which need not be an Error. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * DOMException has no `cause` option. Sets the property as Error's constructor would: own, writable, not enumerable.
 */
function withCause(error: DOMException, cause: unknown): DOMException {
  if (cause === undefined) return error;
  return Object.defineProperty(error, "cause", { value: cause, writable: true, configurable: true, enumerable: false });
}

/** The name of a type with its article, for a message: "a Uint8Array", "an Int8Array". */
export function withArticle(name: string): string {
  return `${/^[AEIO]/.test(name) ? "an" : "a"} ${name}`;
}
