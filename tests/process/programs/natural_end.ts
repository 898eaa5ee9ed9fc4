/** The standard's first example, with `navigator.ml`. Nothing in the program ends it explicitly. */
import "@webnn/deno/polyfill";

const context = await navigator.ml.createContext({ powerPreference: "low-power" });
const builder = new MLGraphBuilder(context);
const descriptor = { dataType: "float32", shape: [2, 2] } as const;
const constant = builder.constant(descriptor, new Float32Array(4).fill(0.2));
const C = builder.add(builder.mul(builder.input("A", descriptor), constant), builder.input("B", descriptor));
const graph = await builder.build({ C });
const [a, b, c] = await Promise.all([
  context.createTensor({ ...descriptor, writable: true }),
  context.createTensor({ ...descriptor, writable: true }),
  context.createTensor({ ...descriptor, readable: true }),
]);
context.writeTensor(a, new Float32Array(4).fill(1));
context.writeTensor(b, new Float32Array(4).fill(0.8));
context.dispatch(graph, { A: a, B: b }, { C: c });
console.log([...new Float32Array(await context.readTensor(c))].join(" "));
