/** Recordings: the engine releases a recording by its unique number. */
import { assertEquals } from "@std/assert";
import { readCString } from "../../ffi/memory.ts";
import { type CaptureRuntime, recorderOf } from "../../src/backends/onnxruntime/recording.ts";

Deno.test("a number is never reused, and is released once", () => {
  const log: string[] = [];
  const text = (bytes: BufferSource | null) => readCString(Deno.UnsafePointer.of(bytes as Uint8Array<ArrayBuffer>));
  const pointer = Deno.UnsafePointer.create(8n)!;
  const runtime = {
    api: {
      CreateRunOptions: () => pointer,
      AddRunConfigEntry: (_: unknown, key: BufferSource | null, value: BufferSource | null) =>
        void log.push(`${text(key)} = ${text(value)}`),
      ReleaseRunOptions: () => {},
    },
    captureApi: { SessionReleaseCapturedGraph: (_: unknown, id: number) => void log.push(`release ${id}`) },
  } as unknown as CaptureRuntime;
  const record = recorderOf(runtime, pointer);
  record();
  record().release();
  record();
  assertEquals(log, ["gpu_graph_id = 0", "gpu_graph_id = 1", "release 1", "gpu_graph_id = 2"]);
});
