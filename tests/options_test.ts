/** The table of options: conversions, invalid options, and the docs that are generated from it. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type ContextOptions, createContext, devices, ml } from "@webnn/deno";
import { DEFAULTS, ownOptions, placeOptions, type Selection, standardOptions } from "../src/options.ts";
import { OPTION_TABLES, withTable } from "./support/write_option_docs.ts";

/** The public type of options has the names and types of the table. */
type Same<A, B> = [keyof A, keyof B] extends [keyof B, keyof A] ? true : false;
const sameNames: Same<ContextOptions, Selection> = true;
const accepted: ContextOptions = {} as { -readonly [Name in keyof Omit<Selection, "plugins">]: Selection[Name] };

Deno.test("types and documentation agree with the table of options", () => {
  assertEquals([sameNames, accepted], [true, {}]);
});

Deno.test("an unknown option is a TypeError that names the most similar one", async () => {
  const cases = [
    [{ thread: 1 }, "createContext: options.thread is not an option; did you mean threads?"],
    [{ Device: "cpu" }, "options.Device is not an option; did you mean device?"],
    [{ graphcapture: true }, "did you mean graphCapture?"],
    [{ allowReducedPrecison: true }, "did you mean allowReducedPrecision?"],
    [{ spinnig: undefined }, "did you mean spinning?"],
    [{ powerPreferences: "default" }, "did you mean powerPreference?"],
  ] as const;
  for (const [options, message] of cases) {
    await assertRejects(() => createContext(options as ContextOptions), TypeError, message);
  }
  await assertRejects(() => devices({ plugin: [] } as never), TypeError, "did you mean plugins?");
});

Deno.test("ml.createContext does not read members that the standard does not have", async () => {
  const options = {
    thread: 1,
    threads: 1e9,
    get library() {
      throw new Error("read");
    },
  };
  using context = await ml.createContext(options as never);
  assertEquals(context.accelerated, false);
  assertEquals(standardOptions({ deviceType: "cpu", spinning: false }, ""), { ...DEFAULTS, deviceType: "cpu" });
});

Deno.test("options are converted, and defaults are filled in", () => {
  assertEquals(DEFAULTS, {
    accelerated: true,
    allowReducedPrecision: false,
    fallback: true,
    graphCapture: false,
    profile: false,
    powerPreference: "default",
  });
  const given = { threads: "3", library: new URL("file:///C:/a%20b"), providerOptions: { a: 1 }, cacheSizeLimit: 1.5 };
  const own = { threads: 3, library: "C:/a b", providerOptions: { a: "1" }, cacheSizeLimit: 1.5 };
  assertEquals(ownOptions(given, ""), { ...DEFAULTS, ...own });
  assertEquals(placeOptions({ plugins: new Set([new URL("file:///x")]) }, ""), { plugins: ["/x"] });
  for (
    const wrong of [{ threads: 0 }, { threads: 1025 }, { cacheSizeLimit: -1 }, { blockingLimit: -1 }, {
      providerOptions: 1,
    }, 1]
  ) {
    assertThrows(() => ownOptions(wrong, "options"), TypeError, "options");
  }
});

Deno.test("the tables in README and docs/devices.md are up to date (deno task docs:options)", async () => {
  for (const { file, table } of OPTION_TABLES) {
    const page = await Deno.readTextFile(file);
    assertEquals(page, withTable(page, table()));
  }
});
