/**
 * The errors of the importer.
 *
 * @module
 */

/** Thrown if the elements of inputs determine shapes, and the caller did not pass them. */
export class NeedsElements extends TypeError {
  /** `inputs` are the names of the inputs. */
  constructor(where: string, readonly inputs: readonly string[]) {
    super(`${where}: the elements of ${inputs.join(", ")} determine shapes; pass them as elements`);
  }
}

/** Thrown by `compileOnnx()` if the engine stored nothing. */
export class NotStored extends Error {}

/** Thrown if WebNN cannot express a node. The walk continues, to find all such nodes. */
export class Unsupported extends Error {
  override readonly name = "Unsupported";
}

/** Rejects the current node. */
export function unsupported(reason: string): never {
  throw new Unsupported(reason);
}
