import { assert, assertEquals, assertGreater, assertLess, assertLessOrEqual } from "@std/assert";
import { fileURLToPath } from "node:url";
import { availableMemory } from "../../ffi/available_memory.ts";

const LINUX = Deno.build.os === "linux";

Deno.test("the available memory is that of the system, or what a container's limit leaves", () => {
  const { total, available } = Deno.systemMemoryInfo();
  const bytes = availableMemory();
  console.log(`available: ${(bytes / 1e9).toFixed(2)} GB; Deno says ${(available / 1e9).toFixed(2)} GB`);
  assertGreater(bytes, 0);
  assertLessOrEqual(bytes, total);
  // Other programs may use or free memory between the two calls. macOS also counts memory that it can compress.
  if (LINUX) assertLess(bytes, available + total / 8);
});

Deno.test({
  name: "a limit on the address space limits the available memory",
  ignore: !LINUX, // It is read only on Linux; macOS has the limit but does not enforce it.
  async fn() {
    const KILOBYTES = 64 * 2 ** 20; // V8 itself reserves some tens of gigabytes.
    const program = fileURLToPath(new URL("limited_address_space.ts", import.meta.url));
    const deno = [Deno.execPath(), "run", "--quiet", "--allow-all"]; // Deno needs all permissions to read /proc.
    const { code, stdout, stderr } = await new Deno.Command("sh", {
      args: ["-c", `ulimit -v ${KILOBYTES} && exec "$@"`, "sh", ...deno, program, String(KILOBYTES * 1024)],
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    const [available, reserved] = new TextDecoder().decode(stdout).split(" ").map(Number);
    assertEquals(reserved, 0);
    assert(available !== undefined && available > 256e6 && available <= 512e6, `available: ${available}`);
  },
});
