/**
 * The report about the devices of a machine.
 *
 * @module
 */

import type { DeviceEntry } from "@webnn/deno";
import { spreadOf } from "../support/statistics.ts";
import { formatMegabytes, formatRatio, formatTime, ratioOf, table } from "../bench/report/figures.ts";
import { WEBNN } from "../bench/report/contestants.ts";
import type { SuiteResult } from "../bench/report/measure.ts";
import type { CasesResult, ContextResult, CopyResult, ModelResult, NetworkResult } from "./steps.ts";

/** All findings, as in the JSON file. */
export interface Findings {
  readonly command: string;
  readonly machine: { readonly system: string; readonly cpu: string; readonly cores: number; readonly deno: string };
  readonly listing: Outcome<readonly DeviceEntry[]>;
  readonly devices: readonly DeviceFindings[];
}

/** The result of a step, or why there is none. */
export type Outcome<T> = { readonly result: T } | { readonly problem: string };

/** The findings about one device. Steps that were not requested are absent. */
export interface DeviceFindings {
  readonly device: string;
  readonly context: Outcome<ContextResult>;
  readonly cases?: Outcome<CasesResult>;
  readonly networks?: Outcome<readonly NetworkResult[]>;
  readonly models?: Outcome<readonly ModelResult[]>;
  readonly copies?: Outcome<readonly CopyResult[]>;
  readonly suites: readonly Outcome<SuiteResult>[];
}

/** Whether all steps succeeded, no network was wrong, all models ran, and at most 5 % of the cases within the limits failed. */
export function hasPassed({ devices, listing }: Findings): boolean {
  return "result" in listing && devices.every(({ cases, context, copies, models, networks, suites }) => {
    const steps = [context, cases, networks, models, copies, ...suites].filter((step) => step !== undefined);
    if (steps.some((step) => "problem" in step)) return false;
    const { failed = 0, passed = 0 } = cases && "result" in cases ? cases.result : {};
    const wrong = [networks, models].flatMap((step) =>
      step && "result" in step ? step.result.filter(({ problem }) => problem) : []
    );
    return failed <= 0.05 * (failed + passed) && wrong.length === 0;
  });
}

/** The report as Markdown. */
export function writeReport(findings: Findings): string {
  const { command, devices, listing, machine } = findings;
  return [
    "# Devices",
    `Written by \`${command}\`. ${machine.cpu}, ${machine.cores} hardware threads, ${machine.system}, Deno ${machine.deno}.`,
    "## Listing",
    show(listing, listingTable),
    ...devices.flatMap(deviceSection),
  ].join("\n\n") + "\n";
}

function listingTable(entries: readonly DeviceEntry[]): string {
  const rows = entries.map(({ available, device, hardware, provider, reason, vendor, version }) => [
    provider,
    device,
    vendor,
    version,
    hardware,
    available ? "yes" : `no: ${oneLine(reason ?? "")}`,
  ]);
  return table(["provider", "kind", "vendor", "version", "hardware", "available"], rows);
}

function deviceSection({ cases, context, copies, device, models, networks, suites }: DeviceFindings): string[] {
  return [
    `## ${device}`,
    show(
      context,
      ({ accelerated, float16, version }) =>
        `ONNX Runtime ${version}; accelerated: ${accelerated}; float16: ${float16}.`,
    ),
    ...cases ? ["### WPT's numeric cases", show(cases, casesText)] : [],
    ...networks ? ["### Networks compared with their references", show(networks, networkTable)] : [],
    ...models ? ["### Models compared with the CPU", show(models, modelTable)] : [],
    ...copies ? ["### Copies", show(copies, copyTable)] : [],
    ...suites.flatMap((suite) => [show(suite, suiteText)]),
  ];
}

function casesText({ failed, failures, passed, unsupported }: CasesResult): string {
  const share = (100 * passed / (passed + failed)).toFixed(2);
  const counts =
    `${passed} passed (${share} % of those within the limits), ${failed} failed, ${unsupported} not supported.`;
  return [counts, ...failures.map((line) => `- ${line}`)].join("\n");
}

function networkTable(networks: readonly NetworkResult[]): string {
  const rows = networks.map((
    { maxError, name, problem },
  ) => [name, maxError?.toExponential(1) ?? "", oneLine(problem ?? "")]);
  return table(["network", "largest error of a logit", "problem"], rows);
}

function modelTable(models: readonly ModelResult[]): string {
  if (models.length === 0) return "The bundle has no models: it was made without `--models`.";
  const cell = (time: number | undefined) => time === undefined ? "" : formatTime(time);
  const rows = models.map(({ cpuTime, error, name, problem, time }) => [
    name,
    cell(cpuTime),
    cell(time),
    error?.toExponential(1) ?? "",
    oneLine(problem ?? ""),
  ]);
  return table(["model", "CPU", "device", "error", "problem"], rows);
}

function copyTable(copies: readonly CopyResult[]): string {
  const cell = (bytes: number, seconds: number) =>
    `${formatTime(1000 * seconds)}, ${(bytes / seconds / 1e9).toPrecision(3)} GB/s`;
  return table(
    ["bytes", "write", "read"],
    copies.map(({ bytes, read, write }) => [String(bytes), cell(bytes, write), cell(bytes, read)]),
  );
}

function suiteText({ contestants, measurements, suite, threads, work }: SuiteResult): string {
  const rows = measurements.flatMap((measurement) =>
    contestants.filter(({ name }) => name in measurement.times).map(({ engine, maxError, name, peakMemory }) => {
      const { median } = spreadOf(measurement.times[name]!);
      return [
        measurement.kind,
        `${name} (${engine})`,
        formatTime(median),
        name === WEBNN ? "" : formatRatio(ratioOf(measurement, WEBNN, name)),
        measurement.kind.startsWith("build") ? "" : (work.flop / median / 1e6).toPrecision(3),
        formatMegabytes(peakMemory),
        maxError?.toExponential(1) ?? "",
      ];
    })
  );
  const columns = ["work", "contestant", "time", `${WEBNN} ÷ it`, "GFLOP/s", "peak memory", "max error"];
  const problems = contestants.filter(({ problem }) => problem).map(({ name, problem }) => `- ${name}: ${problem}`);
  return [`### ${suite}, threads: ${threads}`, table(columns, rows), problems.join("\n")]
    .filter((text) => text !== "").join("\n\n");
}

function show<T>(outcome: Outcome<T>, write: (result: T) => string): string {
  return "result" in outcome ? write(outcome.result) : `**Failed**: ${oneLine(outcome.problem)}`;
}

/** A text as one line, for a table cell. */
function oneLine(text: string): string {
  return text.trim().replaceAll(/\s+/g, " ").replaceAll("|", "\\|");
}
