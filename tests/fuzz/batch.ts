/**
 * A part of a fuzzing run. It is a process of its own, because a native crash ends the process: `batch.ts
 * graphs|calls|combinations SEED COUNT [STEPS TO LEAVE OUT] [DEVICE] [OPTIMISER]`. Each line of its output is a
 * {@linkcode Message} as JSON.
 *
 * @module
 */

import { type ContextOptions, createContext, type MLContext } from "../../mod.ts";
import { TRIED_OPTIMIZERS } from "../../src/backends/onnxruntime/optimizers.ts";
import { newCallTally, runCalls } from "./arena.ts";
import { checkCombination, type CombinationTally, isSupported, newCombinationTally } from "./combinations/check.ts";
import { knownFault } from "./combinations/known_faults.ts";
import { combinationProgram } from "./combinations/program.ts";
import { checkProgram, type GraphTally, newGraphTally, shrink, withoutSteps } from "./graphs.ts";
import { type Program, randomProgram, sourceOf, type Types, typesOf } from "./programs.ts";

/** A failed seed. */
export interface Failure {
  readonly seed: number;
  readonly text: string;
  /** A small program that fails in the same way. */
  readonly source: string;
  /** The known fault of the device that causes it. */
  readonly known?: string;
}

/** A message of a batch: the seed that starts, a failure, or at the end the tally. */
export type Message =
  | { readonly started: number }
  | { readonly failure: Failure }
  | { readonly tally: Readonly<Record<string, number>> };

/** Sends a message to the process that started this one. */
export function send(message: Message): void {
  console.log(JSON.stringify(message));
}

/** How to create a program from a seed, and how to check it. */
interface Suite<Tally extends object> {
  newTally(): Tally;
  program(seed: number): Program;
  /** What is wrong; `undefined` if nothing is. */
  check(program: Program, seed: number, tally: Tally): Promise<string | undefined>;
}

/** Random graphs of all operators. Each step is compared with the reference. */
function graphs(context: MLContext, types: Types): Suite<GraphTally> {
  return {
    newTally: newGraphTally,
    program: (seed) => randomProgram(seed, types),
    check: (program, _seed, tally) => checkProgram(context, program, tally),
  };
}

/** Formulas that an engine may wrongly fuse because they resemble others. */
function combinations(context: MLContext, types: Types): Suite<CombinationTally> {
  return {
    newTally: newCombinationTally,
    program: combinationProgram,
    check: async (program, seed, tally) =>
      isSupported(context, types, program) ? await checkCombination(context, program, seed, tally) : undefined,
  };
}

async function runPrograms<Tally extends object>(suite: Suite<Tally>, batch: Batch): Promise<void> {
  const { from, count, removed, device } = batch;
  const tally = suite.newTally();
  for (let seed = from; seed < from + count; seed++) {
    send({ started: seed });
    const program = withoutSteps(suite.program(seed), removed);
    const text = await suite.check(program, seed, tally);
    if (text !== undefined) send({ failure: { seed, ...await shrunk(suite, program, seed, device) } });
  }
  send({ tally: { ...tally } as Record<string, number> });
}

/** The smallest part of a program that fails. */
async function shrunk<Tally extends object>(
  suite: Suite<Tally>,
  program: Program,
  seed: number,
  device: string | undefined,
): Promise<Omit<Failure, "seed">> {
  const check = (removed: readonly number[]) => suite.check(withoutSteps(program, removed), seed, suite.newTally());
  const removed = await shrink(program, async (removed) => await check(removed) !== undefined);
  const text = await check(removed) ?? "fails only sometimes";
  const small = withoutSteps(program, removed);
  const known = device === undefined ? undefined : knownFault(device, small, text);
  return { text, source: sourceOf(small), ...known === undefined ? {} : { known } };
}

/** The kinds of batches. */
export const KINDS = ["graphs", "calls", "combinations"] as const;

/** The work of a batch. */
export interface Batch {
  readonly kind: typeof KINDS[number];
  readonly from: number;
  readonly count: number;
  /** The indices of steps to leave out of the graphs. */
  readonly removed: readonly number[];
  /** The device, by its name for `--device`; the CPU by default. Only for `combinations`. */
  readonly device?: string;
  /** An optimiser of the engine that is normally off, and is on for this batch. */
  readonly optimizer?: string;
}

/** The command-line arguments for a batch. */
export function batchArguments({ kind, from, count, removed, device, optimizer }: Batch): string[] {
  return [kind, `${from}`, `${count}`, removed.join(), device ?? "", optimizer ?? ""];
}

/** Parses the command-line arguments of a batch. */
export function parseBatch([name, from, count, removed = "", device, optimizer]: readonly string[]): Batch {
  const kind = KINDS.find((kind) => kind === name);
  if (kind === undefined) throw new TypeError(`unknown kind of batch ${name}`);
  const indices = removed.split(",").filter((text) => text !== "").map(Number);
  return {
    kind,
    from: Number(from),
    count: Number(count),
    removed: indices,
    ...device ? { device } : {},
    ...optimizer ? { optimizer } : {},
  };
}

async function optionsOf(device: string): Promise<ContextOptions> {
  const { deviceNamed } = await import("../../support/devices.ts");
  const { missing, options } = deviceNamed(device);
  if (missing !== undefined) throw new Error(`${device}: ${missing}`);
  return options;
}

async function runBatch(batch: Batch): Promise<void> {
  const { kind, from, count, device, optimizer } = batch;
  if (optimizer !== undefined) TRIED_OPTIMIZERS.add(optimizer);
  const context = await createContext(device === undefined ? { device: "cpu", threads: 1 } : await optionsOf(device));
  const types = typesOf(context);
  if (kind === "graphs") return await runPrograms(graphs(context, types), batch);
  if (kind === "combinations") return await runPrograms(combinations(context, types), batch);
  const tally = newCallTally();
  const failures = await runCalls(from, count, types, tally, (started) => send({ started }));
  for (const failure of failures) send({ failure });
  send({ tally: { ...tally } });
}

if (import.meta.main) await runBatch(parseBatch(Deno.args));
