/**
 * Runs the models in a child process, to read onnxruntime-web's log, which does not go through `console`.
 *
 * @module
 */
import { runChild } from "../../../support/child.ts";
import type { Placement } from "./models.ts";
import type { Result } from "./run_models.ts";

/** What the process reported about a model. */
export interface Outcome {
  readonly placed: Placement;
  readonly result: Result;
}

const PLACEMENT =
  /partitions supported by WebNN: (\d+) number of nodes in the graph: (\d+) number of nodes supported by WebNN: (\d+)/g;

/**
 * Runs every model on both engines, and with `repeat`, measures it that many times. Results are in the order of the
 * models.
 */
export async function runModels(repeat = 0): Promise<Outcome[]> {
  const program = new URL("run_models.ts", import.meta.url);
  const flags = ["--no-prompt", "--allow-ffi", "--allow-read"];
  const { code, stdout, stderr } = await runChild(program, [String(repeat)], flags);
  if (code !== 0) throw new Error(stderr);
  const placements = [...stderr.matchAll(PLACEMENT)].map(([, graphs, nodes, onWebNN]) => ({
    nodes: Number(nodes),
    onWebNN: Number(onWebNN),
    graphs: Number(graphs),
  }));
  const results: Result[] = stdout.split("\n").map((line) => JSON.parse(line));
  if (placements.length !== results.length) {
    throw new Error(`onnxruntime-web reported the placement of ${placements.length} models, but ran ${results.length}`);
  }
  return results.map((result, index) => ({ placed: placements[index]!, result }));
}
