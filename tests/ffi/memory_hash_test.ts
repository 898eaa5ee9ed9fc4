/** Hashes of native memory, with the system's function and with the portable one. */
import { assertEquals, assertNotEquals } from "@std/assert";
import { hashByCrypto, hashMemory } from "../../ffi/memory_hash.ts";
import type { Pointer } from "../../ffi/memory.ts";

/** Sizes around the limits at which hashing moves to another thread, or splits the memory. */
const SIZES = [1, 7, 8, 9, 4096, 4 * 2 ** 20 + 3, 6 * 2 ** 20, 6 * 2 ** 20 + 1];

for (const [name, hash] of Object.entries({ hashMemory, hashByCrypto })) {
  Deno.test(`${name}: the same bytes have the same hash at any address, and changing one bit changes it`, async () => {
    const hashes = new Set<bigint>();
    for (const size of SIZES) {
      const bytes = Uint8Array.from({ length: size + 3 }, (_, i) => i * 37);
      const copy = bytes.slice(3);
      const at = (array: Uint8Array<ArrayBuffer>) => Deno.UnsafePointer.of(array) as Pointer;
      const first = await hash(at(copy), size);
      assertEquals(await hash(at(bytes.subarray(3)), size), first);
      hashes.add(first);
      for (const index of new Set([0, size >> 1, size - 1])) {
        copy[index]! ^= 1;
        assertNotEquals(await hash(at(copy), size), first, `byte ${index} of ${size}`);
        copy[index]! ^= 1;
      }
    }
    assertEquals(hashes.size, SIZES.length);
  });
}
