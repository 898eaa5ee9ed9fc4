/** Tests the library for fault injection itself. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { cString, cStringArray, int64Array, integerPointer, view } from "../../ffi/memory.ts";
import { ElementType, LoggingLevel } from "../../ffi/onnxruntime/enums.ts";
import { openOnnxRuntime } from "../../ffi/onnxruntime/library.ts";
import { OrtError } from "../../ffi/onnxruntime/table.ts";
import { onnxFile } from "../support/onnx_writer.ts";
import { available, buildFaults, type Faults, unavailable } from "./library.ts";

Deno.test({
  name: `the library of fault injection${unavailable}`,
  ignore: !available,
  fn: async (t) => {
    const folder = await Deno.makeTempDir();
    try {
      using faults = await buildFaults(folder);
      const { api, modelEditor } = await openOnnxRuntime(faults.path);
      const allocator = api.GetAllocatorWithDefaultOptions();

      await t.step("counts live objects", () => {
        const options = api.CreateSessionOptions();
        assertEquals(faults.leaked(), { session_options: 1 });
        api.ReleaseSessionOptions(options);
        assertEquals(faults.leaked(), {});
      });

      await t.step("reports a double release and a use after release, and prevents both", () => {
        const options = api.CreateSessionOptions();
        api.ReleaseSessionOptions(options);
        api.ReleaseSessionOptions(options);
        const error = assertThrows(() => api.DisableMemPattern(options), OrtError);
        assertEquals(error.codeName, "INVALID_ARGUMENT");
        assertReports(faults, [
          "ReleaseSessionOptions: session_options is used after its release, or was never made",
          "DisableMemPattern: session_options is used after its release, or was never made",
        ]);
      });

      await t.step("tracks owners: a graph is released with its model", () => {
        const model = modelEditor.CreateModel(cStringArray([""]), new Int32Array(1), 1);
        const graph = modelEditor.CreateGraph();
        modelEditor.AddGraphToModel(model, graph);
        assertEquals(faults.leaked(), { model: 1 });
        api.ReleaseGraph(graph);
        api.ReleaseModel(model);
        assertReports(faults, ["ReleaseGraph: graph is used after its release, or was never made"]);
      });

      await t.step("reports memory that is freed while it is borrowed", () => {
        const info = api.CreateCpuMemoryInfo(0, 0);
        const memory = api.AllocatorAlloc(allocator, 256);
        const value = api.CreateTensorWithDataAsOrtValue(info, memory, 256, int64Array([64]), 1, ElementType.float32);
        assertThrows(() => api.AllocatorFree(allocator, memory), OrtError, "invalid object in AllocatorFree");
        api.ReleaseValue(value);
        api.AllocatorFree(allocator, memory);
        api.ReleaseMemoryInfo(info);
        assertReports(faults, ["AllocatorFree: memory is released while another object borrows it"]);
      });

      await t.step("reports a release during a call", async () => {
        const env = api.CreateEnv(LoggingLevel.FATAL, cString("test"));
        const options = api.CreateSessionOptions();
        const model = onnxFile({ inputs: [{ name: "x", shape: [1] }], outputs: [{ name: "y" }], nodes: [] });
        const bytes = api.AllocatorAlloc(allocator, model.byteLength);
        new Uint8Array(view(bytes, model.byteLength)).set(model);
        faults.delay("CreateModelEditorSessionFromArray", 50);
        const began = performance.now();
        const length = integerPointer(model.byteLength);
        const loading = modelEditor.CreateModelEditorSessionFromArrayAsync(env, bytes, length, options);
        while (faults.calls().get("CreateModelEditorSessionFromArray") === 0) {
          /* Waits until the other thread begins. */
        }
        api.ReleaseSessionOptions(options);
        await assertRejects(() => loading, OrtError);
        assert(performance.now() - began > 40, "the call was not delayed");
        api.ReleaseSessionOptions(options);
        api.AllocatorFree(allocator, bytes);
        api.ReleaseEnv(env);
        assertReports(faults, ["ReleaseSessionOptions: session_options is released while a call uses it"]);
      });

      await t.step("fails the n-th call, once", () => {
        faults.fail("SetGraphInputs", 1, 9);
        const options = api.CreateSessionOptions();
        faults.fail("any", 2, 9);
        api.DisableMemPattern(options);
        const error = assertThrows(() => api.DisableCpuMemArena(options), OrtError);
        assertEquals([error.codeName, error.message], ["NOT_IMPLEMENTED", "injected failure of DisableCpuMemArena"]);
        assertEquals(faults.fired(), "DisableCpuMemArena");
        api.DisableCpuMemArena(options);
        api.ReleaseSessionOptions(options);
        faults.fail("allocation", 1);
        assertThrows(() => api.AllocatorAlloc(allocator, 8), OrtError, "injected failure of AllocatorAlloc");
        assertReports(faults, []);
      });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

function assertReports(faults: Faults, expected: string[]): void {
  assertEquals({ reports: faults.reports(), leaked: faults.leaked() }, { reports: expected, leaked: {} });
  faults.reset();
}
