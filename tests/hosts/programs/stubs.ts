/** Calls ONNX Runtime often, and prints whether a library was created in memory. */
import { createContext } from "@webnn/deno";

const context = await createContext();
for (let i = 0; i < 500; i++) {
  const tensor = await context.createTensor({ dataType: "float32", shape: [4], readable: true });
  await context.readTensor(tensor);
  tensor.destroy();
}
const maps = await Deno.readTextFile("/proc/self/maps");
console.log(maps.includes("webnn_stubs"));
context.destroy();
