/**
 * A seed: one figure that the documents behind this project measure, and where it stands in the page.
 *
 * @module
 */
import type { Kind } from "../report/measure.ts";
import type { Suite } from "../support/suite.ts";

/** The categories, in the order of the page, with the title of each and what a figure there says. */
export const CATEGORIES = {
  tensors: "Tensor operations by size",
  matmul: "Matrix products",
  convolutions: "Convolutions",
  pools: "Pools",
  norms: "Normalisations",
  networks: "A network by batch: 784, 512, 256, 10",
  threads: "Threads",
  optimizers: "Optimiser steps",
  decompositions: "Decompositions of n × n",
  transfers: "Tensors to the device and back",
  memory: "Memory",
  transformers: "Transformers of width 256, by length",
  models: "Models with their real weights, by batch",
  starts: "Cold and warm",
} as const;

/** A category of figures. */
export type Category = keyof typeof CATEGORIES;

/** One figure. */
export interface Seed {
  readonly category: Category;
  /** Its row in the table of the category. */
  readonly row: string;
  /** Its column there. */
  readonly column: string;
  /** The name of its suite: one of `bench:report`, or of `load`. */
  readonly suite: string;
  /** Loads a suite that only the seeds have. */
  readonly load?: () => Suite | Promise<Suite>;
  /** What is measured; nothing for {@linkcode Category} memory. */
  readonly kind: Kind | "memory";
  /** How many elements a run makes, if that is what counts. */
  readonly elements?: number;
  /** Whether it takes long; `--quick` leaves it out. */
  readonly isLong?: boolean;
  /** The numbers of threads; those of `--threads` by default. */
  readonly threads?: readonly number[];
}

/** The work alone: many runs, of which the last is read. */
export const RUNS: Kind = "dispatch, pipelined";

/** The product of the sizes of a shape. */
export function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
