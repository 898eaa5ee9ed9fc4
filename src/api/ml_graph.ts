/**
 * MLGraph: a compiled graph.
 *
 * @module
 */

import type { Engine, EngineRefusal, PlacedNode } from "../backends/backend.ts";
import { formatShape } from "../shape.ts";
import { defineInterface, illegalConstructor } from "../webidl/platform_object.ts";
import { graphSlot, type Port } from "./state.ts";

export type { Engine, EngineRefusal, PlacedNode } from "../backends/backend.ts";

/**
 * A compiled graph. `MLGraphBuilder.build()` creates it, and `MLContext.dispatch()` runs it.
 *
 * @see https://www.w3.org/TR/webnn/#api-mlgraph
 */
export class MLGraph {
  private constructor() {
    illegalConstructor();
  }

  /**
   * Releases the graph after all earlier work. A second call has no effect.
   * @see https://www.w3.org/TR/webnn/#api-mlgraph-destroy
   */
  destroy(): void {
    const { context, graph } = graphSlot.get(this);
    context.timeline.destroyGraph(graph);
  }

  /** Calls {@linkcode MLGraph.destroy} at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.destroy();
  }

  /** Calls {@linkcode MLGraph.destroy} at the end of an `await using` block, and waits until the memory is released. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.destroy();
    await graphSlot.get(this).context.timeline.settled;
  }
}

defineInterface(MLGraph, graphSlot, ({ inputs, outputs, graph }) => ({
  inputs: describePorts(inputs),
  outputs: describePorts(outputs),
  devices: graph.executable.devices,
  ...graph.destroyed && { destroyed: true },
}));

/** Data type and shape of each input or output, by name. */
function describePorts(ports: readonly Port[]): Record<string, string> {
  return Object.fromEntries(
    ports.map(({ name, descriptor: { dataType, shape } }) => [name, `${dataType} ${formatShape(shape)}`]),
  );
}

/** Where a graph runs: what {@linkcode graphInfo} returns. */
export interface GraphInfo extends Engine {
  /** The devices that run its nodes; the one with the most nodes comes first. */
  readonly devices: readonly string[];
  /** The nodes of the engine's graph that run on the CPU because the context's device does not support them. */
  readonly elsewhere: readonly PlacedNode[];
  /** The engines that were tried first, in that order, and why each could not run the graph. */
  readonly refusals: readonly EngineRefusal[];
}

/**
 * Describes which engine runs a graph, and on which devices. An extension of the standard.
 *
 * Nodes are those of the engine's graph, not of WebNN's: an operator may have become several nodes, or none.
 *
 * @throws {TypeError} if `graph` is not an MLGraph
 *
 * @example
 * ```ts ignore
 * for (const { node, operator } of graphInfo(graph).elsewhere) console.log(`${node} (${operator}) runs on the CPU`);
 * ```
 */
export function graphInfo(graph: MLGraph): GraphInfo {
  const { context, graph: { executable } } = graphSlot.convert(graph, "graphInfo: graph");
  const { devices, elsewhere = [], refusals = [] } = executable;
  const { backend, provider } = executable.engine ?? context.timeline.device.info;
  return { backend, provider, devices, elsewhere, refusals };
}
