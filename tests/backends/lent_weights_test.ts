/** Weights that another thread copies. */
import { assertEquals, assertRejects } from "@std/assert";
import { type ScatteredCopy, scatteredCopy } from "../../ffi/scattered_copy.ts";
import { LentWeights, MIN_LENT_BYTES } from "../../src/backends/onnxruntime/lent_weights.ts";
import { defaultThreads, openRuntime } from "../../src/backends/onnxruntime/runtime.ts";

const runtime = await openRuntime(undefined, defaultThreads());

/** Weights that fill several batches, one of which is larger than a batch. */
function weights(): Uint8Array<ArrayBuffer>[] {
  return [MIN_LENT_BYTES, 9 * 2 ** 20, 3 * 2 ** 20 + 5, 6 * 2 ** 20, MIN_LENT_BYTES + 1].map((size, i) => {
    const bytes = new Uint8Array(size);
    for (let at = i; at < size; at += 251) bytes[at] = at;
    return bytes;
  });
}

const nothing: ScatteredCopy = () => Promise.resolve(0);

for (const [name, copy] of Object.entries({ "another thread": scatteredCopy, "this thread": nothing })) {
  Deno.test(`weights that ${name} copies`, async () => {
    const lent = new LentWeights(runtime, copy);
    const sources = weights();
    const blocks = sources.map((source) => lent.add(source));
    await lent.returned();
    blocks.forEach((block, i) => {
      assertEquals(block.isShared, false);
      assertEquals(block.bytes.every((byte, at) => byte === sources[i]![at]), true, `weight ${i}`);
      block.release();
    });
    await lent.returned(); // Nothing is left to do.
  });
}

Deno.test("a block that is released during the copy is freed after it", async () => {
  const lent = new LentWeights(runtime);
  for (const source of weights()) lent.add(source).release();
  await lent.returned();
});

Deno.test("if bytes are freed before they are copied, waiting for them rejects, once", async () => {
  const lent = new LentWeights(runtime, nothing);
  const [source] = weights() as [Uint8Array<ArrayBuffer>];
  const block = lent.add(source);
  source.buffer.transfer(0);
  await assertRejects(() => lent.returned(), TypeError);
  await lent.returned();
  block.release();
});
