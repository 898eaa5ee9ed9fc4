/**
 * Opens ONNX Runtime at the path in the first argument, or by the usual search. Prints the version, or the error. It is
 * a program of its own because an invalid library may kill the process.
 */
import { openOnnxRuntime } from "../../ffi/onnxruntime/library.ts";

try {
  const { path, version } = await openOnnxRuntime(Deno.args[0]);
  console.log(`opened ${version} ${path}`);
} catch (error) {
  console.log(String(error));
}
