/** Files that are read in parts. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { blockList } from "../../ffi/memory.ts";
import { MAX_BLOCKS, PartialFile } from "../../ffi/partial_file.ts";

const SIZE = 2 ** 20 + 777;
const CONTENTS = Uint8Array.from({ length: SIZE }, (_, i) => i * 37 >> 3);
/** Other systems read files as a whole. */
const ignore = Deno.build.os !== "linux";

async function withFile(work: (file: PartialFile, path: string) => void | Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeFile(path, CONTENTS);
    const file = PartialFile.open(path)!;
    try {
      await work(file, path);
    } finally {
      file.close();
    }
  } finally {
    await Deno.remove(path);
  }
}

function pointerOf(array: BigUint64Array<ArrayBuffer>): Deno.PointerObject {
  return Deno.UnsafePointer.of(array)!;
}

/** The number of bytes that were read. */
function present({ bytes }: PartialFile): number {
  return bytes.reduce((count, byte, i) => count + Number(byte === CONTENTS[i] && byte !== 0), 0);
}

Deno.test({
  name: "only what is asked for is read, and the rest of its pages",
  ignore,
  fn: () =>
    withFile((file) => {
      assertEquals(file.bytes.byteLength, SIZE);
      assertEquals(present(file), 0);
      for (const [start, end] of [[5000, 5001], [0, 10], [300_000, 700_001], [SIZE - 1, SIZE]] as const) {
        assert(file.read(start, end) >= end);
        assertEquals(file.bytes.subarray(start, end), CONTENTS.subarray(start, end));
      }
      assert(present(file) < 500_000);
      file.read(0, SIZE);
      assertEquals(file.bytes, CONTENTS);
    }),
});

Deno.test({
  name: "a file is read as a whole, also after parts of it",
  ignore,
  fn: () =>
    withFile(async (file) => {
      file.read(8192, 9000);
      await file.readAll();
      assertEquals(file.bytes, CONTENTS);
    }),
});

Deno.test({
  name: "another thread reads a part into blocks of any size and alignment",
  ignore,
  fn: () =>
    withFile(async (file) => {
      const blocks = Array.from({ length: MAX_BLOCKS }, (_, i) => new Uint8Array(1 + i % 700));
      const byteLength = blocks.reduce((sum, block) => sum + block.byteLength, 0);
      const list = blockList(blocks.map((block) => [block, block.byteLength]));
      await file.readInto(pointerOf(list), MAX_BLOCKS, byteLength, 1001);
      await file.settled();
      let at = 1001;
      for (const block of blocks) assertEquals(block, CONTENTS.subarray(at, at += block.byteLength));
      assertEquals(present(file), 0);
    }),
});

Deno.test({
  name: "a file that becomes shorter is an error of every read, and does not end the process",
  ignore,
  fn: () =>
    withFile(async (file, path) => {
      file.read(0, 10);
      await Deno.truncate(path, 100_000);
      assertEquals(file.bytes.subarray(0, 10), CONTENTS.subarray(0, 10));
      assertThrows(() => file.read(90_000, 200_000), TypeError, "shorter");
      assertThrows(() => file.readNow(new Uint8Array(10), SIZE - 10), TypeError, "shorter");
      await assertRejects(() => file.readAll(), TypeError, "shorter");
      const block = new Uint8Array(20_000);
      await file.readInto(pointerOf(blockList([[block, 20_000]])), 1, 20_000, 90_000);
      await assertRejects(() => file.settled(), TypeError, "shorter");
    }),
});

Deno.test({
  name: "a file that is closed during a read stays open until the read ends",
  ignore,
  fn: async () => {
    const path = await Deno.makeTempFile();
    await Deno.writeFile(path, CONTENTS);
    const file = PartialFile.open(path)!;
    const block = new Uint8Array(SIZE);
    const list = blockList([[block, SIZE]]);
    const reading = file.readInto(pointerOf(list), 1, SIZE, 0);
    file.close();
    await reading;
    await file.settled();
    assertEquals(block, CONTENTS);
    await Deno.remove(path);
  },
});

Deno.test("what is no large local file is not opened in parts", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeFile(`${folder}/small`, new Uint8Array(1000));
    for (const name of ["", "small", "missing"]) assertEquals(PartialFile.open(`${folder}/${name}`), undefined, name);
    if (Deno.build.os !== "windows") {
      const { success } = await new Deno.Command("mkfifo", { args: [`${folder}/pipe`] }).output();
      assert(success);
      assertEquals(PartialFile.open(`${folder}/pipe`), undefined);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
