/**
 * The error of all functions that open a library.
 *
 * @module
 */

/** A library cannot be used. The message is one sentence that names the library and what to do. */
export class LibraryError extends Error {
  override readonly name = "LibraryError";
}
