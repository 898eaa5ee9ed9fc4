/**
 * A graph with little work per byte: element-wise operators on [1, 3, 224, 224].
 *
 * @module
 */
import { simple } from "./support/simple.ts";
import { benchSuite } from "./support/suite.ts";

await benchSuite(simple);
