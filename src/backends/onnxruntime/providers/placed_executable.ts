/**
 * A compiled graph on an accelerator: the same session as on the CPU, that runs in its turn and knows where its nodes are.
 *
 * @module
 */

import type { Pointer } from "../../../../ffi/memory.ts";
import type { Executable, PlacedNode } from "../../backend.ts";
import type { OrtExecutable } from "../executable.ts";
import type { ValueTensor } from "../tensor.ts";
import type { Accelerator } from "./accelerator.ts";
import { readPlacement } from "./placement.ts";

/**
 * Gives a session's executable to an accelerator.
 * @throws if nodes would run elsewhere and the context forbids that; the session is released then
 */
export function place(accelerator: Accelerator, session: Pointer, executable: OrtExecutable): Executable {
  const { provider, allowsFallback, perform, runtime } = accelerator;
  const release = () => void perform(() => executable.release());
  try {
    const nodes = readPlacement(runtime.deviceApi, session);
    const elsewhere = nodes.filter((node) => node.provider === "CPUExecutionProvider");
    if (elsewhere.length > 0 && !allowsFallback) throw new Error(describe(provider.name, elsewhere));
    return {
      devices: devicesOf(provider.kind, nodes.length - elsewhere.length, elsewhere.length),
      elsewhere,
      get blockingTime() {
        return executable.blockingTime;
      },
      run: (inputs, outputs) =>
        perform(() => executable.run(inputs as readonly ValueTensor[], outputs as readonly ValueTensor[])),
      release,
    };
  } catch (error) {
    release();
    throw error;
  }
}

/** Most nodes first. A graph without any, whose outputs are constants or inputs, is where the context is. */
function devicesOf(kind: string, here: number, elsewhere: number): readonly string[] {
  const devices = here >= elsewhere ? [kind, "cpu"] : ["cpu", kind];
  const used = devices.filter((device) => device === "cpu" && kind !== "cpu" ? elsewhere > 0 : here > 0 || elsewhere === 0);
  return [...new Set(used)];
}

function describe(provider: string, nodes: readonly PlacedNode[]): string {
  const names = nodes.slice(0, 5).map(({ node, operator }) => `${node} (${operator})`);
  const more = nodes.length > names.length ? ` and ${nodes.length - names.length} more` : "";
  return `${provider} does not take ${names.join(", ")}${more}; the option fallback: true lets the CPU run them`;
}
