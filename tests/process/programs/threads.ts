/**
 * Counts the threads of the process with 1 and with 50 live graphs. With the argument `onnxruntime-node`, that package
 * creates ONNX Runtime's environment first.
 */
import { createContext, MLGraphBuilder } from "@webnn/deno";

if (Deno.args[0] === "onnxruntime-node") {
  const { InferenceSession } = await import("npm:onnxruntime-node@1.30.0");
  // These bytes are not a model, but the attempt creates the process's environment, without a global thread pool.
  await InferenceSession.create(new Uint8Array(16)).catch(() => {});
}

const countThreads = () => [...Deno.readDirSync("/proc/self/task")].length;
const context = await createContext({ threads: 4 });
const counts: number[] = [];
for (let i = 0; i < 50; i++) {
  const builder = new MLGraphBuilder(context);
  const x = builder.input("x", { dataType: "float32", shape: [64, 64] });
  const graph = await builder.build({ y: builder.matmul(x, x) });
  const tensor = await context.createTensor({ dataType: "float32", shape: [64, 64], readable: true });
  const input = await context.createTensor({ dataType: "float32", shape: [64, 64] });
  context.dispatch(graph, { x: input }, { y: tensor });
  await context.readTensor(tensor);
  counts.push(countThreads());
}
console.log(JSON.stringify({ one: counts[0], fifty: counts[49] }));
