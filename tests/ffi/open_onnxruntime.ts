/**
 * Opens ONNX Runtime at the path in the first argument, or by the usual search, in a process of its own that a bad library
 * may kill. Prints the version, or the error.
 */
import { openOnnxRuntime } from "../../ffi/onnxruntime/library.ts";

try {
  const { path, version } = await openOnnxRuntime(Deno.args[0]);
  console.log(`opened ${version} ${path}`);
} catch (error) {
  console.log(String(error));
}
