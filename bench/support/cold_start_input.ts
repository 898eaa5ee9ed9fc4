/**
 * The input of both.
 *
 * @module
 */

/** A picture of waves: that of the reference. */
export function coldStartInput(): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: 3 * 224 * 224 }, (_, i) => Math.sin(0.01 * i));
}
