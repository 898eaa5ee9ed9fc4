/** Makes an object without a pool: to be complained of. */
import { openCoreMLFramework } from "../../../ffi/objc/core_ml.ts";

const { foundation } = openCoreMLFramework(Deno.args[0]);
console.log(foundation.text(foundation.string("nobody will ever release me")));
