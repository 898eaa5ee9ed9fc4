/**
 * Compares the default options of `createContext` with others, in a process with one or many contexts: alone, with an
 * event loop that decodes pictures, and with another busy process. Prints Markdown.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import type { ContextOptions } from "@webnn/deno";
import { namesIn, positiveInteger, runProgram, showProgress } from "../support/program.ts";
import { runChild } from "../support/child.ts";
import { median } from "../support/statistics.ts";
import { keepCoreBusy } from "./support/busy_core.ts";
import type { Cell, Rates } from "./support/contexts_child.ts";
import { suites } from "./support/suites.ts";

const VARIANTS: Readonly<Record<string, ContextOptions>> = {
  "default": {},
  "threads: 1": { threads: 1 },
  "spinning: false": { spinning: false },
};
const SETTINGS = ["alone", "event-loop", "busy-process"];

const HELP =
  `Runs a network in several contexts at once, with the default options, with one thread, and with threads that
sleep: alone, with an event loop that decodes pictures, and with another busy process.

Usage: deno task bench:contexts [options]

  --suite NAME         the network (mobilenetv2)
  --contexts N,...     how many contexts (1,2,4,8)
  --settings NAME,...  ${SETTINGS.join(", ")} (all)
  --seconds N          the duration of each measurement in a round (1)
  --rounds N           the number of rounds; each measures all variants in turn (2)
  --help               print this text`;

const OPTIONS = {
  string: ["suite", "contexts", "settings", "seconds", "rounds"],
  default: { suite: "mobilenetv2", contexts: "1,2,4,8", settings: SETTINGS.join(), seconds: "1", rounds: "2" },
} as const;

await runProgram("bench:contexts", HELP, OPTIONS, async (options) => {
  const [suite] = namesIn(options.suite, suites.map(({ name }) => name), "--suite");
  const missing = suites.find(({ name }) => name === suite)?.missing;
  if (missing) throw new Error(missing);
  const counts = options.contexts.split(",").map((count) => positiveInteger(count, "--contexts"));
  const seconds = positiveInteger(options.seconds, "--seconds");
  const rounds = positiveInteger(options.rounds, "--rounds");
  printRow(["setting", "contexts", ...Object.keys(VARIANTS), "default ÷ best"]);
  printRow(["---", "---", ...Object.keys(VARIANTS).map(() => "---"), "---"]);
  for (const setting of namesIn(options.settings, SETTINGS, "--settings")) {
    for (const contexts of counts) {
      const cell = { suite: suite!, contexts, decoding: setting === "event-loop", seconds };
      const rates = await measure(cell, setting === "busy-process", rounds);
      const best = Math.max(...rates.map(({ runs }) => runs));
      printRow([setting, contexts, ...rates.map(describe), (rates[0]!.runs / best).toFixed(2)]);
    }
  }
});

/**
 * The medians of each variant. Each measurement runs in a process of its own, because the defaults are chosen per
 * process.
 */
async function measure(cell: Omit<Cell, "options">, busy: boolean, rounds: number): Promise<Rates[]> {
  const variants = Object.values(VARIANTS);
  const measured = variants.map((): Rates[] => []);
  await using _ = busy ? keepCoreBusy() : undefined;
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < variants.length; i++) {
      const at = (i + round) % variants.length;
      showProgress(`${cell.contexts} contexts, round ${round + 1}, ${Object.keys(VARIANTS)[at]}`);
      measured[at]!.push(await runCell({ ...cell, options: variants[at]! }));
    }
  }
  showProgress("");
  return measured.map((rates) => ({
    runs: median(rates.map(({ runs }) => runs)),
    pictures: median(rates.map(({ pictures }) => pictures)),
  }));
}

async function runCell(cell: Cell): Promise<Rates> {
  const program = new URL("support/contexts_child.ts", import.meta.url);
  const config = `--config=${fileURLToPath(new URL("deno.json", import.meta.url))}`;
  const { code, stdout, stderr } = await runChild(program, [JSON.stringify(cell)], ["-A", "--no-check", config]);
  if (code !== 0) throw new Error(`${JSON.stringify(cell)} failed: ${stderr}`);
  return JSON.parse(stdout);
}

function describe({ runs, pictures }: Rates): string {
  return pictures > 0 ? `${runs.toFixed(1)} (${pictures.toFixed(0)} pictures)` : runs.toFixed(1);
}

function printRow(cells: readonly (string | number)[]): void {
  console.log(`| ${cells.join(" | ")} |`);
}
