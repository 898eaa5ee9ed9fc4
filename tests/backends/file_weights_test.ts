/** Weights that another thread reads from a file. */
import { assertEquals, assertRejects } from "@std/assert";
import { PartialFile } from "../../ffi/partial_file.ts";
import type { FileRange } from "../../src/backends/backend.ts";
import { FileWeights } from "../../src/backends/onnxruntime/file_weights.ts";
import { defaultThreads, openRuntime } from "../../src/backends/onnxruntime/runtime.ts";

const ignore = Deno.build.os !== "linux"; // Other systems read files as a whole.

const runtime = await openRuntime(undefined, defaultThreads());

const CONTENTS = new Uint8Array(25 * 2 ** 20);
for (let i = 0; i < CONTENTS.byteLength; i += 251) CONTENTS[i] = i >> 4;

/** Opens files with these contents. */
async function withFiles(
  work: (files: readonly PartialFile[], paths: readonly string[]) => Promise<void>,
): Promise<void> {
  const paths = [await Deno.makeTempFile(), await Deno.makeTempFile()];
  for (const path of paths) await Deno.writeFile(path, CONTENTS);
  const files = paths.map((path) => PartialFile.open(path)!);
  try {
    await work(files, paths);
  } finally {
    for (const file of files) file.close();
    for (const path of paths) await Deno.remove(path);
  }
}

/** Parts of several batches: adjacent, with gaps, overlapping, equal, out of order, and one larger than a batch. */
function rangesOf(file: PartialFile): FileRange[] {
  const parts = [
    [5_000_001, 70_000],
    [0, 65_536],
    [65_536, 70_000],
    [135_636, 100_000],
    [200_000, 100_000],
    [200_000, 100_000],
    [6_000_000, 9 * 2 ** 20],
    [20_000_000, 4_000_000],
    [CONTENTS.byteLength - 1, 1],
  ] as const;
  return parts.map(([offset, byteLength]) => ({ file, offset, byteLength }));
}

Deno.test({
  name: "weights anywhere in several files",
  ignore,
  fn: () =>
    withFiles(async (files) => {
      const weights = new FileWeights(runtime);
      const ranges = files.flatMap(rangesOf);
      const blocks = ranges.map((range) => weights.add(range));
      weights.start();
      await Promise.all(files.map((file) => file.settled()));
      weights.start(); // Nothing is left to do.
      blocks.forEach((block, i) => {
        const { offset, byteLength } = ranges[i]!;
        assertEquals(block.isShared, false);
        const isSame = block.bytes.every((byte, at) => byte === CONTENTS[offset + at]);
        assertEquals(isSame && block.byteLength === byteLength, true, `weight ${i}`);
        block.release();
      });
    }),
});

Deno.test({
  name: "a block that is released during the read is freed after it",
  ignore,
  fn: () =>
    withFiles(async (files) => {
      const weights = new FileWeights(runtime);
      for (const range of files.flatMap(rangesOf)) weights.add(range).release();
      weights.start();
      await Promise.all(files.map((file) => file.settled()));
    }),
});

Deno.test({
  name: "if a file becomes shorter, only its own weights are not read",
  ignore,
  fn: () =>
    withFiles(async ([whole, cut], [, path]) => {
      await Deno.truncate(path!, 100);
      const weights = new FileWeights(runtime);
      const blocks = [whole!, cut!].map((file) => weights.add({ file, offset: 1000, byteLength: 70_000 }));
      weights.start();
      await whole!.settled();
      await assertRejects(() => cut!.settled(), TypeError, "shorter");
      assertEquals(blocks[0]!.bytes.every((byte, at) => byte === CONTENTS[1000 + at]), true);
      for (const block of blocks) block.release();
    }),
});
