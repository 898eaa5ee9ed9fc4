/**
 * A part of a fuzzing run in a process of its own, for a native crash ends the process:
 * `batch.ts graphs|calls SEED COUNT [STEPS TO LEAVE OUT]`. Every line of its output is a {@linkcode Message}.
 *
 * @module
 */

import { createContext, type MLContext } from "../../mod.ts";
import { newCallTally, runCalls } from "./arena.ts";
import { checkProgram, newGraphTally, shrink, withoutSteps } from "./graphs.ts";
import { type Program, randomProgram, sourceOf, type Types, typesOf } from "./programs.ts";

/** Something that went wrong. */
export interface Failure {
  readonly seed: number;
  readonly text: string;
  /** A small program that shows it. */
  readonly source: string;
}

/** What a batch tells: which seed comes next, what went wrong, and at the end what was done. */
export type Message =
  | { readonly started: number }
  | { readonly failure: Failure }
  | { readonly tally: Readonly<Record<string, number>> };

/** Tells the process that waits for this one. */
export function tell(message: Message): void {
  console.log(JSON.stringify(message));
}

async function runGraphs(context: MLContext, types: Types, from: number, count: number, removed: readonly number[]) {
  const tally = newGraphTally();
  for (let seed = from; seed < from + count; seed++) {
    tell({ started: seed });
    const program = withoutSteps(randomProgram(seed, types), removed);
    const text = await checkProgram(context, program, tally);
    if (text !== undefined) tell({ failure: { seed, ...await shrunk(context, program) } });
  }
  tell({ tally: { ...tally } });
}

/** The smallest part of a program that fails. */
async function shrunk(context: MLContext, program: Program): Promise<Omit<Failure, "seed">> {
  const check = (removed: readonly number[]) => checkProgram(context, withoutSteps(program, removed), newGraphTally());
  const removed = await shrink(program, async (removed) => await check(removed) !== undefined);
  return { text: await check(removed) ?? "fails now and then", source: sourceOf(withoutSteps(program, removed)) };
}

/** What a batch is to do. */
export interface Batch {
  readonly kind: "graphs" | "calls";
  readonly from: number;
  readonly count: number;
  /** Places of steps that graphs are to be without. */
  readonly removed: readonly number[];
}

/** Reads the arguments of a batch's process. */
export function parseBatch([kind, from, count, removed = ""]: readonly string[]): Batch {
  if (kind !== "graphs" && kind !== "calls") throw new TypeError(`no batch of ${kind}`);
  const places = removed.split(",").filter((text) => text !== "").map(Number);
  return { kind, from: Number(from), count: Number(count), removed: places };
}

async function runBatch({ kind, from, count, removed }: Batch): Promise<void> {
  const context = await createContext({ device: "cpu", threads: 1 });
  const types = typesOf(context);
  if (kind === "graphs") return await runGraphs(context, types, from, count, removed);
  const tally = newCallTally();
  const failures = await runCalls(from, count, types, tally, (started) => tell({ started }));
  for (const failure of failures) tell({ failure });
  tell({ tally: { ...tally } });
}

if (import.meta.main) await runBatch(parseBatch(Deno.args));
