/**
 * The exceptions that the standard names. A message says who, which and what to do:
 * `MLGraphBuilder.conv2d: [stem] filter must have rank 4, not 3`.
 *
 * @module
 */

/** `InvalidStateError`: the object is destroyed, lost or already built. */
export function invalidStateError(message: string): DOMException {
  return new DOMException(message, "InvalidStateError");
}

/** `NotSupportedError`: no backend or device can do what was asked. */
export function notSupportedError(message: string, cause?: unknown): DOMException {
  return withCause(new DOMException(message, "NotSupportedError"), cause);
}

/** `OperationError`: the engine refused or failed; `cause` is its own error. */
export function operationError(message: string, cause?: unknown): DOMException {
  return withCause(new DOMException(message, "OperationError"), cause);
}

/** `UnknownError`: memory for a tensor or a constant cannot be had. */
export function unknownError(message: string, cause?: unknown): DOMException {
  return withCause(new DOMException(message, "UnknownError"), cause);
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** DOMException takes no `cause` option; it is attached as Error's constructor would: own, writable, not enumerable. */
function withCause(error: DOMException, cause: unknown): DOMException {
  if (cause === undefined) return error;
  return Object.defineProperty(error, "cause", { value: cause, writable: true, configurable: true, enumerable: false });
}
