/** The function tables of ONNX Runtime, by building and running a graph with them. */
import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { cString, pointerAt, readCString, readPointer } from "../../ffi/memory.ts";
import { ErrorCode } from "../../ffi/onnxruntime/enums.ts";
import { openOnnxRuntime } from "../../ffi/onnxruntime/library.ts";
import { OrtError } from "../../ffi/onnxruntime/table.ts";
import { bindOneNode } from "./one_node_session.ts";

Deno.test("an addition is built and runs, inline and on another thread", async () => {
  const runtime = await openOnnxRuntime();
  const { session, binding, values, release } = await bindOneNode(runtime, "Add", 2);
  values.a.set([1, 2, 3, 4]);
  values.b.set([10, 20, 30, 40]);
  runtime.api.RunWithBinding(session, null, binding);
  assertEquals([...values.c], [11, 22, 33, 44]);
  values.b.fill(0.5);
  await runtime.api.RunWithBindingAsync(session, null, binding);
  assertEquals([...values.c], [1.5, 2.5, 3.5, 4.5]);
  release();
});

Deno.test("a failed call throws an error with the code and message of its status", async () => {
  const runtime = await openOnnxRuntime();
  const unknown = await assertRejects(() => bindOneNode(runtime, "NoSuchOperator", 2), OrtError, "NoSuchOperator");
  assertEquals([unknown.code, unknown.codeName], [ErrorCode.INVALID_GRAPH, "INVALID_GRAPH"]);

  const { session, binding, release } = await bindOneNode(runtime, "Add", 2);
  const options = runtime.api.CreateRunOptions();
  runtime.api.RunOptionsSetTerminate(options);
  const stopped = assertThrows(() => runtime.api.RunWithBinding(session, options, binding), OrtError);
  assertEquals(stopped.codeName, "FAIL");
  assertStringIncludes(stopped.message, "terminate flag");
  await assertRejects(() => runtime.api.RunWithBindingAsync(session, options, binding), OrtError, "terminate flag");
  runtime.api.RunOptionsUnsetTerminate(options);
  runtime.api.RunWithBinding(session, options, binding);
  runtime.api.ReleaseRunOptions(options);
  release();
});

Deno.test("the library's providers are listed", async () => {
  const { api } = await openOnnxRuntime();
  const [list, count] = [new BigUint64Array(1), new Int32Array(1)];
  api.GetAvailableProviders(list, count);
  const names = Array.from({ length: count[0]! }, (_, i) => readCString(readPointer(pointerAt(list)!, 8 * i)));
  api.ReleaseAvailableProviders(pointerAt(list), count[0]!);
  assertEquals(names.at(-1), "CPUExecutionProvider");
});

Deno.test("a configuration key may not be empty", async () => {
  const { api } = await openOnnxRuntime();
  const options = api.CreateSessionOptions();
  const error = assertThrows(() => api.AddSessionConfigEntry(options, cString(""), cString("1")), OrtError);
  assertEquals(error.codeName, "INVALID_ARGUMENT");
  api.ReleaseSessionOptions(options);
});
