/**
 * The report of `deno task verify:mac` as Markdown.
 *
 * @module
 */

import { type CaseResult, failureLines, summarize } from "../../wpt_cases/report.ts";
import type { DeviceEntry } from "@webnn/deno";
import { EXCEPTIONS } from "../exceptions.ts";
import type { Statement } from "./measure.ts";
import type { NetworkResult } from "./networks.ts";

/** The description of the machine. */
export interface Machine {
  readonly chip: string;
  readonly system: string;
  readonly deno: string;
}

/** All findings. */
export interface Findings {
  readonly machine: Machine;
  /** Whether it ran on the fake framework. Its times are meaningless, so the report omits them. */
  readonly fake: boolean;
  /** The devices of all engines. */
  readonly devices: readonly DeviceEntry[];
  /** By the title of the setting. */
  readonly cases: Readonly<Record<string, readonly CaseResult[]>>;
  readonly networks: readonly NetworkResult[];
  readonly statements: readonly Statement[];
  /** What was not run, with the reason. */
  readonly skipped: readonly string[];
}

/** The maximum number of failed cases to list per setting, because an issue is limited to 65,536 characters. */
const MAX_FAILURES = 50;

/** Whether all checks that ran have passed, and Core ML has a device. */
export function hasPassed({ cases, networks, statements, devices }: Findings): boolean {
  return Object.values(cases).every((results) => failuresOf(results).length === 0) &&
    [...networks, ...statements].every(({ passed }) => passed) &&
    devices.some(({ backend, available }) => backend === "coreml" && available);
}

/** The report. */
export function report(findings: Findings): string {
  const { machine: { chip, system, deno }, fake, skipped } = findings;
  const parts = [
    `# Core ML: ${hasPassed(findings) ? "all checks that ran passed" : "there are failures"}`,
    fake ? "**Run on the fake framework, not on Core ML: this shows only that the program works.**" : "",
    list([`${chip}, ${system}`, `Deno ${deno}`]),
    devicesPart(findings),
    casesPart(findings),
    networksPart(findings),
    statementsPart(findings),
    skipped.length > 0 ? `## Not run\n\n${list(skipped)}` : "",
  ];
  return parts.filter((part) => part !== "").join("\n\n") + "\n";
}

function casesPart({ cases }: Findings): string {
  const settings = Object.entries(cases);
  if (settings.length === 0) return "";
  const rows = settings.map(([setting, results]) => {
    const { passed, failed, unsupported } = summarize(results, EXCEPTIONS, false);
    const unknown = failuresOf(results).length;
    return [setting, passed, unknown, failed - unknown, unsupported];
  });
  const failures = settings.flatMap(([setting, results]) => {
    const lines = failureLines(failuresOf(results), EXCEPTIONS);
    const rest = lines.length > MAX_FAILURES ? [`and ${lines.length - MAX_FAILURES} more`] : [];
    return lines.length === 0 ? [] : [`### ${setting}`, code([...lines.slice(0, MAX_FAILURES), ...rest])];
  });
  const head = ["Compute units", "passed", "failed", "known to fail", "not supported"];
  return ["## WPT's numeric cases", table(head, rows), ...failures].join("\n\n");
}

/** The failed cases, without those that are known to fail. */
function failuresOf(results: readonly CaseResult[]): readonly CaseResult[] {
  return summarize(results, EXCEPTIONS, false).unexpected.filter(({ outcome }) => outcome === "failed");
}

function networksPart({ networks, fake }: Findings): string {
  if (networks.length === 0) return "";
  const time = (milliseconds: number) => Number.isNaN(milliseconds) ? "–" : milliseconds.toFixed(1);
  const times = ["cold build, ms", "warm build, ms", "first run, ms", "run, ms"];
  const rows = networks.map(({ network, setting, passed, error, photos, devices, cold, warm, firstRun, run }) => [
    network,
    setting,
    passed ? "yes" : "**no**",
    typeof error === "number" ? error.toExponential(1) : error.replaceAll(/\s+/g, " "),
    photos[1] === 0 ? "–" : `${photos[0]} of ${photos[1]}`,
    devices.join(", "),
    ...fake ? [] : [cold, warm, firstRun, run].map(time),
  ]);
  const head = ["Network", "Compute units", "agrees", "largest error", "photos", "runs on", ...fake ? [] : times];
  return `## Networks\n\n${table(head, rows)}`;
}

function statementsPart({ statements }: Findings): string {
  const lines = statements.map(({ statement, passed }) => `${passed ? "yes" : "**no**"}: ${statement}`);
  return lines.length === 0 ? "" : `## The cache, and the choice of engines\n\n${list(lines)}`;
}

function devicesPart({ devices }: Findings): string {
  const rows = devices.map(({ backend, provider, device, hardware, available, reason = "" }) => [
    backend,
    provider,
    device,
    hardware,
    available ? "yes" : "no",
    reason.replaceAll(/\s+/g, " "),
  ]);
  return `## Devices\n\n${table(["Backend", "Provider", "Device", "Hardware", "works", "why not"], rows)}`;
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly unknown[]) =>
    `| ${cells.map((cell) => String(cell).replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function list(items: readonly string[]): string {
  return items.map((item) => `- ${item}`).join("\n");
}

function code(lines: readonly string[]): string {
  return ["```text", ...lines, "```"].join("\n");
}
