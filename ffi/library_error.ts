/**
 * The error of everything that opens a library.
 *
 * @module
 */

/** A library cannot be used. The message is one sentence that names the library and the remedy. */
export class LibraryError extends Error {
  override readonly name = "LibraryError";
}
