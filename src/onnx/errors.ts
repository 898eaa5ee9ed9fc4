/**
 * The errors of the importer.
 *
 * @module
 */

/** Thrown if shapes depend on elements of inputs that the caller did not pass. */
export class NeedsElements extends TypeError {
  /** `inputs` are the names of the inputs whose elements are needed. */
  constructor(where: string, readonly inputs: readonly string[]) {
    super(`${where}: shapes depend on the elements of ${inputs.join(", ")}; pass these as elements`);
  }
}

/** Thrown by `compileOnnx()` if no compiled graph was stored. */
export class NotStored extends Error {}

/** Thrown if WebNN cannot express a node. The walk catches it and continues, to report all such nodes. */
export class Unsupported extends Error {
  override readonly name = "Unsupported";
}

/** Rejects the current node. */
export function unsupported(reason: string): never {
  throw new Unsupported(reason);
}
