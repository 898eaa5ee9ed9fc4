/**
 * `MLGraph.devices`, which is not yet in the standard (https://github.com/webmachinelearning/webnn/pull/854). Chromium has
 * it, and without it LiteRT.js fails inside WebAssembly after it compiled a graph.
 *
 * @module
 */

import { graphInfo, MLGraph } from "../api/ml_graph.ts";

/** Adds the getter `devices`: the devices that run a graph; the one with the most nodes comes first. */
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
