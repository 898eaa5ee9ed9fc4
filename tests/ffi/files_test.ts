/** Files of all sizes are read whole. */
import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { fetchBytes } from "../../ffi/files.ts";

Deno.test("a file is read whole, also in two halves", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, "file");
    for (const size of [0, 1, 4097, 16 * 2 ** 20, 16 * 2 ** 20 + 1]) {
      const bytes = new Uint8Array(size);
      for (let i = 0; i < size; i += 509) bytes[i] = i * 31 >> 4;
      await Deno.writeFile(path, bytes);
      const read = await fetchBytes(path);
      assertEquals(read.byteLength, size);
      // Comparing them element by element would take a second.
      assertEquals(await digest(read), await digest(bytes), `${size} bytes`);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

async function digest(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
