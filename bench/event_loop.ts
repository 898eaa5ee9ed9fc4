/**
 * Whether the event loop stays free: how late a 1 ms timer comes while MobileNetV2 is built and while a dispatch of
 * about 200 ms runs, beside its lateness when nothing else is done. Prints a Markdown table, and what of the build runs
 * on the loop's own thread.
 *
 * @module
 */
import "@webnn/deno/polyfill";
import { assert } from "@std/assert";
import { openVisibleContext } from "./support/capture.ts";
import { mobileNetV2, whatIsMissing } from "./support/mobilenetv2.ts";

/** How a 1 ms timer fared during some work. */
interface Fares {
  /** How long the work took, in milliseconds. */
  readonly duration: number;
  /** For each time that the timer fired, by how many milliseconds it came too late. */
  readonly lateness: readonly number[];
}

const PERIOD = 1;
/** The size of the slow dispatch: products of two matrices of that size, one after the other. */
const MATRIX_SIZE = 1024;
const PRODUCTS = 17;

const { context, device } = await openVisibleContext();
await watchDispatch(1);

console.log("| during | ms | timer fired | median lateness | max lateness |\n| --- | --- | --- | --- | --- |");
report("nothing", await watchTimer(() => new Promise((resolve) => setTimeout(resolve, 200))));
report(`${PRODUCTS} products of ${MATRIX_SIZE}²`, await watchDispatch(PRODUCTS));
const missing = whatIsMissing();
if (missing) console.error(missing);
else await watchBuild();
context.destroy();

/** Builds MobileNetV2 where nothing has been built before, then again. */
async function watchBuild(): Promise<void> {
  const { build } = await mobileNetV2();
  const blocked: { calls: number; model: number }[] = [];
  const compile = device.compile.bind(device);
  let started = 0;
  device.compile = (graph) => {
    const handed = performance.now();
    const executable = compile(graph);
    blocked.push({ calls: handed - started, model: performance.now() - handed });
    return executable;
  };
  for (const name of ["first build of MobileNetV2", "second build of MobileNetV2", "third build of MobileNetV2"]) {
    const fares = await watchTimer(async () => {
      started = performance.now();
      const { graph } = await build(context);
      graph.destroy();
    });
    report(name, fares);
  }
  console.log(
    "\nOn the thread of the event loop, without a break, in ms (builder calls copy the weights; the model is",
  );
  console.log("lowered and handed to ONNX Runtime's Model Editor; the session is then made on another thread):");
  for (const { calls, model } of blocked) {
    console.log(`- builder calls ${calls.toFixed(1)}, lowering and model ${model.toFixed(1)}`);
  }
}

/** Runs a graph of many matrix products: ones times a matrix of 1/1024 is ones again, exactly. */
async function watchDispatch(products: number): Promise<Fares> {
  const square = { dataType: "float32", shape: [MATRIX_SIZE, MATRIX_SIZE] } as const;
  const builder = new MLGraphBuilder(context);
  const ones = builder.input("ones", square);
  const factor = builder.constant(square, new Float32Array(MATRIX_SIZE ** 2).fill(1 / MATRIX_SIZE));
  let product = ones;
  for (let i = 0; i < products; i++) product = builder.matmul(product, factor);
  const graph = await builder.build({ product });
  const inputs = { ones: await context.createTensor({ ...square, writable: true }) };
  const outputs = { product: await context.createTensor({ ...square, readable: true }) };
  context.writeTensor(inputs.ones, new Float32Array(MATRIX_SIZE ** 2).fill(1));
  const result = new Float32Array(MATRIX_SIZE ** 2);
  const fares = await watchTimer(() => {
    context.dispatch(graph, inputs, outputs);
    return context.readTensor(outputs.product, result);
  });
  assert(result.every((value) => value === 1), "the products are wrong");
  return fares;
}

/** Does the work while a timer fires every millisecond. A timer that is overdue when the work ends counts as fired. */
async function watchTimer(work: () => Promise<unknown>): Promise<Fares> {
  const lateness: number[] = [];
  const began = performance.now();
  let last = began;
  const tick = () => {
    const now = performance.now();
    lateness.push(Math.max(0, now - last - PERIOD));
    last = now;
  };
  const timer = setInterval(tick, PERIOD);
  await work();
  const duration = performance.now() - began;
  if (performance.now() - last > PERIOD) tick();
  clearInterval(timer);
  return { duration, lateness };
}

function report(name: string, { duration, lateness }: Fares): void {
  const sorted = lateness.toSorted((a, b) => a - b);
  const cells = [
    name,
    duration.toFixed(0),
    lateness.length,
    `${sorted[sorted.length >> 1]!.toFixed(2)} ms`,
    `${sorted.at(-1)!.toFixed(1)} ms`,
  ];
  console.log(`| ${cells.join(" | ")} |`);
}
