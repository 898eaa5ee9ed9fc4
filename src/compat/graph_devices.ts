/**
 * `MLGraph.devices`, which is not in the standard's text yet (https://github.com/webmachinelearning/webnn/pull/854).
 * Chromium offers it, and LiteRT.js reads it after compiling and fails inside WebAssembly without it.
 *
 * @module
 */

import { graphInfo, MLGraph } from "../api/ml_graph.ts";

/** Adds the attribute: the devices on which a graph runs, most work first. */
export function addGraphDevices(): void {
  const { get } = Object.getOwnPropertyDescriptor(
    {
      get devices(): readonly string[] {
        return graphInfo(this as unknown as MLGraph).devices;
      },
    },
    "devices",
  )!;
  Object.defineProperty(MLGraph.prototype, "devices", { get: get!, configurable: true, enumerable: true });
}
