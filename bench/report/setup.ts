/**
 * What the programs that report have in common: the suites that somebody names, the machine, and a tidy end.
 *
 * @module
 */
import { cpus, loadavg } from "node:os";
import { namesIn, showProgress } from "../../support/program.ts";
import { LARGE, type SuiteEntry, suites } from "../support/suites.ts";
import type { Machine } from "./figures.ts";

/** The names of all suites, and of their groups. */
export const SUITE_NAMES: readonly string[] = suites.map(({ name }) => name);
/** The names of the groups of suites. */
export const GROUP_NAMES: readonly string[] = [...new Set(suites.map(({ group }) => group))];
/** What is measured where nobody names a suite. */
export const DEFAULT_SUITES: string = suites.filter(({ group }) => group !== LARGE).map(({ name }) => name).join();
/** The status of a program that was ended by Ctrl-C. */
export const INTERRUPTED = 130;

/** The suites of a list of names, those of groups among them. Throws if none of them can be measured. */
export function suitesIn(list: string): SuiteEntry[] {
  const names = list.split(",").flatMap((name) => {
    const members = suites.filter(({ group }) => group === name).map((suite) => suite.name);
    return members.length > 0 ? members : [name];
  });
  const chosen = namesIn(names.join(), SUITE_NAMES, "--suite");
  const found = suites.filter(({ name }) => chosen.includes(name));
  if (found.every(({ missing }) => missing !== undefined)) throw new Error(whyNot(found).join("\n"));
  return found;
}

/** Why suites cannot be measured, one line each. */
export function whyNot(suites: readonly SuiteEntry[]): string[] {
  return suites.map(({ missing }) => missing).filter((missing) => missing !== undefined);
}

/** Where the report is made. */
export function describeMachine(): Machine {
  return {
    system: `${Deno.build.target}, ${Deno.osRelease()}`,
    cpu: cpus()[0]!.model,
    cores: navigator.hardwareConcurrency,
    deno: Deno.version.deno,
    load: loadavg()[0]!,
  };
}

/** The command that was given. */
export function commandOf(task: string): string {
  return ["deno task", task, ...Deno.args].join(" ");
}

/** As a JSON file has it. */
export function toJson(report: unknown): string {
  return JSON.stringify(report, null, 2) + "\n";
}

const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];

/** Ctrl-C, or a plain kill, lets the work remove what it has begun; the answer is then `undefined`. */
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
