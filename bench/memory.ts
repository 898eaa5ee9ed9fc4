/**
 * The resident memory for building networks and running them once, against ONNX Runtime called from C. See --help.
 *
 * @module
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startContestant } from "./report/contestant_process.ts";
import { ENVIRONMENT } from "./report/line_process.ts";
import { contestants, REFERENCE } from "./report/contestants.ts";
import { table } from "./report/figures.ts";
import { writeJobFolder } from "./report/job_folder.ts";
import type { Memory } from "./support/memory_child.ts";
import { mobileNetV2, mobileNetV2Weights, whatIsMissing } from "./support/mobilenetv2.ts";
import { products, PRODUCTS_BYTES } from "./support/products.ts";
import { median } from "../support/statistics.ts";
import type { Suite } from "./support/suite.ts";
import { positiveInteger, runProgram } from "../support/program.ts";
import { trivial } from "./support/trivial.ts";

const HELP = `Measures the resident memory of programs that build a network and run it once. Prints Markdown.

Usage: deno task bench:memory [--runs N]

  --runs N   how often each program runs (5)
  --help     print this text

All numbers are above the base: the memory of a process after building and running a trivial graph. Each is the median of
several processes with one thread. "(1.05×)" is the ratio to the size of the weights. "In JavaScript" is what V8 counts at
the end, on and off its heap, minus that of the trivial graph, without reserved address space. C builds from an .onnx
file that this module has written.`;

const CHILD = fileURLToPath(new URL("support/memory_child.ts", import.meta.url));

/** A network, and the rows of its measurement. */
interface Network {
  readonly suite: Suite;
  readonly weightBytes: number;
  /** The rows of this module, with the arguments of the child process. */
  readonly rows: Readonly<Record<string, { readonly subject: string; readonly cached?: boolean }>>;
}

/** The measurements of a row; `javascript` is missing for C. */
type Figures = Pick<Memory, "base" | "peakOfBuild" | "built" | "peak"> & { readonly javascript?: number };

await runProgram("bench:memory", HELP, { string: ["runs"], default: { runs: "5" } }, ({ runs }) => {
  return measureAll(positiveInteger(runs, "--runs"));
});

async function measureAll(runs: number): Promise<number> {
  const missing = whatIsMissing();
  if (missing !== undefined) console.error(missing);
  const folder = await Deno.makeTempDir();
  try {
    const alone = await medians(runs, () => runChild("trivial"));
    const rows: string[][] = [];
    for (const { suite, weightBytes, rows: ours } of await networks()) {
      for (const [name, { subject, cached }] of Object.entries(ours)) {
        const cache = cached ? join(folder, "cache") : undefined;
        if (cached) await runChild(subject, cache); // Fills it.
        const memory = await medians(runs, () => runChild(subject, cache));
        rows.push(rowOf(name, weightBytes, { ...memory, javascript: memory.javascript! - alone.javascript! }));
      }
      rows.push(rowOf(`${suite.name}, C`, weightBytes, await medians(runs, await prepareC(suite, folder))));
    }
    console.log(table(["network", "weights", "peak of the build", "built", "peak", "in JavaScript", "base"], rows));
    return missing === undefined ? 0 : 1;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function networks(): Promise<Network[]> {
  const all: Network[] = [{
    suite: products,
    weightBytes: PRODUCTS_BYTES,
    rows: {
      "products": { subject: "products" },
      "products, not prepacked": { subject: "products-unpacked" },
      "products, cached": { subject: "products", cached: true },
    },
  }];
  if (whatIsMissing() !== undefined) return all;
  const mobilenetv2 = {
    suite: await mobileNetV2(),
    weightBytes: Deno.statSync(mobileNetV2Weights()).size,
    rows: {
      "mobilenetv2": { subject: "mobilenetv2" },
      "mobilenetv2, cached": { subject: "mobilenetv2", cached: true },
    },
  };
  return [...all, mobilenetv2];
}

function rowOf(name: string, weightBytes: number, { base, peakOfBuild, built, peak, javascript }: Figures): string[] {
  const over = (bytes: number | undefined) => {
    if (bytes === undefined) return "not available on this system";
    return `${megabytes(bytes - base)} (${((bytes - base) / weightBytes).toFixed(2)}×)`;
  };
  const inJavaScript = javascript === undefined ? "" : megabytes(javascript);
  return [name, megabytes(weightBytes), over(peakOfBuild), over(built), over(peak), inJavaScript, megabytes(base)];
}

/** The median of each measurement. */
async function medians(runs: number, measure: () => Promise<Figures>): Promise<Figures> {
  const all: Figures[] = [];
  for (let run = 0; run < runs; run++) all.push(await measure());
  const entries = Object.keys(all[0]!).map((
    key,
  ) => [key, median(all.map((figures) => figures[key as keyof Figures]!))]);
  return Object.fromEntries(entries) as unknown as Figures;
}

async function runChild(subject: string, cacheDirectory?: string): Promise<Memory> {
  const args = ["run", "--quiet", "--no-check", "--v8-flags=--expose-gc", "-A", CHILD, subject];
  if (cacheDirectory !== undefined) args.push(cacheDirectory);
  const command = new Deno.Command(Deno.execPath(), { args, env: ENVIRONMENT, stderr: "inherit" });
  const { success, stdout } = await command.output();
  if (!success) throw new Error(`the process that ran ${subject} failed`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** Writes the files for the C program, and compiles it. The result runs it twice; the first run is the base. */
async function prepareC(suite: Suite, folder: string): Promise<() => Promise<Figures>> {
  const c = contestants.find(({ name }) => name === REFERENCE)!;
  const start = async (suite: Suite) => {
    const job = join(folder, suite.name);
    await Deno.mkdir(job, { recursive: true });
    const { library } = await writeJobFolder(suite, job);
    const command = await c.prepare({ folder, library });
    return () => startContestant(command, { suite: suite.name, threads: 1, device: "cpu", folder: job });
  };
  const [startTrivial, startSuite] = [await start(trivial), await start(suite)];
  return async () => {
    await using small = await startTrivial();
    await small.build();
    await small.run(1);
    await using process = await startSuite();
    await process.build();
    const built = process.memory()!;
    await process.run(1);
    const { peak } = process.memory()!;
    return { base: small.memory()!.resident, peakOfBuild: built.peak, built: built.resident, peak };
  };
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
