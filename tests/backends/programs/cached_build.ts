/**
 * Builds a graph with a compile cache in the folder that the argument names, runs it, and prints its output as JSON.
 *
 * @module
 */
import { createContext, MLGraphBuilder } from "../../../mod.ts";
import { HEIGHT, product, WIDTH } from "../product.ts";

const context = await createContext({ device: "cpu", threads: 1, cacheDirectory: Deno.args[0]! });
const graph = await product(new MLGraphBuilder(context), 1);
const x = await context.createTensor({ dataType: "float32", shape: [1, HEIGHT], writable: true });
const y = await context.createTensor({ dataType: "float32", shape: [1, WIDTH], readable: true });
context.writeTensor(x, new Float32Array(HEIGHT).fill(1));
context.dispatch(graph, { x }, { y });
console.log(JSON.stringify([...new Float32Array(await context.readTensor(y))]));
context.destroy();
