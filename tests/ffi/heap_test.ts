/** Freed memory of the C library's heap is returned to the system, also during other work. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { trimHeapDuring } from "../../ffi/heap.ts";
import { libc } from "../../ffi/system.ts";

const MIB = 2 ** 20;
/** Small enough for the heap: the library maps each larger block separately. */
const BLOCK = MIB / 16;

/** The resident memory without mapped files. */
function residentBytes(): number {
  return 1024 * Number(/^RssAnon:\s*(\d+) kB$/m.exec(Deno.readTextFileSync("/proc/self/status"))![1]);
}

Deno.test({
  name: "freed memory is returned before the work ends",
  ignore: Deno.build.os !== "linux", // Other C libraries always return freed memory.
  async fn() {
    const { malloc, memset, free } = libc({
      malloc: { parameters: ["usize"], result: "pointer" },
      memset: { parameters: ["pointer", "i32", "usize"], result: "pointer" },
      free: { parameters: ["pointer"], result: "void" },
    });
    const blocks = Array.from({ length: 1024 }, () => memset(malloc(BigInt(BLOCK)), 1, BigInt(BLOCK)));
    // The library treats free memory at the end of a heap differently, so some blocks there stay until the end.
    const last = blocks.splice(-16);
    const before = residentBytes();
    let during = before;
    await trimHeapDuring((async () => {
      for (const block of blocks) free(block);
      const until = performance.now() + 60_000;
      while (during > before - 48 * MIB && performance.now() < until) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        during = residentBytes();
      }
    })());
    for (const block of last) free(block);
    assert(during <= before - 48 * MIB, `${before - during} of ${1024 * BLOCK} bytes were returned`);
  },
});

Deno.test("the result or error of the work is passed on", async () => {
  assertEquals(await trimHeapDuring(Promise.resolve(7)), 7);
  await assertRejects(() => trimHeapDuring(Promise.reject(new RangeError("no"))), RangeError, "no");
});
