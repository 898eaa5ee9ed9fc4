/** Throws while a matrix product runs on another thread, which would crash if the library were unloaded. */
import { openOnnxRuntime } from "../../ffi/onnxruntime/library.ts";
import { bindOneNode } from "./one_node_session.ts";

const runtime = await openOnnxRuntime();
const { session, binding, values } = await bindOneNode(runtime, "MatMul", 4096);
values.a.fill(1);
values.b.fill(1);
let state = "running";
runtime.api.RunWithBindingAsync(session, null, binding).then(() => state = "done");
await new Promise((resolve) => setTimeout(resolve, 20));
console.log(state);
throw new Error("thrown during the run");
