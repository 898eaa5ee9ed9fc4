/**
 * Almost nothing to compute: the overhead of a dispatch and a read.
 *
 * @module
 */
import { trivial } from "./support/trivial.ts";
import { benchSuite } from "./support/suite.ts";

await benchSuite(trivial);
