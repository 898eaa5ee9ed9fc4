/**
 * Iterative algorithms: optimisers in two sizes, and decompositions.
 *
 * @module
 */
import { DECOMPOSITIONS, decompositionSuite } from "../support/decompositions.ts";
import { lbfgs } from "../support/lbfgs.ts";
import { optimizers, optimizerSuite } from "../support/optimizers.ts";
import { RUNS, type Seed } from "./seed.ts";

const PARAMETERS = { "1 K": 1024, "1 M": 2 ** 20 } as const;
const SIZES = [4, 8, 12, 16];

/** Each optimiser with each number of parameters. */
const optimizerSteps: readonly Seed[] = Object.entries(PARAMETERS).flatMap(([column, size]) => {
  const shared = { category: "optimizers", column, kind: RUNS } as const;
  return [
    ...optimizers.map((optimizer): Seed => {
      const name = size === PARAMETERS["1 M"] ? optimizer.name : `${optimizer.name}-${size}`;
      const load = name === optimizer.name ? {} : { load: () => optimizerSuite(optimizer, name, size) };
      return { ...shared, row: optimizer.name, suite: name, ...load };
    }),
    { ...shared, row: "l-bfgs", suite: `lbfgs-${size}`, load: () => lbfgs(size), isLong: size > 1024 },
  ];
});

const decompositions = Object.entries(DECOMPOSITIONS).flatMap(([name, { title }]) =>
  SIZES.map((size): Seed => ({
    category: "decompositions",
    row: title,
    column: `${size}`,
    suite: `${name}-${size}`,
    load: () => decompositionSuite(name, size),
    kind: RUNS,
  }))
);

/** All seeds of this file. */
export const steps: readonly Seed[] = [...optimizerSteps, ...decompositions];
