/**
 * Shared by the reporting programs: suites by name, the machine, and cleanup on Ctrl-C.
 *
 * @module
 */
import { cpus, loadavg } from "node:os";
import { namesIn, showProgress } from "../../support/program.ts";
import { LARGE, SEEDS, type SuiteEntry, suites } from "../support/suites.ts";
import type { Machine } from "./figures.ts";

/** The names of all suites. */
export const SUITE_NAMES: readonly string[] = suites.map(({ name }) => name);
/** The names that help texts list: all but the seeds, which are too many. */
export const LISTED_NAMES: readonly string[] = suites.filter(({ group }) => group !== SEEDS).map(({ name }) => name);
/** The names of the groups of suites. */
export const GROUP_NAMES: readonly string[] = [...new Set(suites.map(({ group }) => group))];
/** The default suites. */
export const DEFAULT_SUITES: string = suites.filter(({ group }) => group !== LARGE && group !== SEEDS).map(({ name }) =>
  name
).join();
/** The exit status after Ctrl-C. */
export const INTERRUPTED = 130;

/** The suites for a list of names of suites and groups. Throws if none of them can be measured. */
export function suitesIn(list: string): SuiteEntry[] {
  const names = list.split(",").flatMap((name) => {
    const members = suites.filter(({ group }) => group === name).map((suite) => suite.name);
    return members.length > 0 ? members : [name];
  });
  const chosen = namesIn(names.join(), SUITE_NAMES, "--suite");
  const found = suites.filter(({ name }) => chosen.includes(name));
  if (found.every(({ missing }) => missing !== undefined)) throw new Error(missingReasons(found).join("\n"));
  return found;
}

/** The reasons why suites cannot be measured, one line each. */
export function missingReasons(suites: readonly SuiteEntry[]): string[] {
  return suites.map(({ missing }) => missing).filter((missing) => missing !== undefined);
}

/** Describes this machine. */
export function describeMachine(): Machine {
  return {
    system: `${Deno.build.target}, ${Deno.osRelease()}`,
    cpu: cpus()[0]!.model,
    cores: navigator.hardwareConcurrency,
    deno: Deno.version.deno,
    load: loadavg()[0]!,
  };
}

/** Options whose values are files. They do not affect the measurement. */
const FILES = ["--output-dir", "--baseline", "--from"];

/** The command line of this program, without names of files: a report may be published. */
export function commandOf(task: string, args: readonly string[] = Deno.args): string {
  const measured = args.filter((arg, i) => !FILES.includes(arg.split("=")[0]!) && !FILES.includes(args[i - 1] ?? ""));
  return ["deno task", task, ...measured].join(" ");
}

/** The contents of a JSON file. */
export function toJson(report: unknown): string {
  return JSON.stringify(report, null, 2) + "\n";
}

const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];

/** Lets work clean up after Ctrl-C or a kill. Returns `undefined` in that case. */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
  const controller = new AbortController();
  const abort = () => controller.abort();
  for (const signal of SIGNALS) Deno.addSignalListener(signal, abort);
  try {
    return await work(controller.signal);
  } catch (error) {
    if (!controller.signal.aborted) throw error;
    return undefined;
  } finally {
    for (const signal of SIGNALS) Deno.removeSignalListener(signal, abort);
    showProgress("");
  }
}
