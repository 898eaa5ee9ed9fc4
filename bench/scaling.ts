/**
 * Whether building is linear: graphs of 1,000 and of 10,000 operators, built in turns. Prints the time per operator of
 * the builder's calls, of lowering with the Model Editor's calls, and, beside ours, of the engine's session creation.
 *
 * @module
 */
import { openVisibleContext } from "./support/capture.ts";
import { median } from "./support/statistics.ts";
import "@webnn/deno/polyfill";

const SIZES = [1000, 10_000];
const ROUNDS = 7;

/** Microseconds per operator. */
interface Times {
  readonly calls: number;
  readonly model: number;
  readonly session: number;
}

const { context, device } = await openVisibleContext();
let synchronous = 0;
const compile = device.compile.bind(device);
device.compile = (graph) => {
  const began = performance.now();
  const executable = compile(graph);
  synchronous = performance.now() - began;
  return executable;
};

const times = new Map<number, Times[]>(SIZES.map((size) => [size, []]));
for (let round = -1; round < ROUNDS; round++) {
  for (const size of SIZES) {
    const measured = await build(size);
    if (round >= 0) times.get(size)!.push(measured);
  }
}
context.destroy();

const perOperator = (size: number, what: keyof Times) => median(times.get(size)!.map((time) => time[what]));
console.log("| µs per operator | 1,000 | 10,000 | ratio |\n| --- | --- | --- | --- |");
for (
  const [title, what] of [["builder calls", "calls"], ["lowering and model", "model"], [
    "session creation",
    "session",
  ]] as const
) {
  const [small, large] = SIZES.map((size) => perOperator(size, what)) as [number, number];
  console.log(`| ${title} | ${small.toFixed(2)} | ${large.toFixed(2)} | ${(large / small).toFixed(2)} |`);
}

/** A chain of element-wise operators with a branch here and there. */
async function build(size: number): Promise<Times> {
  const began = performance.now();
  const builder = new MLGraphBuilder(context);
  const input = builder.input("x", { dataType: "float32", shape: [8] });
  let x = input;
  for (let i = 0; i < size; i++) x = i % 4 === 3 ? builder.add(x, input) : builder.tanh(x);
  const called = performance.now();
  const graph = await builder.build({ x });
  const built = performance.now();
  graph.destroy();
  const micro = (milliseconds: number) => milliseconds * 1000 / size;
  return { calls: micro(called - began), model: micro(synchronous), session: micro(built - called - synchronous) };
}
