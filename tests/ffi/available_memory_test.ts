import { assert, assertEquals, assertGreater, assertLess, assertLessOrEqual } from "@std/assert";
import { fileURLToPath } from "node:url";
import { availableMemory } from "../../ffi/available_memory.ts";

const LINUX = Deno.build.os === "linux";

Deno.test("the available memory is the system's, or a container's share of it", () => {
  const { total, available } = Deno.systemMemoryInfo();
  const bytes = availableMemory();
  console.log(`available: ${(bytes / 1e9).toFixed(2)} GB; Deno says ${(available / 1e9).toFixed(2)} GB`);
  assertGreater(bytes, 0);
  assertLessOrEqual(bytes, total);
  // Other programs take and free memory between the two questions. macOS counts what it can compress, too.
  if (LINUX) assertLess(bytes, available + total / 8);
});

Deno.test("reading the available memory is cheap", () => {
  availableMemory();
  const times = Array.from({ length: 200 }, () => {
    const start = performance.now();
    availableMemory();
    return performance.now() - start;
  });
  const median = times.sort((a, b) => a - b)[100]!;
  console.log(`availableMemory: ${(median * 1000).toFixed(0)} us (median)`);
  assertLess(median, 5); // Wide of the 0.2 ms that it may take, since the machine may be busy.
});

Deno.test({
  name: "a limit on the address space counts",
  ignore: !LINUX, // The only system that is asked for it; macOS has the limit and does not keep to it.
  async fn() {
    const KILOBYTES = 64 * 2 ** 20; // V8 itself reserves some tens of gigabytes.
    const program = fileURLToPath(new URL("limited_address_space.ts", import.meta.url));
    const deno = [Deno.execPath(), "run", "--quiet", "--allow-all"]; // Deno asks for all of it to read in /proc.
    const { code, stdout, stderr } = await new Deno.Command("sh", {
      args: ["-c", `ulimit -v ${KILOBYTES} && exec "$@"`, "sh", ...deno, program, String(KILOBYTES * 1024)],
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    const [available, reserved] = new TextDecoder().decode(stdout).split(" ").map(Number);
    assertEquals(reserved, 0);
    assert(available !== undefined && available > 256e6 && available <= 512e6, `available: ${available}`);
  },
});
