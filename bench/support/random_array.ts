/**
 * Random data of suites.
 *
 * @module
 */
import { random } from "../../support/random.ts";

/** Numbers from -1 to 1, times `scale`, that a seed repeats. */
export function randomArray(length: number, seed: number, scale = 1): Float32Array<ArrayBuffer> {
  const next = random(seed);
  return Float32Array.from({ length }, () => scale * (2 * next() - 1));
}
