/**
 * The W3C WebNN API for Deno, on native engines.
 *
 * {@linkcode ml} is what browsers call `navigator.ml`. To get it under that name, import `@webnn/deno/polyfill`.
 *
 * @example The standard's first example: 0.2 · A + B
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ml, MLGraphBuilder } from "@webnn/deno";
 *
 * const context = await ml.createContext();
 * const builder = new MLGraphBuilder(context);
 * const descriptor = { dataType: "float32", shape: [2, 2] } as const;
 * const constant = builder.constant(descriptor, new Float32Array(4).fill(0.2));
 * const A = builder.input("A", descriptor);
 * const B = builder.input("B", descriptor);
 * const C = builder.add(builder.mul(A, constant), B);
 * const graph = await builder.build({ C });
 *
 * const a = await context.createTensor({ ...descriptor, writable: true });
 * const b = await context.createTensor({ ...descriptor, writable: true });
 * const c = await context.createTensor({ ...descriptor, readable: true });
 * context.writeTensor(a, new Float32Array(4).fill(1));
 * context.writeTensor(b, new Float32Array(4).fill(0.8));
 * context.dispatch(graph, { A: a, B: b }, { C: c });
 * const result = new Float32Array(await context.readTensor(c));
 * assertEquals([...result], [1, 1, 1, 1]);
 * ```
 *
 * @see https://www.w3.org/TR/webnn/
 * @module
 */

export type * from "./src/api/dictionaries.ts";
export { type ContextOptions, createContext, devices, type LibraryOptions, ML, ml } from "./src/api/ml.ts";
export { contextInfo, type DeviceEntry, type DeviceInfo, type DeviceKind, MLContext } from "./src/api/ml_context.ts";
export {
  type Engine,
  type EngineRefusal,
  type GraphInfo,
  graphInfo,
  MLGraph,
  type PlacedNode,
} from "./src/api/ml_graph.ts";
export { exportMlpackage, exportOnnx } from "./src/api/export.ts";
export {
  type DescribedEdge,
  type DescribedNode,
  type DescribedOperator,
  type DescribedTensor,
  describeGraph,
  type GraphDescription,
} from "./src/api/graph_description.ts";
export { type GraphProfile, graphProfile, type NodeProfile, type OperatorProfile } from "./src/api/graph_profile.ts";
export { MLGraphBuilder } from "./src/api/ml_graph_builder.ts";
export { MLOperand } from "./src/api/ml_operand.ts";
export { MLTensor } from "./src/api/ml_tensor.ts";
export { shareConstant } from "./src/api/share_constant.ts";
export type * from "./src/api/support_limits.ts";
