/**
 * Converts a picture to the layout of network inputs.
 *
 * @module
 */
import { type Image, resizeImage } from "../../examples/image.ts";

/** A picture as planes of red, green and blue, [3, size, size]. */
export function planes(image: Image, size: number, divisor: number): Float32Array {
  const rgb = resizeImage(image, size);
  const pixels = size * size;
  return Float32Array.from(rgb, (_, i) => rgb[3 * (i % pixels) + Math.floor(i / pixels)]! / divisor);
}
