/** Opens the HTML report in Chromium, Chrome or Edge, from the PATH or CHROMIUM_PATH. */

import { assertEquals, assertMatch } from "@std/assert";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium, type Page } from "playwright-core";
import { judge, type JudgedPage } from "./expectations.ts";
import { htmlReport } from "./html_report.ts";
import type { Run } from "./report.ts";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "chrome.exe", "msedge", "msedge.exe"];
const browserPath = Deno.env.get("CHROMIUM_PATH") ?? findOnPath(NAMES);

Deno.test({
  name: "the HTML report opens, filters and shows messages in a browser" +
    (browserPath === undefined ? " (skipped: no Chromium on the PATH or in CHROMIUM_PATH)" : ""),
  ignore: browserPath === undefined,
  async fn(t) {
    const folder = await Deno.makeTempDir();
    const file = join(folder, "report.html");
    await Deno.writeTextFile(file, htmlReport(exampleRun()));
    const browser = await chromium.launch({ executablePath: browserPath! });
    try {
      const page = await browser.newPage({ viewport: { width: 1100, height: 900 } });
      const errors: string[] = [];
      page.on("pageerror", (error) => errors.push(error.message));
      await page.goto(pathToFileURL(file).href);
      await t.step("shows the counts", () => showsCounts(page));
      await t.step("shows the message of a failing subtest, as text", () => showsMessages(page));
      await t.step("filters", () => filters(page));
      const screenshot = Deno.env.get("WPT_SCREENSHOT");
      if (screenshot !== undefined) await page.screenshot({ path: screenshot });
      assertEquals(errors, []);
    } finally {
      await browser.close();
      await Deno.remove(folder, { recursive: true });
    }
  },
});

async function showsCounts(page: Page): Promise<void> {
  assertEquals(await page.title(), "WebNN web-platform-tests in Deno");
  assertEquals(await page.locator("tbody tr").allInnerTexts(), [
    "/webnn\t1\t2\t0\t0",
    "/webnn/validation_tests\t2\t1\t1\t2",
    "all\t3\t3\t1\t2",
  ]);
  assertEquals(await page.locator("#not-run li").allInnerTexts(), ["not run\n/webnn/frames.html: needs frames"]);
}

async function showsMessages(page: Page): Promise<void> {
  const pad = page.locator("details", { hasText: "pad.https.any.html" });
  assertEquals(await pad.locator("pre").allInnerTexts(), ["assert_equals: </script><b>no markup</b>"]);
  assertMatch(await pad.locator("p").innerText(), /^Expected: not yet implemented issue$/);
  assertEquals(await pad.locator("p a").getAttribute("href"), "https://example.org/issues/7");
  assertEquals(await page.locator("b").count(), 0);
  const helper = page.locator("details", { hasText: "helper.window.html" });
  assertEquals(await helper.locator("li").count(), 0, "a page that passes is closed");
  await helper.locator("summary").click();
  await helper.locator("li").first().waitFor();
  assertEquals(await helper.locator("li").allInnerTexts(), ["PASS\none", "PASS\ntwo"]);
}

async function filters(page: Page): Promise<void> {
  const shown = () => page.locator("output").innerText();
  assertEquals(await shown(), "6 shown");
  await page.getByRole("checkbox", { name: "pass", exact: true }).uncheck();
  assertEquals(await shown(), "3 shown");
  await page.getByRole("searchbox").fill("NO MARKUP");
  assertEquals(await shown(), "1 shown");
  assertEquals(await page.locator("main li > span:nth-child(2)").allInnerTexts(), ["rejects invalid input"]);
  await page.getByRole("searchbox").fill("no such thing");
  assertEquals(await shown(), "0 shown");
  await page.getByRole("searchbox").fill("");
  assertEquals(await shown(), "3 shown");
}

function exampleRun(): Run {
  const expectations = [{
    test: "/webnn/validation_tests/pad.https.any.html",
    subtest: "comes later",
    reason: "not yet implemented",
    issue: "https://example.org/issues/7",
  }];
  const page = (
    id: string,
    status: "OK" | "CRASH",
    message: string | null,
    ...subtests: [string, "PASS" | "FAIL", string?][]
  ) =>
    judge({
      id,
      status,
      message,
      duration: 80,
      skippedCases: [],
      subtests: subtests.map(([name, status, message]) => ({ name, status, message: message ?? null })),
    }, expectations);
  const pages: JudgedPage[] = [
    page("/webnn/helper.window.html", "OK", null, ["one", "PASS"], ["two", "PASS"]),
    page(
      "/webnn/validation_tests/pad.https.any.html?cpu",
      "OK",
      null,
      ["rejects invalid input", "FAIL", "assert_equals: </script><b>no markup</b>"],
      ["comes later", "FAIL"],
      ["passes", "PASS"],
    ),
    page("/webnn/validation_tests/tile.https.any.html?cpu", "CRASH", "the process was killed by SIGSEGV"),
  ];
  return {
    pages,
    notRun: [{ path: "/webnn/frames.html", reason: "needs frames" }],
    stale: [],
    revision: { commit: "0123456789abcdef", date: "2026-06-29" },
    command: "deno task wpt --wpt WPT --device cpu",
    jobs: 2,
    timeStart: Date.UTC(2026, 5, 29),
    timeEnd: Date.UTC(2026, 5, 29) + 12_300,
  };
}

function findOnPath(names: string[]): string | undefined {
  const folders = (Deno.env.get("PATH") ?? "").split(delimiter);
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find((path) => existsSync(path));
}
