/**
 * The Core ML report as Markdown: first the ratios to the CPU.
 *
 * @module
 */
import { type Spread, spreadOf } from "../../support/statistics.ts";
import { CHOICES, type CoreMLReport, type CoreMLResult, type CoreMLSuite, CPU, type Step, STEPS } from "./measure.ts";
import type { Conversion } from "./conversions.ts";
import { formatRatio, formatTime, table } from "../../bench/report/figures.ts";

const FAKE =
  "**Run on the fake framework of native/fake_coreml/, not on Core ML.** This shows that the programs compute the " +
  "right results. It has no figures, because times on the fake framework mean nothing.";
const CORE_ML = CHOICES.map(({ name }) => name).filter((name) => name !== CPU);

/** The whole page. */
export function writeCoreMLMarkdown(report: CoreMLReport): string {
  const { command, machine, rounds, isFake, suites, conversions, skipped } = report;
  return [
    "# Performance of Core ML",
    ...(isFake ? [FAKE] : []),
    isFake
      ? `Written by \`${command}\`.`
      : `Written by \`${command}\`: ${rounds} rounds. In each round, all do the same work ` +
        "in turn, starting with a different one each time. Times are medians, with the range of the middle half of the " +
        "rounds. Ratios are medians of the ratios of the two times of a round.",
    `${machine.cpu}, ${machine.cores} hardware threads, ${machine.system}, Deno ${machine.deno}.` +
    (isFake ? "" : ` Load before the start: ${machine.load.toFixed(2)}.`),
    ...skipped.map((reason) => `Not measured: ${reason}`),
    ...(isFake ? [] : ratioSection(suites)),
    "## What was computed",
    "The largest error is that of the first output, compared with ONNX Runtime on the CPU; a dash means not computed.",
    table(["suite", "power preference", "runs on", "max error", "result"], suites.flatMap(checkRows)),
    ...(isFake ? [] : timeSections(suites)),
    ...conversionSection(conversions, isFake),
  ].join("\n\n") + "\n";
}

function checkRows({ suite, results }: CoreMLSuite): string[][] {
  return results.map(({ choice, devices, maxError, problem }) => [
    suite,
    choice === CPU ? "(ONNX Runtime, CPU)" : choice,
    devices.join(", ") || "–",
    maxError === undefined ? "–" : maxError === 0 ? "0" : maxError.toExponential(1),
    problem === undefined ? "right" : `**${problem.replaceAll(/\s+/g, " ").replaceAll("|", "\\|")}**`,
  ]);
}

function ratioSection(suites: readonly CoreMLSuite[]): string[] {
  const rows = suites.flatMap(({ suite, results }) =>
    STEPS.map((step) => [suite, step, ...CORE_ML.map((choice) => formatRatio(ratioOf(results, choice, step)))])
  );
  return [
    "## Ratios",
    "Time divided by that of ONNX Runtime on the CPU; less is better.",
    table(["suite", "work", ...CORE_ML], rows),
  ];
}

function ratioOf(results: readonly CoreMLResult[], choice: string, step: Step): Spread | undefined {
  const timesOf = (name: string) => results.find((result) => result.choice === name)?.times[step] ?? [];
  const [own, others] = [timesOf(choice), timesOf(CPU)];
  return own.length > 0 && own.length === others.length
    ? spreadOf(own.map((time, round) => time / others[round]!))
    : undefined;
}

function timeSections(suites: readonly CoreMLSuite[]): string[] {
  return suites.flatMap(({ suite, results }) => [
    `## ${suite}`,
    table(
      ["power preference", ...STEPS],
      results.map(({ choice, times }) => [choice, ...STEPS.map((step) => formatTimes(times[step]))]),
    ),
  ]);
}

function formatTimes(times: readonly number[]): string {
  if (times.length === 0) return "–";
  const { median, p25, p75 } = spreadOf(times);
  return `${formatTime(median)} (${formatTime(p25)} – ${formatTime(p75)})`;
}

function conversionSection(conversions: readonly Conversion[], isFake: boolean): string[] {
  const about =
    "GB/s of WebNN data: writeTensor, readTensor into a buffer, and copying an output that Core ML has laid out " +
    "with gaps between its rows. uint8 is int32 in Core ML, and never has gaps.";
  const title = "## Tensors to MLMultiArrays and back";
  if (isFake) {
    return [title, `All ${conversions.length} pairs of a shape and a data type were read back unchanged.`];
  }
  const format = (rates: readonly number[]) => rates.length === 0 ? "–" : spreadOf(rates).median.toPrecision(3);
  const rows = conversions.map(({ shape, dataType, write, read, gather }) => [
    `[${shape.join(", ")}]`,
    dataType,
    ...[write, read, gather].map(format),
  ]);
  return [title, about, table(["shape", "data type", "write", "read", "from rows with gaps"], rows)];
}
