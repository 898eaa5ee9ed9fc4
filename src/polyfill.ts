/**
 * Installs WebNN as in a browser: `navigator.ml`, and the interfaces as globals.
 *
 * @example
 * ```ts
 * import "@webnn/deno/polyfill";
 * const context = await navigator.ml.createContext();
 * const builder = new MLGraphBuilder(context);
 * ```
 *
 * @module
 */

import { ML, ml } from "./api/ml.ts";
import { destroyContexts, MLContext } from "./api/ml_context.ts";
import { MLGraph } from "./api/ml_graph.ts";
import { MLGraphBuilder } from "./api/ml_graph_builder.ts";
import { MLOperand } from "./api/ml_operand.ts";
import { MLTensor } from "./api/ml_tensor.ts";
import { addGraphDevices } from "./compat/graph_devices.ts";
import { installOnNavigator } from "./compat/navigator.ts";
import { releaseOnClose } from "./compat/worker_close.ts";

// The keys are the names of the globals. `value.name` may differ, because a bundler may rename the classes.
for (const [name, value] of Object.entries({ ML, MLContext, MLGraph, MLGraphBuilder, MLOperand, MLTensor })) {
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
}

// Some test runners remove the navigator.
globalThis.navigator ??= {} as Navigator;
installOnNavigator(navigator, "ml", ml);
addGraphDevices();
releaseOnClose(destroyContexts);
