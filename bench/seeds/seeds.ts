/**
 * All seeds. A new one is a row in one of the files here; a suite that bench:report has already is only named.
 *
 * @module
 */
import { layers } from "./layers.ts";
import { networks } from "./networks.ts";
import type { Seed } from "./seed.ts";
import { steps } from "./steps.ts";
import { tensors } from "./tensors.ts";

/** All figures. */
export const seeds: readonly Seed[] = [...tensors, ...layers, ...networks, ...steps];
