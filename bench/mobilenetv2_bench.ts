/**
 * A real network: MobileNetV2 with trained weights, checked against the reference features.
 *
 * @module
 */
import { mobileNetV2, whatIsMissing } from "./support/mobilenetv2.ts";
import { benchMissing, benchSuite } from "./support/suite.ts";

const missing = whatIsMissing();
if (missing) benchMissing(missing);
else await benchSuite(await mobileNetV2());
