/**
 * Checks of results.
 *
 * @module
 */

/** Throws if an element differs, and names the first; a full comparison of so many would not be read by anybody. */
export function assertSameElements(values: Float32Array, expected: Float32Array): void {
  const index = expected.findIndex((value, i) => !Object.is(value + 0, values[i]! + 0)); // + 0: either zero will do.
  if (index >= 0) throw new Error(`element ${index} is ${values[index]}, not ${expected[index]}`);
  if (values.length !== expected.length) throw new Error(`there are ${values.length} elements, not ${expected.length}`);
}
