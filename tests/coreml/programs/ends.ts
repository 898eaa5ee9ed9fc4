/** Ends by itself: the callback of completions stays open, but nothing is awaited. */
import { openCoreMLFramework } from "../../../ffi/objc/core_ml.ts";

const { foundation, messages, runtime } = openCoreMLFramework(Deno.args[0]);
const compiling = runtime.pooled(() =>
  messages.compileModel(() => "compiled", foundation.fileUrl("/missing.mlpackage"))
);
compiling.catch(() => console.log("refused")); // The program must not end before this.
