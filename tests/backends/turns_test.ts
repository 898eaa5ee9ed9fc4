/** Work on a device that does not support threads. */
import { assertEquals } from "@std/assert";
import { ExclusiveTurns } from "../../src/backends/onnxruntime/providers/turns.ts";

Deno.test("turns do not overlap, continue after a failure, and start at once if nothing is in flight", async () => {
  const turns = new ExclusiveTurns();
  const log: string[] = [];
  const slow = (name: string) => async () => {
    log.push(`${name} begins`);
    await Promise.resolve();
    log.push(`${name} ends`);
    if (name === "b") throw new Error("b failed");
    return name;
  };
  assertEquals(turns.take(() => 1), 1);
  const all = Promise.allSettled([turns.take(slow("a")), turns.take(slow("b")), turns.take(() => log.push("c"))]);
  assertEquals((await all).map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
  assertEquals(log, ["a begins", "a ends", "b begins", "b ends", "c"]);
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals(turns.take(() => 2), 2);
});
