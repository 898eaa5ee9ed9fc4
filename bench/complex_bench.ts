/**
 * A deep graph of element-wise operators on [1, 3, 224, 224].
 *
 * @module
 */
import { complex } from "./support/complex.ts";
import { benchSuite } from "./support/suite.ts";

await benchSuite(complex);
