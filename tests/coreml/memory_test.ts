/** The memory that writing weights needs, measured in a separate process. */
import { assertEquals, assertLess } from "@std/assert";
import { join } from "node:path";
import { runChild } from "../../support/child.ts";

const WEIGHTS = 500_000_000;
/** The bytes allowed for the model file, file buffers, and garbage that is not collected yet. */
const ALLOWANCE = 32 * 2 ** 20;

Deno.test({
  name: "500 MB of weights are written without a second copy in memory",
  ignore: Deno.build.os !== "linux", // Other systems do not report peak memory.
  fn: async () => {
    const folder = await Deno.makeTempDir();
    try {
      const program = new URL("./programs/memory.ts", import.meta.url);
      const { code, signal, stdout, stderr } = await runChild(program, [folder], ["--allow-all", "--no-check"]);
      assertEquals({ code, signal, stderr }, { code: 0, signal: null, stderr: "" });
      const { size } = await Deno.stat(join(folder, "Data/com.apple.CoreML/weights/weight.bin"));
      console.log(`${(size / 1e6).toFixed(0)} MB written, resident memory rose by ${(+stdout / 1e6).toFixed(1)} MB`);
      assertEquals(size, 64 + 20 * (64 + WEIGHTS / 20));
      assertLess(+stdout, ALLOWANCE);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
