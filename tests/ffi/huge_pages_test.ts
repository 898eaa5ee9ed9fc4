/** Advice to use huge pages does not change the contents of memory. */
import { assertEquals } from "@std/assert";
import { adviseHugePages } from "../../ffi/huge_pages.ts";

const MIB = 2 ** 20;

Deno.test("requesting huge pages does not change memory of any size and alignment", () => {
  for (const size of [0, 1, 4 * MIB - 1, 4 * MIB, 5 * MIB + 3, 9 * MIB]) {
    for (const offset of [0, 1, 4096, 2 * MIB - 1]) {
      const whole = new Uint8Array(size + offset).fill(7);
      const part = whole.subarray(offset);
      adviseHugePages(part, part.byteLength);
      assertEquals(whole.every((byte) => byte === 7), true, `${size} bytes from ${offset}`);
    }
  }
});

Deno.test({
  name: "without permission for FFI, the advice does nothing",
  permissions: { ffi: false },
  fn: () => adviseHugePages(new Uint8Array(8 * MIB), 8 * MIB),
});
