/**
 * All seeds. To add one, add a row in a file of this folder. A suite of bench:report needs only its name.
 *
 * @module
 */
import { layers } from "./layers.ts";
import { networks } from "./networks.ts";
import type { Seed } from "./seed.ts";
import { steps } from "./steps.ts";
import { tensors } from "./tensors.ts";

/** All seeds. */
export const seeds: readonly Seed[] = [...tensors, ...layers, ...networks, ...steps];
