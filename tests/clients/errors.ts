/** Differences between the results of two engines. */

/** The largest difference between the elements of an output, and its largest element. */
export interface Difference {
  readonly difference: number;
  readonly largest: number;
}

/**
 * Compares outputs.
 * @throws Error if lengths differ or elements are not finite
 */
export function differences(actual: readonly Float32Array[], expected: readonly Float32Array[]): Difference[] {
  return expected.map((output, index) => {
    const other = actual[index]!;
    if (other.length !== output.length) {
      throw new Error(`output ${index}: ${other.length} elements, not ${output.length}`);
    }
    const sum = output.reduce((sum, value, at) => sum + Math.abs(value) + Math.abs(other[at]!), 0);
    if (!Number.isFinite(sum)) throw new Error(`output ${index} has elements that are not finite`);
    return {
      difference: output.reduce((worst, value, at) => Math.max(worst, Math.abs(value - other[at]!)), 0),
      largest: output.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0),
    };
  });
}
