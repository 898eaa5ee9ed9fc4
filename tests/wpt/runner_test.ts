/** Tests the runner on the small suite in fixtures/suite, with the real testharness.js. */

import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseMeta } from "./discover.ts";
import { type JudgedPage, parseExpectations } from "./expectations.ts";
import { makeCheckout } from "./fixtures/checkout.ts";
import { conformanceDocument, count, formatSummary, isAsExpected, type Run, wptReport } from "./report.ts";
import { main } from "./run.ts";
import { runSuite, type SuiteOptions } from "./suite.ts";

const PRELUDE = new URL("./fixtures/prelude.ts", import.meta.url);
const EXPECTATIONS = new URL("./fixtures/expectations.json", import.meta.url);

Deno.test("the runner reports the results of each page", async (t) => {
  const run = await runFixtures();
  const page = (path: string) => summarize(run.pages.find(({ result }) => result.id === `/webnn/${path}`));

  await t.step("pages that pass, by variant and scope", () => {
    for (const extension of ["html", "worker.html"]) {
      for (const variant of ["?cpu", "?op=add&device=gpu"]) {
        const { status, checks } = page(`passes.any.${extension}${variant}`);
        assertEquals([status, checks.length], ["OK", 10]);
        assert(checks.includes("pass PASS Everything that a page needs"), "named after META title");
        assert(checks.includes(`pass PASS the variant is in location.search: ${variant}`), "variant");
        assertEquals(checks.filter((check) => !check.startsWith("pass PASS")), []);
      }
    }
  });

  await t.step("expected and unexpected results", () => {
    assertEquals(page("nested/fails.window.html").checks, [
      "unexpected FAIL fails, and nobody expected it",
      "expected FAIL fails as expected",
      "unexpected PASS passes against expectation",
      "pass PASS passes",
      "expected FAIL fails on this machine",
      "pass PASS passes on this machine",
      "unexpected MISSING is not there",
    ]);
    assertEquals(run.stale.map(({ test }) => test), ["/webnn/gone.window.html"]);
    assertEquals(isAsExpected(run), false);
  });

  await t.step("timeouts", () => {
    assertEquals(page("times_out.window.html").checks, [
      "unexpected TIMEOUT (the page)",
      "pass PASS passes before",
      "unexpected TIMEOUT never resolves",
      "unexpected NOTRUN is never reached",
    ]);
    assertEquals(page("blocks.window.html").checks, ["unexpected TIMEOUT (the page)", "pass PASS passes before"]);
    assertEquals(page("is_long.window.html").checks, ["pass PASS takes longer than a normal test may"]);
  });

  await t.step("crashes", () => {
    for (const path of ["exits", "is_killed", "exits_when_complete"]) {
      assertEquals(page(`${path}.window.html`).checks[0], "unexpected CRASH (the page)");
      assertMatch(page(`${path}.window.html`).checks[1]!, /^pass PASS passes/);
    }
    const { message } = page("exits.window.html");
    assertEquals(message, "the process exited with code 3 before its tests were complete\nlast words");
    assertEquals(
      page("exits_when_complete.window.html").message,
      "the process exited with code 5 after its tests were complete",
    );
    if (Deno.build.os !== "windows") {
      assertStringIncludes(page("is_killed.window.html").message, "was killed by SIGKILL");
    }
  });

  await t.step("harness errors", () => {
    const messages = {
      "throws.any.html?error": "Uncaught Error: thrown by nobody in particular",
      "throws.any.html?rejection": "Unhandled rejection: rejected by nobody in particular",
      "syntax_error.window.html": "Uncaught SyntaxError: Unexpected token '='",
      "missing_script.window.html": "Uncaught Error: the script /webnn/resources/none.js cannot be read",
      "twice.window.html": '1 duplicate test name: "same name"',
    };
    for (const [path, expected] of Object.entries(messages)) {
      const { checks, message } = page(path);
      assertEquals([checks[0], message], ["unexpected ERROR (the page)", expected]);
    }
    for (const variant of ["?error", "?rejection"]) {
      assertEquals(page(`throws.any.worker.html${variant}`).checks[0], "expected ERROR (the page)");
    }
  });

  await t.step("the output of a page is not mistaken for results", () => {
    assertEquals(page("prints.window.html").checks, ["expected FAIL fails as expected"]);
  });

  await t.step("tests that cannot run", () => {
    assertEquals(run.notRun, [
      { path: "/webnn/frames.https.html", reason: "an HTML document, with frames: Deno has no DOM" },
      { path: "/webnn/passes.any.js", reason: "no shadowrealm scope in Deno" },
    ]);
  });

  await t.step("optional cases that a file skips with webnn/resources/utils.js", () => {
    const skippedCases = run.pages.flatMap(({ result }) => result.skippedCases.map((name) => `${result.id}: ${name}`));
    assertEquals(skippedCases, [
      "/webnn/nested/fails.window.html: an optional case",
      "/webnn/passes.any.html?cpu: an optional case",
      "/webnn/passes.any.html?op=add&device=gpu: an optional case",
    ]);
  });

  await t.step("the reports agree", () => reportsAgree(run));
});

function reportsAgree(run: Run): void {
  const { folders, total } = count(run.pages);
  assertEquals([...folders.keys()], ["/webnn", "/webnn/nested"]);
  assertEquals(folders.get("/webnn/nested"), { pages: 1, pass: 2, expected: 2, unexpected: 3 });
  assertMatch(formatSummary(run), /\/webnn\/nested +1 +2 +2 +3\n/);
  assertStringIncludes(formatSummary(run), "not run: 2 files, and 3 optional cases");
  assertStringIncludes(formatSummary(run), "expectations.json lists /webnn/gone.window.html");

  const report = wptReport(run);
  const fails = report.results.find(({ test }) => test === "/webnn/nested/fails.window.html");
  assertEquals([fails?.status, fails?.message, fails?.subtests.slice(0, 3)], ["OK", null, [
    {
      name: "fails, and nobody expected it",
      status: "FAIL",
      message: "assert_equals: </script><b>not markup</b> expected 43 but got 42",
      expected: "PASS",
    },
    { name: "fails as expected", status: "FAIL", message: "assert_equals: expected 43 but got 42" },
    { name: "passes against expectation", status: "PASS", message: null, expected: "FAIL" },
  ]]);
  assertEquals([report.run_info.product, report.time_end >= report.time_start], ["deno", true]);

  const text = conformanceDocument(run);
  assertStringIncludes(text, "| /webnn/nested | 1 | 2 | 2 | 3 |");
  assertStringIncludes(text, `| **all** | ${total.pages} | ${total.pass} | ${total.expected} | ${total.unexpected} |`);
  assertStringIncludes(text, "“fails as expected”: FAIL, the helper is 42 ([issue](https://example.org/issues/1))");
  assertStringIncludes(text, "- /webnn/passes.any.html?cpu: skips 1 optional cases");
  assertStringIncludes(text, "- /webnn/frames.https.html: an HTML document");
}

Deno.test("if the module under test cannot be imported, every page fails", async () => {
  const prelude = "data:text/javascript,throw new Error('there is no module')";
  const { pages } = await runFixtures({ filter: /passes\.any.*cpu/, prelude });
  assertEquals(pages.map(({ result }) => result.status), ["CRASH", "CRASH"]);
  for (const { result } of pages) assertStringIncludes(result.message ?? "", "there is no module");
});

Deno.test("--device and --filter select pages; it is an error if they select none", async () => {
  const ids = async (options: Partial<SuiteOptions>) =>
    (await runFixtures(options)).pages.map(({ result }) => result.id.replace("/webnn/", ""));
  assertEquals(await ids({ filter: /passes/, device: "gpu" }), [
    "passes.any.html?op=add&device=gpu",
    "passes.any.worker.html?op=add&device=gpu",
  ]);
  assertEquals(await ids({ filter: /twice|passes/, device: "npu" }), ["twice.window.html"]);
  await assertRejects(() => ids({ filter: /passes/, device: "npu" }), Error, "no page");
});

Deno.test("META lines end at the first other line", () => {
  const meta = parseMeta("// META: title=a=b\r\n//META: variant=?1\n// META: variant=?2\n\n// META: timeout=long\n");
  assertEquals([...meta], [["title", ["a=b"]], ["variant", ["?1", "?2"]]]);
});

Deno.test("expectations.json: entries without a reason and unknown keys are errors", () => {
  assertThrows(() => parseExpectations('[{"test": "/webnn/a.html"}]'), TypeError, "needs a reason");
  assertThrows(() => parseExpectations('[{"reason": "because"}]'), TypeError, "has no test");
  assertThrows(() => parseExpectations('[{"test": "/a", "reason": "r", "subtst": "b"}]'), TypeError, '"subtst"');
});

Deno.test("the exit status is 0 if all results are expected, and reports are written", async () => {
  const root = await makeCheckout("suite");
  const expectations = join(root, "expectations.json");
  await Deno.writeTextFile(expectations, "[]");
  const suite = { prelude: PRELUDE.href, expectations: new URL(`file://${expectations}`) };
  const files = ["report.json", "report.html", "conformance.md"].map((name) => join(root, name));
  const outputs = ["--report", files[0]!, "--html", files[1]!, "--conformance-doc", files[2]!];
  const log = console.log;
  const lines: string[] = [];
  console.log = (line: string) => lines.push(line);
  try {
    assertEquals(await main(["--wpt", root, "--filter", "passes.*cpu", "--jobs", "2", ...outputs], suite), 0);
    assertEquals(JSON.parse(await Deno.readTextFile(files[0]!)).results.length, 2);
    assertStringIncludes(await Deno.readTextFile(files[1]!), "/webnn/passes.any.html?cpu");
    assertStringIncludes(await Deno.readTextFile(files[2]!), 'deno task wpt --wpt WPT --filter "passes.*cpu"');
    assertEquals(await main(["--wpt", root, "--filter", "nested"], suite), 1);
    assertStringIncludes(lines.join("\n"), "FAIL, expected PASS  /webnn/nested/fails.window.html");
  } finally {
    console.log = log;
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("an error in the command line is printed in one line", async () => {
  const cases: [string[], number, RegExp][] = [
    [["--help"], 0, /^Runs the web-platform-tests[^]*--conformance-doc FILE/],
    [["--device", "xpu"], 1, /^wpt: --device must be one of cpu,gpu,npu\n$/],
    [["--jobs", "0"], 1, /^wpt: --jobs must be a positive integer\n$/],
    [["--bogus"], 1, /^wpt: unknown option --bogus; --help lists the options\n$/],
    [["--wpt", "no/such/folder"], 1, /^wpt: no\/such\/folder is not a checkout of web-platform-tests.*\n$/],
  ];
  const script = new URL("./run.ts", import.meta.url).href;
  for (const [args, expectedCode, expectedText] of cases) {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-check", "-A", script, ...args],
    }).output();
    assertEquals(code, expectedCode);
    assertMatch(new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr), expectedText);
  }
});

async function runFixtures(options: Partial<SuiteOptions> = {}): Promise<Run> {
  const root = await makeCheckout("suite");
  try {
    return await runSuite({
      root,
      prelude: PRELUDE.href,
      expectations: parseExpectations(await Deno.readTextFile(EXPECTATIONS)),
      jobs: availableParallelism(),
      timeoutMultiplier: 0.2,
      ...options,
    });
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

function summarize(page: JudgedPage | undefined): { status: string; message: string; checks: string[] } {
  assert(page !== undefined, "no such page");
  const checks = page.checks.map(({ verdict, status, name }) => `${verdict} ${status} ${name ?? "(the page)"}`);
  return { status: page.result.status, message: page.result.message ?? "", checks };
}
