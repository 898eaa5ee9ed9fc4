/**
 * The resident memory of building MobileNetV2 and running it once, as a row for the README's table. "Base" is a process
 * that has run a trivial graph. Each figure is the median of several processes.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import type { Memory } from "./support/memory_child.ts";
import { mobileNetV2Weights, whatIsMissing } from "./support/mobilenetv2.ts";

const RUNS = 5;
const CHILD = fileURLToPath(new URL("support/memory_child.ts", import.meta.url));

const missing = whatIsMissing();
if (missing) {
  console.error(missing);
} else {
  const weights = Deno.statSync(mobileNetV2Weights()).size;
  const base = await measure("trivial");
  const network = await measure("mobilenetv2");
  const cells = [weights, base.peak, network.peak, difference(network.peak, base.peak), network.end];
  console.log(
    "| model | weights | base, peak | peak | peak over base | at the end |\n| --- | --- | --- | --- | --- | --- |",
  );
  console.log(`| MobileNetV2 | ${cells.map(megabytes).join(" | ")} |`);
}

/** The medians of several runs, after one that fills Deno's caches. */
async function measure(network: string): Promise<Memory> {
  await runChild(network);
  const runs: Memory[] = [];
  for (let run = 0; run < RUNS; run++) runs.push(await runChild(network));
  const peaks = runs.map(({ peak }) => peak).filter((peak) => peak !== undefined);
  return { peak: peaks.length === 0 ? undefined : median(peaks), end: median(runs.map(({ end }) => end)) };
}

/** Linux keeps the peak in /proc, which Deno opens to programs with all permissions only. */
async function runChild(network: string): Promise<Memory> {
  const command = new Deno.Command(Deno.execPath(), { args: ["run", "-A", CHILD, network], stderr: "inherit" });
  const { success, stdout } = await command.output();
  if (!success) throw new Error(`the process that ran ${network} failed`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

function difference(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a - b;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

function megabytes(bytes: number | undefined): string {
  return bytes === undefined ? "not told by this system" : `${(bytes / 1e6).toFixed(1)} MB`;
}
