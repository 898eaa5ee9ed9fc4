/** Copies of many blocks on another thread. */
import { assert, assertEquals } from "@std/assert";
import { blockList } from "../../ffi/memory.ts";
import { MAX_BLOCKS, scatteredCopy } from "../../ffi/scattered_copy.ts";

const pointerOf = (array: BigUint64Array) => Deno.UnsafePointer.of(array as BigUint64Array<ArrayBuffer>)!;

function listOf(blocks: readonly Uint8Array<ArrayBuffer>[]): BigUint64Array {
  return blockList(blocks.map((block) => [block, block.byteLength]));
}

Deno.test({
  name: "blocks of any size and alignment are copied",
  ignore: Deno.build.os !== "linux", // Other systems copy nothing.
  async fn() {
    const all = Uint8Array.from({ length: 2 ** 20 }, (_, i) => i * 37 >> 3);
    const sources = Array.from({ length: MAX_BLOCKS }, (_, i) => all.subarray(i * 1021, i * 1021 + 1 + i));
    const targets = sources.map(({ byteLength }) => new Uint8Array(byteLength));
    const lists = [listOf(targets), listOf(sources)] as const;
    const copied = await scatteredCopy(pointerOf(lists[0]), pointerOf(lists[1]), MAX_BLOCKS);
    assertEquals(copied, targets.reduce((sum, { byteLength }) => sum + byteLength, 0));
    targets.forEach((target, i) => assertEquals(target, sources[i]));
  },
});

Deno.test("memory that cannot be read is not copied, and does not end the process", async () => {
  const target = new Uint8Array(64);
  const lists = [listOf([target]), BigUint64Array.of(4096n, 64n)] as const;
  assert(await scatteredCopy(pointerOf(lists[0]), pointerOf(lists[1]), 1) < 64);
  assertEquals(target, new Uint8Array(64));
});
