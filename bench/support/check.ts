/**
 * Checks results.
 *
 * @module
 */

/** Throws if an element differs, and names the first one: a diff of so many elements would be useless. */
export function assertSameElements(values: Float32Array, expected: Float32Array): void {
  const index = expected.findIndex((value, i) => !Object.is(value + 0, values[i]! + 0)); // + 0: −0 equals +0.
  if (index >= 0) throw new Error(`element ${index} is ${values[index]}, not ${expected[index]}`);
  if (values.length !== expected.length) throw new Error(`there are ${values.length} elements, not ${expected.length}`);
}

/** Throws if an element differs by more than `tolerance`, and names the first one. */
export function assertCloseElements(values: Float32Array, expected: ArrayLike<number>, tolerance: number): void {
  if (values.length !== expected.length) throw new Error(`there are ${values.length} elements, not ${expected.length}`);
  for (let i = 0; i < expected.length; i++) assertClose(values, i, expected[i]!, tolerance);
}

/** Throws if one element differs from the expected value by more than `tolerance`. */
export function assertClose(values: Float32Array, index: number, expected: number, tolerance: number): void {
  const error = Math.abs(values[index]! - expected);
  if (!(error <= tolerance)) throw new Error(`element ${index} is ${values[index]}, not ${expected} ± ${tolerance}`);
}
