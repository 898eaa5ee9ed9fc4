/**
 * Profiles of a graph's runs.
 *
 * @module
 */

import type { EngineNode, EngineProfile } from "../backends/backend.ts";
import { invalidStateError } from "../errors.ts";
import { heaviest } from "../graph/cost.ts";
import type { Node } from "../graph/graph.ts";
import { costByRow, operators } from "../ops/operators.ts";
import { promised } from "../webidl/platform_object.ts";
import { operatorPositions } from "./graph_description.ts";
import type { MLGraph } from "./ml_graph.ts";
import { graphSlot } from "./state.ts";

/** The profile of a node in the engine's graph. Times are in milliseconds. */
export interface NodeProfile {
  /** The name of the node: `"conv2d [stem] #3"`. */
  readonly name: string;
  /** The operator in the engine: `"Conv"`. */
  readonly kernel: string;
  /** The provider that ran it, as the engine calls it: `"CPUExecutionProvider"`. */
  readonly provider: string;
  /**
   * The WebNN operator that the node computes. If operations were recognised as the formula of one operator, that
   * operator, such as `"gelu"`; if other operations were fused, the one with the most arithmetic; if the engine added
   * the node, for example to change a layout, `"(engine)"`.
   */
  readonly operator: string;
  /** The indices of all operations that it computes, among the nodes of {@linkcode describeGraph}. */
  readonly nodes: readonly number[];
  /** The time from the start of the run to the start of the node. */
  readonly start: number;
  /** Its duration. */
  readonly time: number;
  /** The total size of its outputs, in bytes. */
  readonly outputBytes: number;
}

/** The profile of all nodes of one operator in a run. */
export interface OperatorProfile {
  /** The operator, as in {@linkcode NodeProfile}; `"(between nodes)"` for the time between nodes. */
  readonly operator: string;
  /** The total duration, in milliseconds. */
  readonly time: number;
  /** The share of the duration of a run, 0 to 1. */
  readonly share: number;
  /** The number of nodes. */
  readonly calls: number;
}

/** The profile of a graph's runs: returned by {@linkcode graphProfile}. Times are in milliseconds. */
export interface GraphProfile {
  /** The number of measured runs. */
  readonly runs: number;
  /** The duration of a run: the mean of the faster half, without the first run. All times are such means. */
  readonly time: number;
  /** The WebNN operators, longest time first. Their times add up to the duration of a run. */
  readonly operators: readonly OperatorProfile[];
  /** The nodes of the engine, in the order of execution. */
  readonly nodes: readonly NodeProfile[];
  /** The peak memory of intermediate values and outputs in bytes, computed from the graph. */
  readonly peakBytes: number;
}

/** The operator of nodes that the engine added. */
const ENGINE = "(engine)";
/** The time between nodes, in which the engine prepares the next node and records times. */
const BETWEEN = "(between nodes)";

/**
 * Reports where a graph's runs spend their time, by WebNN operators and by nodes of the engine. An extension of the
 * standard.
 *
 * The context must have been created with `profile: true`. The first call ends the profiling; later calls return the
 * same profile.
 *
 * @returns a promise of the profile, which rejects with the errors below
 * @throws {TypeError} if `graph` is not an MLGraph
 * @throws {DOMException} InvalidStateError if the context does not profile, the graph has not run, or it is destroyed;
 * OperationError if the engine's profile cannot be read
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
      throw invalidStateError(`${where} is not profiled; create its context with the option profile: true`);
    }
    const profile = await context.timeline.profile(timelineGraph);
    if (profile.runs === 0) {
      throw invalidStateError(`${where} has not run yet; dispatch it before you read its profile`);
    }
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
    operator: isStandard ? operator : heaviest(origins, costByRow)?.operator ?? ENGINE,
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
