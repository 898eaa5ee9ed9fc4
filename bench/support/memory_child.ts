/**
 * Builds a network and runs it once, in a process that does nothing else, and prints its memory as JSON. Arguments:
 *
 * - the network: `trivial` (the base only); `products`; `products-unpacked` (without ONNX Runtime's prepacked copies of
 *   the weights); `mobilenetv2`
 * - optionally, the folder of the compile cache
 *
 * Start Deno with --v8-flags=--expose-gc.
 *
 * @module
 */
import "@webnn/deno/polyfill";
import { cString } from "../../ffi/memory.ts";
import { createInference } from "../../examples/inference.ts";
import { createMLContext } from "../../src/api/ml_context.ts";
import type { OrtDevice } from "../../src/backends/onnxruntime/device.ts";
import { openCpu } from "../../src/backends/onnxruntime/mod.ts";
import { mobileNetV2 } from "./mobilenetv2.ts";
import { products, PRODUCTS_BYTES } from "./products.ts";
import type { Suite } from "./suite.ts";
import { trivial } from "./trivial.ts";
import { ownOptions } from "../../src/options.ts";

/** Memory in bytes. */
export interface Memory {
  /** The resident memory after building and running only a trivial graph. */
  readonly base: number;
  /** The peak resident memory from the base until the graph is built; `undefined` except on Linux. */
  readonly peakOfBuild: number | undefined;
  /** The resident memory after building the graph. */
  readonly built: number;
  /** The peak resident memory from the base until the end. */
  readonly peak: number | undefined;
  /** The resident memory after running the graph. */
  readonly end: number;
  /**
   * What V8 counts at the end, on and off its heap, without the address space that is reserved in place of the weights.
   */
  readonly javascript: number;
}

/** A network, and the bytes of its weights that V8 counts as reserved address space. */
interface Subject {
  readonly suite: Suite;
  readonly weightBytes: number;
}

const SUBJECTS: Record<string, () => Subject | Promise<Subject>> = {
  trivial: () => ({ suite: trivial, weightBytes: 0 }),
  products: () => ({ suite: products, weightBytes: PRODUCTS_BYTES }),
  "products-unpacked": () => ({ suite: products, weightBytes: PRODUCTS_BYTES }),
  mobilenetv2: async () => ({ suite: await mobileNetV2(), weightBytes: 13_951_392 }),
};

if (import.meta.main) {
  const [name, cacheDirectory] = Deno.args;
  const device = await openCpu(ownOptions({ threads: 1, cacheDirectory }, "options")) as OrtDevice;
  const context = createMLContext(device);
  await buildAndRun(context, trivial);
  const base = Deno.memoryUsage().rss;
  resetPeak();
  if (name === "products-unpacked") disablePrepacking(device);
  const { suite, weightBytes } = await SUBJECTS[name!]!();
  const built = await buildAndRun(context, suite);
  const [peak, end] = [peakMemory(), Deno.memoryUsage().rss];
  (globalThis as unknown as { gc(): void }).gc();
  const { external, heapUsed } = Deno.memoryUsage();
  const javascript = external + heapUsed - weightBytes;
  console.log(JSON.stringify({ base, ...built, peak, end, javascript } satisfies Memory));
  context.destroy();
}

/** Builds and runs a network. Returns the memory after the build. */
async function buildAndRun(context: MLContext, suite: Suite): Promise<Pick<Memory, "built" | "peakOfBuild">> {
  const network = await suite.build(context);
  const memory = { built: Deno.memoryUsage().rss, peakOfBuild: peakMemory() };
  const inference = await createInference(context, network);
  suite.check((await inference.run(suite.inputs))[suite.output]!);
  return memory;
}

/** No context option does this, because it makes products slower. */
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

/** Linux has these numbers in /proc, which Deno lets programs read only with all permissions. */
function peakMemory(): number | undefined {
  if (Deno.build.os !== "linux") return undefined;
  return 1024 * Number(/^VmHWM:\s*(\d+) kB$/m.exec(Deno.readTextFileSync("/proc/self/status"))![1]);
}

/** Resets the peak. */
function resetPeak(): void {
  if (Deno.build.os === "linux") Deno.writeTextFileSync("/proc/self/clear_refs", "5");
}
