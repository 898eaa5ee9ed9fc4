/** Weights count as new memory only if they do not fit into freed memory. */
import { assertEquals } from "@std/assert";
import { NativeBlock } from "../../src/backends/onnxruntime/native_block.ts";
import { openRuntime, returningWeights } from "../../src/backends/onnxruntime/runtime.ts";

Deno.test("weights in freed memory are not new, and each session counts from zero", async () => {
  const runtime = await openRuntime(undefined, 1);
  const bytes = new Uint8Array(2 ** 20);
  runtime.freedBytes = runtime.freshBytes = 0;
  const first = NativeBlock.copy(runtime, bytes);
  assertEquals([runtime.freshBytes, runtime.freedBytes], [bytes.byteLength, 0]);
  first.release();
  assertEquals([runtime.freshBytes, runtime.freedBytes], [bytes.byteLength, bytes.byteLength]);
  assertEquals(await returningWeights(runtime, bytes.byteLength, () => Promise.resolve(7)), 7);
  assertEquals(runtime.freshBytes, 0);
  const second = NativeBlock.copy(runtime, bytes);
  assertEquals([runtime.freshBytes, runtime.freedBytes], [0, 0]);
  second.release();
});
