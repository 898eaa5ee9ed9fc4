/** Long work that yields to the event loop. */
import { assert, assertEquals } from "@std/assert";
import { startYielding } from "../../examples/chat/yielding.ts";

function work(milliseconds: number): void {
  for (const end = performance.now() + milliseconds; performance.now() < end;);
}

Deno.test("timers fire during long work", async () => {
  let fired = 0;
  const timer = setInterval(() => fired++, 0);
  const yieldIfDue = startYielding();
  for (let i = 0; i < 20; i++) {
    work(2);
    await yieldIfDue();
  }
  clearInterval(timer);
  assert(fired > 1, `a timer fired ${fired} times in 40 ms of work`);
});

Deno.test("short work does not yield", async () => {
  let fired = 0;
  const timer = setTimeout(() => fired++, 0);
  await startYielding()();
  clearTimeout(timer);
  assertEquals(fired, 0);
});
