/**
 * A compiled graph on an accelerator: a session as on the CPU, which waits for its turn and knows where its nodes run.
 *
 * @module
 */

import type { Pointer } from "../../../../ffi/memory.ts";
import type { Node } from "../../../graph/graph.ts";
import type { DeviceKind, Executable, PlacedNode } from "../../backend.ts";
import type { OnnxGraph } from "../onnx.ts";
import type { OrtExecutable } from "../executable.ts";
import type { ValueTensor } from "../tensor.ts";
import { type Forms, originsOfNames } from "../forms.ts";
import type { Accelerator } from "./accelerator.ts";
import { readPlacement } from "./placement.ts";

/** Where the nodes of a session run. */
export interface Placement {
  readonly devices: readonly string[];
  /** The nodes that the CPU runs. */
  readonly elsewhere: readonly PlacedNode[];
  /** The nodes of the WebNN graph that they belong to. */
  readonly nodesElsewhere: ReadonlySet<Node>;
}

/**
 * Reads where the nodes of a graph's session run.
 * @throws if some would run elsewhere, and the context forbids it
 */
export function checkPlacement(accelerator: Accelerator, session: Pointer, forms: Forms): Placement {
  const { provider, runtime, settings } = accelerator;
  const nodes = readPlacement(runtime.deviceApi, session);
  const elsewhere = nodes.filter((node) => node.provider === "CPUExecutionProvider");
  if (elsewhere.length > 0 && !settings.fallback) throw new Error(describe(provider.name, elsewhere));
  const here = provider.keepsRecord === false ? countOthers(forms.onnx, elsewhere) : nodes.length - elsewhere.length;
  return {
    devices: devicesOf(provider.device, here, elsewhere.length),
    elsewhere,
    nodesElsewhere: originsOfNames(elsewhere.map(({ node }) => node), forms),
  };
}

/** Adds an accelerator to a session's executable. */
export function place(accelerator: Accelerator, executable: OrtExecutable, placement: Placement): Executable {
  const { perform } = accelerator;
  return {
    ...placement,
    get blockingTime() {
      return executable.blockingTime;
    },
    run: (inputs, outputs) =>
      perform(() => executable.run(inputs as readonly ValueTensor[], outputs as readonly ValueTensor[])),
    release: () => void perform(() => executable.release()),
  };
}

/**
 * The number of nodes that are not recorded, except those computed from constants alone. The engine may have fused or
 * dropped some of them.
 */
function countOthers({ initializers, nodes }: OnnxGraph, recorded: readonly PlacedNode[]): number {
  const names = new Set(recorded.map(({ node }) => node));
  const fixed = new Set(["", ...initializers.map(({ name }) => name)]);
  return nodes.filter(({ inputs, name, outputs }) => {
    if (!inputs.every((input) => fixed.has(input))) return !names.has(name);
    for (const output of outputs) fixed.add(output);
    return false;
  }).length;
}

/**
 * The devices, the one with the most nodes first. A graph without nodes, whose outputs are constants or inputs, is on
 * the context's device.
 */
function devicesOf(kind: DeviceKind, here: number, elsewhere: number): readonly string[] {
  if (elsewhere === 0 || kind === "cpu") return [kind];
  if (here === 0) return ["cpu"];
  return here >= elsewhere ? [kind, "cpu"] : ["cpu", kind];
}

function describe(provider: string, nodes: readonly PlacedNode[]): string {
  const names = nodes.slice(0, 5).map(({ node, operator }) => `${node} (${operator})`);
  const more = nodes.length > names.length ? ` and ${nodes.length - names.length} more` : "";
  return `${provider} does not support ${names.join(", ")}${more}; the option fallback: true lets the CPU run them`;
}
