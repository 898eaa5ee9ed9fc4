/**
 * Random data for suites.
 *
 * @module
 */
import { random } from "../../support/random.ts";

/** Seeded random numbers from −1 to 1, times `scale`. */
export function randomArray(length: number, seed: number, scale = 1): Float32Array<ArrayBuffer> {
  const next = random(seed);
  return Float32Array.from({ length }, () => scale * (2 * next() - 1));
}
