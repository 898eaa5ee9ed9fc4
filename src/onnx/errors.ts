/**
 * The errors of the importer.
 *
 * @module
 */

/** Thrown if WebNN cannot express a node. The walk continues, to find all such nodes. */
export class Unsupported extends Error {
  override readonly name = "Unsupported";
}

/** Rejects the current node. */
export function unsupported(reason: string): never {
  throw new Unsupported(reason);
}
