/**
 * Nothing to compute: what a dispatch and a read cost by themselves.
 *
 * @module
 */
import { trivial } from "./support/trivial.ts";
import { benchSuite } from "./support/suite.ts";

await benchSuite(trivial);
