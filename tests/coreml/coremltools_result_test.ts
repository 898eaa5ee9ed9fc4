/** Whether coremltools has loaded the current programs. For WPT's cases, see wpt_cases_test.ts. */
import { assertEquals } from "@std/assert";
import { testWithData } from "../support/test_data.ts";
import { assertLoaded, LOWERINGS, RESULT } from "./coremltools_result.ts";
import { compileNetworks, NETWORKS } from "./export_programs.ts";
import { packageDigest, packageFiles } from "./files.ts";
import { PROGRAMS, WRONG_PROGRAMS } from "./sample_programs.ts";

Deno.test("coremltools has rejected no program, and computes the same numbers", () => {
  for (const { set, programs, loaded, rejected, numbers } of RESULT.sets) {
    assertEquals({ set, loaded, rejected, different: numbers.different }, {
      set,
      loaded: programs,
      rejected: {},
      different: {},
    });
  }
});

Deno.test("coremltools has rejected the wrong programs", () => {
  const expected = Object.keys(WRONG_PROGRAMS).filter((name) => WRONG_PROGRAMS[name]!.coremltools);
  assertEquals(RESULT.wrong.rejected.toSorted(), expected.sort());
});

Deno.test("coremltools has loaded the programs written by hand", async () => {
  const files = await Promise.all(Object.values(PROGRAMS).map(packageFiles));
  assertLoaded("written by hand", files.map(packageDigest));
});

for (const [name, options] of Object.entries(LOWERINGS)) {
  testWithData(NETWORKS.map(([, , weights]) => weights), `coremltools has loaded the networks: ${name}`, async () => {
    const { digests } = await compileNetworks(options);
    assertLoaded(`networks, ${name}`, digests);
  });
}
