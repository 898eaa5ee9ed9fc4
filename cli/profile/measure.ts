/**
 * A model measured: some runs of it on a device that keeps the times.
 *
 * @module
 */
import { describeGraph, type GraphDescription, type GraphProfile, graphProfile, type MLContext } from "@webnn/deno";
import { fileError } from "../errors.ts";
import type { InputOptions } from "../inputs/read.ts";
import { buildGraph, graphOfModel, runnerOf } from "../model/graph.ts";
import type { Terminal } from "../terminal.ts";

/** What is known of a model after it was measured. */
export interface Measured {
  readonly description: GraphDescription;
  readonly profile: GraphProfile;
}

/** Where nothing is said: as many runs as fit into so many milliseconds, within bounds. */
const BUDGET = 2000;
const MOST_RUNS = 100;
const FEWEST_RUNS = 5;

/**
 * Runs a model on a context that measures.
 * @param runs how many times; by default as often as two seconds allow, 5 to 100 times
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
    runs === undefined
      ? done >= MOST_RUNS || (done >= FEWEST_RUNS && performance.now() - began > BUDGET)
      : done >= runs;
  for (let done = 0; !isEnough(done); done++) {
    terminal.progress(`running ${path}, ${done + 1} ...`);
    await run();
  }
}
