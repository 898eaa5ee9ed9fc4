/**
 * The resident memory of building networks and running them once. "Base" is a process that has run a trivial graph. Each
 * figure is the median of several processes. See --help.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "@std/cli";
import { type Memory, PRODUCTS_BYTES } from "./support/memory_child.ts";
import { mobileNetV2Weights, whatIsMissing } from "./support/mobilenetv2.ts";
import { median } from "./support/statistics.ts";

const HELP = `Measures the resident memory of programs that build a network and run it once, in Markdown.

  deno task bench:memory [--runs N]

  --runs N   how often each program runs (5)
  --help     this text

"Over base" is what a network takes more than a program that runs an addition of two numbers, and its ratio to the bytes
of the weights. "In JavaScript" is what V8 counts more than in that program, on its heap and outside of it.`;

const CHILD = fileURLToPath(new URL("support/memory_child.ts", import.meta.url));

/** A row of the table. */
interface Row {
  readonly name: string;
  readonly network: string;
  readonly weightBytes: number;
  /** Whether there is a compile cache, which has the graph. */
  readonly cached?: boolean;
}

const options = parseArgs(Deno.args, { string: ["runs"], boolean: ["help"], default: { runs: "5" } });
const runs = Number(options.runs);
if (options.help) console.log(HELP);
else if (!(runs >= 1)) console.error(`--runs must be a number from 1 on, not ${options.runs}\nSee --help.`);
else await measureAll();

async function measureAll(): Promise<void> {
  const missing = whatIsMissing();
  if (missing) console.error(missing);
  const folder = await Deno.makeTempDir();
  try {
    const base = await measure("trivial");
    console.log(
      "| network | weights | peak of the build, over base | built, over base | peak, over base | in JavaScript |",
    );
    console.log("| --- | --- | --- | --- | --- | --- |");
    for (const row of rows(missing === undefined)) {
      report(row, await measure(row.network, row.cached ? folder : undefined), base);
    }
    console.log(`\nBase: ${megabytes(base.end)} at the end, ${megabytes(base.peak)} at its peak.`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function rows(hasMobileNetV2: boolean): Row[] {
  const products = { network: "products", weightBytes: PRODUCTS_BYTES };
  const all: Row[] = [
    { name: "matrix products", ...products },
    { name: "matrix products, not prepacked", network: "products-unpacked", weightBytes: PRODUCTS_BYTES },
    { name: "matrix products, cached", ...products, cached: true },
  ];
  if (!hasMobileNetV2) return all;
  const mobileNet = { network: "mobilenetv2", weightBytes: Deno.statSync(mobileNetV2Weights()).size };
  return [...all, { name: "MobileNetV2", ...mobileNet }, { name: "MobileNetV2, cached", ...mobileNet, cached: true }];
}

function report({ name, weightBytes }: Row, memory: Memory, base: Memory): void {
  const over = (bytes: number | undefined, less: number | undefined) => {
    if (bytes === undefined || less === undefined) return "not told by this system";
    return `${megabytes(bytes - less)} (${((bytes - less) / weightBytes).toFixed(2)}×)`;
  };
  const cells = [
    name,
    megabytes(weightBytes),
    over(memory.peakOfBuild, base.peakOfBuild),
    over(memory.built, base.built),
    over(memory.peak, base.peak),
    megabytes(memory.javascript - base.javascript),
  ];
  console.log(`| ${cells.join(" | ")} |`);
}

/** The medians of several runs, after one that fills the caches. */
async function measure(network: string, cacheDirectory?: string): Promise<Memory> {
  await runChild(network, cacheDirectory);
  const memories: Memory[] = [];
  for (let run = 0; run < runs; run++) memories.push(await runChild(network, cacheDirectory));
  const middle = (field: keyof Memory) => median(memories.map((memory) => memory[field] ?? NaN));
  const told = (field: keyof Memory) => Number.isNaN(middle(field)) ? undefined : middle(field);
  return {
    peak: told("peak"),
    peakOfBuild: told("peakOfBuild"),
    built: middle("built"),
    end: middle("end"),
    javascript: middle("javascript"),
  };
}

/** Linux keeps the peak in /proc, which Deno opens to programs with all permissions only. */
async function runChild(network: string, cacheDirectory?: string): Promise<Memory> {
  const args = ["run", "--no-check", "-A", CHILD, network];
  if (cacheDirectory !== undefined) args.push(cacheDirectory);
  const { success, stdout } = await new Deno.Command(Deno.execPath(), { args, stderr: "inherit" }).output();
  if (!success) throw new Error(`the process that ran ${network} failed`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

function megabytes(bytes: number | undefined): string {
  return bytes === undefined ? "not told by this system" : `${(bytes / 1e6).toFixed(1)} MB`;
}
