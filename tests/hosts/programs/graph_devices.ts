/** Prints whether `MLGraph.devices` exists with the ponyfill alone, and its value with the polyfill. */
import { graphInfo, ml, MLGraph, MLGraphBuilder } from "@webnn/deno";

const withPonyfill = "devices" in MLGraph.prototype;
await import("@webnn/deno/polyfill");
const context = await ml.createContext();
const builder = new MLGraphBuilder(context);
const graph = await builder.build({ y: builder.relu(builder.input("x", { dataType: "float32", shape: [1] })) });
const { devices } = graph as unknown as { devices: readonly string[] };
console.log(JSON.stringify({ withPonyfill, devices, expected: graphInfo(graph).devices }));
context.destroy();
