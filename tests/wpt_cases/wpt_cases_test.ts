/** WPT's numeric cases as a test; `deno task test:wpt-cases` shows them one by one. */

import { assertEquals } from "@std/assert";
import { testWithData } from "../support/test_data.ts";
import exceptions from "./exceptions.json" with { type: "json" };
import { CASES, runCases } from "./main.ts";
import { failureLines, summarize } from "./report.ts";

testWithData([CASES], "WPT's numeric cases pass on the CPU backend, but for the listed exceptions", async () => {
  const results = await runCases();
  const summary = summarize(results, exceptions, true);
  assertEquals(results.length, 2482);
  assertEquals(failureLines(summary.unexpected, exceptions), []);
  assertEquals(summary.stale, [], "exceptions whose case passes");
});
