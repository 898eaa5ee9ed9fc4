/** The event loop runs while a program only awaits graphs that run synchronously. */
import { assert, assertEquals } from "@std/assert";
import { createContext, type MLContext, MLGraphBuilder } from "@webnn/deno";
import { createMLContext } from "../../src/api/ml_context.ts";
import { openCpu } from "../../src/backends/onnxruntime/mod.ts";
import { DEFAULTS } from "../../src/options.ts";

const TENSOR = { dataType: "float32", shape: [1], readable: true } as const;
/** More than ten times the rounds that run in the few milliseconds before the event loop gets a turn. */
const ROUNDS = 50_000;

/** Repeats an action until a timer has fired twice. Returns how often the timer fired. */
async function repeat(act: () => Promise<unknown>): Promise<number> {
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  for (let i = 0; i < ROUNDS && ticks < 2; i++) await act();
  clearInterval(timer);
  return ticks;
}

async function sum(context: MLContext) {
  const builder = new MLGraphBuilder(context);
  const x = builder.input("x", TENSOR);
  return await builder.build({ y: builder.add(x, x) });
}

Deno.test("a timer fires between awaited reads", async () => {
  await using context = await createContext();
  const tensor = await context.createTensor(TENSOR);
  const buffer = new Float32Array(1);
  assertEquals(await repeat(() => context.readTensor(tensor, buffer)), 2);
});

Deno.test("a timer fires between dispatches and awaited reads", async () => {
  await using context = await createContext();
  const graph = await sum(context);
  const [x, y] = [await context.createTensor(TENSOR), await context.createTensor(TENSOR)];
  const ticks = await repeat(() => {
    context.dispatch(graph, { x }, { y });
    return context.readTensor(y);
  });
  assertEquals(ticks, 2);
});

Deno.test("thousands of dispatches in a row do not all run before the calls return", async () => {
  await using context = await createContext();
  const graph = await sum(context);
  const [x, y] = [await context.createTensor(TENSOR), await context.createTensor(TENSOR)];
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  for (let i = 0; i < ROUNDS; i++) context.dispatch(graph, { x }, { y });
  await context.readTensor(y);
  clearInterval(timer);
  assert(ticks > 1, `${ticks} ticks`);
});

Deno.test("after an awaited read, the next work runs at once", async () => {
  const device = await openCpu(DEFAULTS);
  const written: number[] = [];
  const create = device.createTensor.bind(device);
  device.createTensor = async (descriptor) => {
    const tensor = await create(descriptor);
    const write = tensor.write.bind(tensor);
    tensor.write = (bytes) => (written.push(bytes.length), write(bytes));
    return tensor;
  };
  await using context = createMLContext(device);
  const tensor = await context.createTensor({ ...TENSOR, writable: true });
  for (let i = 1; i < 4; i++) {
    await context.readTensor(tensor);
    context.writeTensor(tensor, new Float32Array(1));
    assertEquals(written.length, i);
  }
});
