/**
 * Builds a network and runs it once, in a process that does nothing else, and prints its memory as JSON. The arguments
 * are the name of the network and, for a compile cache, its folder. The networks:
 *
 * - `trivial`: an addition of two numbers, with which everything is loaded that every program loads.
 * - `mobilenetv2`
 * - `products`: matrix products with 256 MiB of weights; `products-unpacked`: the same without ONNX Runtime's copies of
 *   the weights in the order in which it reads them.
 *
 * @module
 */
import "@webnn/deno/polyfill";
import { cString } from "../../ffi/memory.ts";
import { createInference, type Network } from "../../examples/inference.ts";
import { createMLContext } from "../../src/api/ml_context.ts";
import type { OrtDevice } from "../../src/backends/onnxruntime/device.ts";
import { openCpu } from "../../src/backends/onnxruntime/mod.ts";
import { mobileNetV2 } from "./mobilenetv2.ts";

/** Memory in bytes. */
export interface Memory {
  /** The most resident memory that the process ever had; `undefined` where only Linux would tell. */
  readonly peak: number | undefined;
  /** The same when the graph was built, before it ran. */
  readonly peakOfBuild: number | undefined;
  /** The resident memory when the graph was built. */
  readonly built: number;
  /** The resident memory at the end, with graph and tensors alive. */
  readonly end: number;
  /** What V8 counts at the end, on its heap and outside of it, less the address space that stands for the weights. */
  readonly javascript: number;
}

/** The bytes of the weights of `products`: 256 matrices of 512 × 512 numbers. */
export const PRODUCTS_BYTES = 256 * 512 * 512 * 4;

/** The bytes of the constants of MobileNetV2. */
const MOBILENETV2_BYTES = 13_951_392;
const SIZE = 512;
const [name = "trivial", cacheDirectory] = Deno.args;

if (import.meta.main) {
  const device = await openCpu({ cacheDirectory }) as OrtDevice;
  if (name === "products-unpacked") disablePrepacking(device);
  const context = createMLContext(device);
  const run = networks(context)[name];
  if (run === undefined) throw new Error(`there is no network ${name}`);
  await runTrivial(context);
  const built = await run();
  const { external, heapUsed } = Deno.memoryUsage();
  const weights = name === "trivial" ? 0 : name === "mobilenetv2" ? MOBILENETV2_BYTES : PRODUCTS_BYTES;
  const memory: Memory = {
    peak: residentMemory("VmHWM"),
    ...built,
    end: Deno.memoryUsage().rss,
    javascript: external + heapUsed - weights,
  };
  console.log(JSON.stringify(memory));
  context.destroy();
}

/** What a network tells when it has been built and has run. */
type Run = () => Promise<Pick<Memory, "built" | "peakOfBuild">>;

function networks(context: MLContext): Record<string, Run> {
  const products = async () => {
    const { built, inference } = await afterBuild(context, await buildProducts(context));
    const { y } = await inference.run({ x: new Float32Array(SIZE).fill(1) });
    if (!y!.every((value) => value === 1)) throw new Error("the products are wrong");
    return built;
  };
  return {
    trivial: async () => (await afterBuild(context, await buildTrivial(context))).built,
    products,
    "products-unpacked": products,
    mobilenetv2: async () => {
      const { build, inputs, check } = await mobileNetV2();
      const { built, inference } = await afterBuild(context, await build(context));
      check((await inference.run(inputs))["features"]!);
      return built;
    },
  };
}

async function afterBuild(context: MLContext, network: Network) {
  const built = { built: Deno.memoryUsage().rss, peakOfBuild: residentMemory("VmHWM") };
  return { built, inference: await createInference(context, network) };
}

async function runTrivial(context: MLContext): Promise<void> {
  const inference = await createInference(context, await buildTrivial(context));
  const { sum } = await inference.run({ a: Float32Array.of(1) });
  if (sum![0] !== 2) throw new Error(`the sum of 1 and 1 is not ${sum![0]}`);
}

async function buildTrivial(context: MLContext): Promise<Network> {
  const builder = new MLGraphBuilder(context);
  const a = builder.input("a", { dataType: "float32", shape: [1] });
  const graph = await builder.build({ sum: builder.add(a, a) });
  return { graph, inputs: { a: [1] }, outputs: { sum: [1] } };
}

/** Ones times a matrix whose columns have the sum 1 is ones again, exactly. All weights are copies of one array of JavaScript. */
async function buildProducts(context: MLContext): Promise<Network> {
  const builder = new MLGraphBuilder(context);
  const weights = new Float32Array(SIZE * SIZE).fill(1 / SIZE);
  let y = builder.input("x", { dataType: "float32", shape: [1, SIZE] });
  for (let i = 0; i * weights.byteLength < PRODUCTS_BYTES; i++) {
    // ONNX Runtime keeps equal weights once, so no two are equal; what the first row has more, the second has less.
    weights.fill(1 / SIZE + i * 2 ** -20, 0, SIZE).fill(1 / SIZE - i * 2 ** -20, SIZE, 2 * SIZE);
    y = builder.matmul(y, builder.constant({ dataType: "float32", shape: [SIZE, SIZE] }, weights));
  }
  const graph = await builder.build({ y });
  return { graph, inputs: { x: [1, SIZE] }, outputs: { y: [1, SIZE] } };
}

/** No option of a context does that: it makes products slower. */
function disablePrepacking({ runtime: { api } }: OrtDevice): void {
  const create = api.CreateSessionOptions;
  Object.assign(api, {
    CreateSessionOptions() {
      const options = create();
      api.AddSessionConfigEntry(options, cString("session.disable_prepacking"), cString("1"));
      return options;
    },
  });
}

/** Linux keeps such figures in /proc, which Deno opens to programs with all permissions only. */
function residentMemory(field: string): number | undefined {
  if (Deno.build.os !== "linux") return undefined;
  const status = Deno.readTextFileSync("/proc/self/status");
  return 1024 * Number(new RegExp(`^${field}:\\s*(\\d+) kB$`, "m").exec(status)![1]);
}
