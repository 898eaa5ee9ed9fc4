/** Must exit by itself after one completion, although the callback of completions stays open. */
import { openCoreMLFramework } from "../../../ffi/objc/core_ml.ts";

const { foundation, messages, runtime } = openCoreMLFramework(Deno.args[0]);
const compiling = runtime.pooled(() =>
  messages.compileModel(() => "compiled", foundation.fileUrl("/missing.mlpackage"))
);
compiling.catch(() => console.log("rejected")); // The program must not exit before this.
