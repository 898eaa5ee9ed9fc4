/**
 * A graph with almost nothing to compute, to measure the overhead of a dispatch and a read.
 *
 * @module
 */
import { trivial } from "./support/trivial.ts";
import { benchSuite } from "./support/suite.ts";

await benchSuite(trivial);
