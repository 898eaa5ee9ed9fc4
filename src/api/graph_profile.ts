/**
 * What was measured of a graph's runs.
 *
 * @module
 */

import type { EngineNode, EngineProfile } from "../backends/backend.ts";
import { invalidStateError } from "../errors.ts";
import { heaviest } from "../graph/cost.ts";
import type { Node } from "../graph/graph.ts";
import { operators } from "../ops/operators.ts";
import { promised } from "../webidl/platform_object.ts";
import { operatorPositions } from "./graph_description.ts";
import type { MLGraph } from "./ml_graph.ts";
import { graphSlot } from "./state.ts";

/** What was measured of a node of the engine's graph. Times are in milliseconds. */
export interface NodeProfile {
  /** Under the engine's name: `"conv2d [stem] #3"`. */
  readonly name: string;
  /** The engine's operator: `"Conv"`. */
  readonly kernel: string;
  /** What ran it, under the engine's name: `"CPUExecutionProvider"`. */
  readonly provider: string;
  /**
   * The operator of WebNN whose work it does: also one that stands for several, as `"gelu"` for its formula. Where several
   * were fused that no operator stands for, the one with the most arithmetic. What the engine put in for itself, such as
   * changes of layout, is `"(engine)"`.
   */
  readonly operator: string;
  /** The positions of all operations whose work it does, among the nodes that {@linkcode describeGraph} gives. */
  readonly nodes: readonly number[];
  /** When it began, after the beginning of the run. */
  readonly start: number;
  /** How long it took. */
  readonly time: number;
  /** The bytes of its outputs. */
  readonly outputBytes: number;
}

/** What was measured of all nodes of an operator, in a run. */
export interface OperatorProfile {
  /** As in {@linkcode NodeProfile}; the time between nodes is `"(between nodes)"`. */
  readonly operator: string;
  /** How long they took, in milliseconds. */
  readonly time: number;
  /** Of the duration of a run, 0 to 1. */
  readonly share: number;
  /** How many nodes of the engine there are. */
  readonly calls: number;
}

/** What was measured of a graph's runs. Times are in milliseconds. */
export interface GraphProfile {
  /** How many runs were measured. */
  readonly runs: number;
  /** The duration of a run: the mean of the quicker half, the first left out. So are all times. */
  readonly time: number;
  /** The operators of WebNN, most time first. Their times are the duration of the run. */
  readonly operators: readonly OperatorProfile[];
  /** The nodes of the engine in the order in which they ran. */
  readonly nodes: readonly NodeProfile[];
  /** The most bytes of computed values that are alive at one time, as the graph has it. */
  readonly peakBytes: number;
}

/** The operator of nodes that the engine put in for itself. */
const ENGINE = "(engine)";
/** What passes between nodes: the engine prepares them, and measures. */
const BETWEEN = "(between nodes)";

/**
 * Tells where the time of a graph's runs goes, by operators of WebNN and by nodes of the engine. The context must have been
 * created with `profile: true`. All runs are measured until the first call, which ends the measuring; later calls give the
 * same.
 *
 * @returns rejects with a TypeError for anything but an MLGraph, InvalidStateError if the runs were not measured, if there
 * were none, or if the graph is destroyed, OperationError if the engine's figures cannot be read
 *
 * @example
 * ```ts
 * import { createContext, graphProfile, MLGraphBuilder } from "@webnn/deno";
 *
 * const context = await createContext({ profile: true });
 * const builder = new MLGraphBuilder(context);
 * const descriptor = { dataType: "float32", shape: [64, 64] } as const;
 * const x = builder.input("x", descriptor);
 * const graph = await builder.build({ y: builder.softmax(builder.matmul(x, x), 1) });
 * const input = await context.createTensor(descriptor);
 * const output = await context.createTensor({ ...descriptor, readable: true });
 * for (let i = 0; i < 10; i++) context.dispatch(graph, { x: input }, { y: output });
 * await context.readTensor(output);
 * const { operators } = await graphProfile(graph);
 * for (const { operator, time, share } of operators) {
 *   console.log(`${operator}: ${time.toFixed(3)} ms, ${(100 * share).toFixed(0)} %`);
 * }
 * context.destroy();
 * ```
 */
export function graphProfile(graph: MLGraph): Promise<GraphProfile> {
  return promised(async () => {
    const where = "graphProfile: graph";
    const { context, graph: timelineGraph, source } = graphSlot.convert(graph, where);
    if (timelineGraph.destroyed || context.timeline.isLost) throw invalidStateError(`${where} is destroyed`);
    if (timelineGraph.executable.profile === undefined) {
      throw invalidStateError(`${where} was not measured; create its context with the option profile: true`);
    }
    const profile = await context.timeline.profile(timelineGraph);
    if (profile.runs === 0) throw invalidStateError(`${where} has not run yet; dispatch it first, a few times at best`);
    return summarize(profile, operatorPositions(source));
  });
}

function summarize(profile: EngineProfile, positions: ReadonlyMap<Node, number>): GraphProfile {
  const nodes = profile.nodes.map((node) => describe(node, positions));
  const { peakBytes, runs, time } = profile;
  return { runs, time, operators: byOperator(nodes, time), nodes, peakBytes };
}

function describe({ operator, origins, ...node }: EngineNode, positions: ReadonlyMap<Node, number>): NodeProfile {
  const isStandard = operator !== undefined && operator in operators;
  return {
    ...node,
    operator: isStandard ? operator : heaviest(origins)?.operator ?? ENGINE,
    nodes: origins.map((origin) => positions.get(origin)!),
  };
}

function byOperator(nodes: readonly NodeProfile[], runTime: number): OperatorProfile[] {
  const groups = Map.groupBy(nodes, ({ operator }) => operator);
  const rows = [...groups].map(([operator, members]) => ({
    operator,
    time: members.reduce((sum, { time }) => sum + time, 0),
    calls: members.length,
  }));
  const between = runTime - rows.reduce((sum, { time }) => sum + time, 0);
  if (between > 0) rows.push({ operator: BETWEEN, time: between, calls: 0 });
  return rows.map((row) => ({ ...row, share: row.time / runTime })).sort((a, b) => b.time - a.time);
}
