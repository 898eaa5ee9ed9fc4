/**
 * A batch that a signal ends, for a test: in place of the engine it kills its own process when it comes to seed 3, unless
 * the first step of the program is left out.
 */

import { parseBatch, tell } from "./batch.ts";

const { kind, from, count, removed } = parseBatch(Deno.args);
for (let seed = from; seed < from + count; seed++) {
  tell({ started: seed });
  if (seed === 3 && !removed.includes(0)) Deno.kill(Deno.pid, "SIGKILL");
}
tell({ tally: { [kind]: count } });
