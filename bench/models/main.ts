/**
 * Real ONNX models: this module's importer beside onnxruntime-node and onnxruntime-web.
 *
 * @module
 */
import { join } from "node:path";
import { namesIn, positiveInteger, runProgram, showProgress, writeFile } from "../../support/program.ts";
import { writePage } from "../report/html.ts";
import { commandOf, describeMachine, INTERRUPTED, interruptible, toJson } from "../report/setup.ts";
import { CONTESTANTS, IMPORTER, REFERENCE } from "./engine.ts";
import { measureModel, type ModelResult } from "./measure.ts";
import { type Model, MODELS } from "./models.ts";
import { charts, failures, type Report, tables, writeMarkdown } from "./report.ts";

const TASK = "bench:models";
const MODEL_NAMES = MODELS.map(({ name }) => name);
const BASELINES = CONTESTANTS.map(({ name }) => name).filter((name) => name !== IMPORTER);

const HELP = `Measures real ONNX models: this module's importer beside others, all doing the same work in turns.

Usage: deno task ${TASK} [options]

  --model NAME,...    ${MODEL_NAMES.slice(0, 7).join(", ")},
                      ${MODEL_NAMES.slice(7, 14).join(", ")},
                      ${MODEL_NAMES.slice(14).join(", ")} (all)
  --against NAME,...  ${BASELINES.join(", ")} (all)
  --threads N         the number of threads; WebAssembly has one (1)
  --rounds N          how often everybody loads a model and runs it (5)
  --output-dir DIR    writes models.md, .json and .html there; without it, Markdown to standard output
  --json FILE         writes the figures alone to a file
  --docs              writes the tables into docs/models.md
  --help              this text

The models come from PyPI and npm and stay in the user's cache; for the forms of MiniLM, Python makes an environment there.
Ratios are to ${REFERENCE}, or to the first of those named by --against. A model that cannot be had or that this module
does not run makes status 1. Ctrl-C ends the measurement, and what is finished is written.`;

const OPTIONS = {
  string: ["model", "against", "threads", "rounds", "output-dir", "json"],
  boolean: ["docs"],
  default: { model: MODEL_NAMES.join(), against: BASELINES.join(), threads: "1", rounds: "5" },
} as const;

/** What the command line asks for. */
interface Plan {
  readonly models: readonly Model[];
  readonly against: readonly string[];
  readonly threads: number;
  readonly rounds: number;
}

/** What is written beside the page. */
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
    };
    return reportOn(plan, { folder: rest["output-dir"], json, docs });
  });
}

/** Measures, writes the report, and answers the status of the program. */
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

async function measure({ models, against, threads, rounds }: Plan, signal: AbortSignal): Promise<Report> {
  const machine = describeMachine();
  const contestants = CONTESTANTS.filter(({ name }) => name === IMPORTER || against.includes(name));
  const results: ModelResult[] = [];
  const skipped: string[] = [];
  for (const model of models) {
    const progress = (step: string) => showProgress(`${model.name}, ${step}`);
    try {
      results.push(await measureModel({ model, contestants, threads, rounds, signal, progress }));
    } catch (error) {
      if (signal.aborted) {
        // What is finished is not lost.
        skipped.push(`${model.name} and what comes after it: interrupted`);
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
    reference: against.includes(REFERENCE) ? REFERENCE : against[0]!,
    contestants: contestants.map(({ name, what }) => ({ name, what })),
    skipped,
    models: results,
  };
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

/** A page with its tables as they should be. */
export function withTables(page: string, text: string): string {
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`the page has no place for the tables: ${BEGIN}`);
  return `${before}${BEGIN}\n\n${text}\n\n${END}${after}`;
}
