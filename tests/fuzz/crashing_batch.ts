/**
 * A batch for a test. It simulates a crash of the engine: it kills its own process at seed 3, unless the first step of
 * the program is left out.
 */

import { parseBatch, send } from "./batch.ts";

const { kind, from, count, removed } = parseBatch(Deno.args);
for (let seed = from; seed < from + count; seed++) {
  send({ started: seed });
  if (seed === 3 && !removed.includes(0)) Deno.kill(Deno.pid, "SIGKILL");
}
send({ tally: { [kind]: count } });
