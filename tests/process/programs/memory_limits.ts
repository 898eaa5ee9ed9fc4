/**
 * Requests too much memory, and prints the results. The process limits itself to 400 MB of additional address space.
 */
import { createContext, MLGraphBuilder } from "@webnn/deno";

const RLIMIT_AS = 9;
const MEGABYTE = 2 ** 20;

const context = await createContext({ threads: 1 });
const small = { dataType: "float32", shape: [4] } as const;
const large = { dataType: "float32", shape: [128, 1024, 1024] } as const; // 512 MB
const data = new Float32Array(128 * 1024 * 1024);

const [pages] = Deno.readTextFileSync("/proc/self/statm").split(" ").map(Number);
const limit = BigInt(pages! * 4096 + 400 * MEGABYTE);
const libc = Deno.dlopen("libc.so.6", { setrlimit: { parameters: ["i32", "buffer"], result: "i32" } });
libc.symbols.setrlimit(RLIMIT_AS, BigUint64Array.of(limit, limit));

const name = (error: unknown) => `${(error as DOMException).name}: ${(error as DOMException).message}`;
console.log(await context.createTensor(large).then(() => "created", name));
console.log(await context.createConstantTensor(large, data).then(() => "created", name));
const builder = new MLGraphBuilder(context);
try {
  builder.constant(large, data);
} catch (error) {
  console.log(name(error));
}
const x = builder.input("x", small);
const wide = builder.expand(builder.reshape(x, [4, 1, 1]), [4, 8192, 8192]); // 1 GB
console.log(await builder.build({ y: builder.reduceSum(builder.tanh(wide)) }).then(() => "built", name));

const next = new MLGraphBuilder(context);
const graph = await next.build({ y: next.relu(next.input("x", small)) });
const tensor = () => context.createTensor({ ...small, readable: true, writable: true });
const [input, output] = [await tensor(), await tensor()];
context.writeTensor(input, Float32Array.of(-1, 2, -3, 4));
context.dispatch(graph, { x: input }, { y: output });
console.log([...new Float32Array(await context.readTensor(output))].join(" "));

// Queues writes behind a slow dispatch, until there is no memory for another copy.
const wide2d = { dataType: "float32", shape: [2048, 2048] } as const; // 16 MB
const slow = new MLGraphBuilder(context);
const a = slow.input("a", wide2d);
const square = await slow.build({ b: slow.matmul(a, a) });
const [factor, product] = [
  await context.createTensor({ ...wide2d, writable: true, readable: true }),
  await context.createTensor(wide2d),
];
const elements = data.subarray(0, 2048 * 2048);
context.dispatch(square, { a: factor }, { b: product });
let written = 0;
try {
  for (;; written++) {
    elements[0] = written;
    context.writeTensor(factor, elements);
  }
} catch (error) {
  console.log(name(error));
}
const [first] = new Float32Array(await context.readTensor(factor));
console.log(
  written > 3 && first === written - 1 ? "the last accepted write" : `${first} after ${written} writes`,
);
libc.close();
