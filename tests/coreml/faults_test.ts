/** How Core ML's runtime handles failing calls, on the framework of native/fake_coreml/. */
import { assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { available, buildFakeFramework, testOnFake, unavailable } from "./fake_framework.ts";

testOnFake("each failing call is handled", "faults.ts");

/** Runs a command with a file size limit of 1 MB, which simulates a full disk. */
const WITHOUT_SPACE = ["-c", 'trap "" XFSZ; ulimit -f 2048; exec "$@"', "sh"];

Deno.test({
  name: `fake Core ML: if the disk is full, a build fails and leaves no files${unavailable}`,
  ignore: !available,
  fn: async () => {
    const folder = await Deno.makeTempDir();
    try {
      const library = await buildFakeFramework(folder);
      const program = fileURLToPath(new URL("./programs/disk_full.ts", import.meta.url));
      const deno = [Deno.execPath(), "run", "--quiet", "--no-check", "--allow-all"];
      const { stdout, stderr } = await new Deno.Command("sh", {
        args: [...WITHOUT_SPACE, ...deno, program, library, join(folder, "cache")],
        env: { TMPDIR: folder, TMP: folder, NO_COLOR: "1" },
      }).output();
      const [text, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
      assertEquals(errors, "");
      const { name, message, left, live } = JSON.parse(text!);
      assertEquals({ name, left, live }, { name: "OperationError", left: [], live: 0 });
      assertMatch(message, /weight\.bin could not be written; the disk may be full/);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
