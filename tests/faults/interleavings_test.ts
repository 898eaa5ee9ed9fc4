/**
 * Random programs on three contexts, with delays inside the engine and failing runs. Every promise must settle as the
 * standard requires, and no native object may be used after its release, or leak. WEBNN_SCHEDULES is the number of
 * programs (200 by default), WEBNN_SEED the first seed (1 by default).
 */
import { assertEquals } from "@std/assert";
import { readEnvironment } from "../../ffi/library.ts";
import { available, buildFaults, type Faults, settled, unavailable } from "./library.ts";
import { runSchedule, type Tally } from "./schedule.ts";

const COUNT = Number(readEnvironment("WEBNN_SCHEDULES") ?? 200);
const FIRST_SEED = Number(readEnvironment("WEBNN_SEED") ?? 1);

Deno.test({
  name: `in random programs, every promise settles and nothing leaks${unavailable}`,
  ignore: !available,
  fn: async () => {
    const folder = await Deno.makeTempDir();
    try {
      using faults = await buildFaults(folder);
      const tally: Tally = { calls: 0, resolved: 0, rejected: 0, failedRuns: 0, unread: 0 };
      const began = performance.now();
      for (let seed = FIRST_SEED; seed < FIRST_SEED + COUNT; seed++) {
        faults.reset();
        const problems = await runSchedule(faults, seed, tally);
        await settled(faults);
        assertEquals({ problems, ...state(faults) }, { problems: [], leaked: {}, reports: [] }, `WEBNN_SEED=${seed}`);
      }
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      console.log(`${COUNT} schedules in ${seconds} s: ${JSON.stringify(tally)}`);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

function state(faults: Faults) {
  return { leaked: faults.leaked(), reports: faults.reports() };
}
