/**
 * A seed: a figure that the seed documents measure, and its row and column in the page.
 *
 * @module
 */
import type { Kind } from "../report/measure.ts";
import type { Suite } from "../support/suite.ts";

/** The categories and their titles. */
export const CATEGORIES = {
  tensors: "Tensor operations by size",
  matmul: "Matrix products",
  convolutions: "Convolutions",
  pools: "Pools",
  norms: "Normalisations",
  networks: "Perceptron by batch",
  threads: "Threads",
  optimizers: "Optimiser steps",
  decompositions: "Decompositions of n × n",
  transfers: "Copies of tensors",
  memory: "Memory",
  transformers: "Transformers of width 256, by length",
  models: "Models with real weights, by batch",
  starts: "Start",
} as const;

/** A category of figures. */
export type Category = keyof typeof CATEGORIES;

/** One figure. */
export interface Seed {
  readonly category: Category;
  /** The row in its table. */
  readonly row: string;
  /** The column in its table. */
  readonly column: string;
  /** The name of the suite: one of `bench:report`, or the one that `load` returns. */
  readonly suite: string;
  /** Loads a suite that `bench:report` does not have. */
  readonly load?: () => Suite | Promise<Suite>;
  /** What to measure. */
  readonly kind: Kind | "memory";
  /** The number of elements that a run computes, if the figure is elements per second. */
  readonly elements?: number;
  /** Whether it takes long: `--quick` omits it, and a whole run measures it in fewer rounds. */
  readonly isLong?: boolean;
  /** The numbers of threads; those of `--threads` by default. */
  readonly threads?: readonly number[];
}

/** Measures only the work: many runs, and only the last result is read. */
export const RUNS: Kind = "dispatch, pipelined";

/** The product of the sizes of a shape. */
export function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
