/** Prints whether graphs have `devices`: with the ponyfill alone, and with the polyfill. */
import { graphInfo, ml, MLGraph, MLGraphBuilder } from "@webnn/deno";

const alone = "devices" in MLGraph.prototype;
await import("@webnn/deno/polyfill");
const context = await ml.createContext();
const builder = new MLGraphBuilder(context);
const graph = await builder.build({ y: builder.relu(builder.input("x", { dataType: "float32", shape: [1] })) });
const { devices } = graph as unknown as { devices: readonly string[] };
console.log(JSON.stringify({ alone, devices, told: graphInfo(graph).devices }));
context.destroy();
