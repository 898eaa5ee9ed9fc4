/**
 * Single operators and small blocks: element-wise, reductions, products, pooling, normalisation, attention, recurrence.
 *
 * @module
 */
import { operatorSuites } from "./support/operator_suites.ts";
import { benchSuite } from "./support/suite.ts";

for (const suite of operatorSuites) await benchSuite(suite);
