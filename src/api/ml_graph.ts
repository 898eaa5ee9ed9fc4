/**
 * MLGraph: a compiled graph.
 *
 * @module
 */

import type { Engine, PlacedNode, Refusal } from "../backends/backend.ts";
import { formatShape } from "../shape.ts";
import { defineInterface, illegalConstructor } from "../webidl/platform_object.ts";
import { graphSlot, type Port } from "./state.ts";

export type { Engine, PlacedNode, Refusal } from "../backends/backend.ts";

/**
 * A compiled graph, ready to be dispatched on its context.
 *
 * @see https://www.w3.org/TR/webnn/#mlgraph
 */
export class MLGraph {
  private constructor() {
    illegalConstructor();
  }

  /** Releases the graph once the work queued before has been done. May be called again. */
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

/** The descriptor of each, by its name. */
function describePorts(ports: readonly Port[]): Record<string, string> {
  return Object.fromEntries(
    ports.map(({ name, descriptor: { dataType, shape } }) => [name, `${dataType} ${formatShape(shape)}`]),
  );
}

/** What runs a graph, and where. */
export interface GraphInfo extends Engine {
  /** The devices on which it runs, most nodes first. */
  readonly devices: readonly string[];
  /** The nodes of the engine's graph that the context's device does not take, so that the CPU runs them. */
  readonly elsewhere: readonly PlacedNode[];
  /** The engines that the context would have preferred, in that order, and why they did not take the graph. */
  readonly refusals: readonly Refusal[];
}

/**
 * Tells which engine runs a graph and where its nodes run: those of the engine, into which the operators of WebNN were
 * translated.
 *
 * @throws TypeError for anything but an MLGraph
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
