/** Creates an object outside an autorelease pool, which GNUstep reports. */
import { openCoreMLFramework } from "../../../ffi/objc/core_ml.ts";

const { foundation } = openCoreMLFramework(Deno.args[0]);
console.log(foundation.text(foundation.string("this string is never released")));
