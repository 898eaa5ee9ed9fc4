/**
 * Runs idlharness for WebNN in window and worker scope, with testharness.js and idlharness.js from the npm package
 * wpt-runner, and the IDL from \@webref/idl, which is updated more often.
 */

import { assertEquals } from "@std/assert";
import { makeCheckout } from "./fixtures/checkout.ts";
import { type PageResult, runPages } from "./run_page.ts";
import { discover } from "./discover.ts";

const PRELUDE = new URL("../../src/polyfill.ts", import.meta.url).href;
const INTERFACES = ["ML", "MLContext", "MLGraph", "MLGraphBuilder", "MLOperand", "MLTensor"];

Deno.test("the interfaces match the IDL, in a window and in a worker", async () => {
  const results = await runIdlharness();
  assertEquals(results.map(({ id, status, message }) => [id, status, message]), [
    ["/webnn/idlharness.any.html", "OK", null],
    ["/webnn/idlharness.any.worker.html", "OK", null],
  ]);
  for (const { subtests } of results) {
    const failing = subtests.filter(({ status }) => status !== "PASS").map(({ name, message }) =>
      `${name}: ${message}`
    );
    assertEquals(failing, []);
    const names = new Set(subtests.map(({ name }) => name));
    const untested = INTERFACES.filter((name) =>
      !names.has(`${name} interface: existence and properties of interface object`)
    );
    assertEquals(untested, []);
  }
});

async function runIdlharness(): Promise<PageResult[]> {
  const root = await makeCheckout("idlharness");
  const results: PageResult[] = [];
  try {
    const { pages } = discover(root, "/webnn");
    await runPages(pages, { root, prelude: PRELUDE, jobs: 2, timeoutMultiplier: 1 }, (result) => results.push(result));
  } finally {
    await Deno.remove(root, { recursive: true });
  }
  return results.sort((a, b) => (a.id < b.id ? -1 : 1));
}
