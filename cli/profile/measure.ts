/**
 * Profiles a model: runs it a few times on a context that records times.
 *
 * @module
 */
import { describeGraph, type GraphDescription, type GraphProfile, graphProfile, type MLContext } from "@webnn/deno";
import { fileError } from "../errors.ts";
import type { InputOptions } from "../inputs/read.ts";
import { buildGraph, graphOfModel, runnerOf } from "../model/graph.ts";
import type { Terminal } from "../terminal.ts";

/** The graph of a model and its measured times. */
export interface Measured {
  readonly description: GraphDescription;
  readonly profile: GraphProfile;
}

/** The default number of runs: as many as fit into `BUDGET` milliseconds, within these bounds. */
const BUDGET = 2000;
const MAX_RUNS = 100;
const MIN_RUNS = 5;

/**
 * Runs a model on a context with the option `profile`.
 * @param runs the number of runs; by default as many as fit into two seconds, 5 to 100
 */
export async function measure(
  terminal: Terminal,
  path: string,
  context: MLContext,
  options: InputOptions,
  runs?: number,
): Promise<Measured> {
  terminal.progress(`loading ${path} ...`);
  const model = await graphOfModel(path, context, options, true);
  const graph = await buildGraph(path, model);
  try {
    await repeat(terminal, path, await runnerOf(context, graph, model), runs);
    return { description: describeGraph(graph), profile: await graphProfile(graph) };
  } catch (error) {
    throw fileError(path, error);
  }
}

async function repeat(
  terminal: Terminal,
  path: string,
  run: () => Promise<void>,
  runs: number | undefined,
): Promise<void> {
  const began = performance.now();
  const isEnough = (done: number) =>
    runs === undefined ? done >= MAX_RUNS || (done >= MIN_RUNS && performance.now() - began > BUDGET) : done >= runs;
  for (let done = 0; !isEnough(done); done++) {
    terminal.progress(`running ${path}, ${done + 1} ...`);
    await run();
  }
}
