/** The report as a self-contained HTML page: report.html with the results inserted. */

import { count, type Run } from "./report.ts";

/** The data for the script of report.html. */
export interface PageData {
  title: string;
  facts: [string, string][];
  folders: { folder: string; pages: number; pass: number; expected: number; unexpected: number }[];
  pages: { id: string; status: string; duration: number; checks: PageCheck[] }[];
  notRun: { path: string; reason: string }[];
}

interface PageCheck {
  /** Null for the status of the page. */
  name: string | null;
  status: string;
  verdict: string;
  message: string | null;
  reason: string | null;
  issue: string | null;
}

const TEMPLATE = new URL("./report.html", import.meta.url);
const PLACEHOLDER = "null /* the results */";

export function htmlReport(run: Run): string {
  // Escapes "<", so that no message can end the script element.
  const data = JSON.stringify(pageData(run)).replaceAll("<", "\\u003c");
  return Deno.readTextFileSync(TEMPLATE).replace(PLACEHOLDER, () => data);
}

function pageData(run: Run): PageData {
  const { folders, total } = count(run.pages);
  const { revision } = run;
  return {
    title: "WebNN web-platform-tests in Deno",
    facts: [
      ["Command", run.command],
      ["web-platform-tests", revision === undefined ? "unknown" : `${revision.commit.slice(0, 10)} (${revision.date})`],
      ["Deno", `${Deno.version.deno}, ${Deno.build.os} ${Deno.build.arch}`],
      ["Run", `${new Date(run.timeStart).toISOString()}, ${((run.timeEnd - run.timeStart) / 1000).toFixed(1)} s`],
    ],
    folders: [...folders, ["all", total] as const].map(([folder, counts]) => ({ folder, ...counts })),
    pages: run.pages.map(({ result, checks }) => ({
      id: result.id,
      status: result.status,
      duration: result.duration,
      checks: checks.map(({ name, status, verdict, message, expectation }) => ({
        name: name ?? null,
        status,
        verdict,
        message,
        reason: expectation?.reason ?? null,
        issue: expectation?.issue ?? null,
      })),
    })),
    notRun: [
      ...run.notRun,
      ...run.pages.flatMap(({ result }) =>
        result.skippedCases.map((name) => ({ path: `${result.id}, ${name}`, reason: "optional, and not supported" }))
      ),
      ...run.stale.map(({ test }) => ({ path: test, reason: "listed in expectations.json, but not in the suite" })),
    ],
  };
}
