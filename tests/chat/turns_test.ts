/** Long work that yields to the event loop. */
import { assert, assertEquals } from "@std/assert";
import { turns } from "../../examples/chat/turns.ts";

function work(milliseconds: number): void {
  for (const end = performance.now() + milliseconds; performance.now() < end;);
}

Deno.test("timers fire during long work", async () => {
  let fired = 0;
  const timer = setInterval(() => fired++, 0);
  const turn = turns();
  for (let i = 0; i < 20; i++) {
    work(2);
    await turn();
  }
  clearInterval(timer);
  assert(fired > 1, `a timer fired ${fired} times in 40 ms of work`);
});

Deno.test("short work does not yield", async () => {
  let fired = 0;
  const timer = setTimeout(() => fired++, 0);
  await turns()();
  clearTimeout(timer);
  assertEquals(fired, 0);
});
