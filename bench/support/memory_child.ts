/**
 * Builds a network and runs it once, in a process that does nothing else, and prints its memory as JSON. The argument
 * names the network: `trivial` is an addition of two numbers, with which everything is loaded that every program loads.
 *
 * @module
 */
import "@webnn/deno/polyfill";
import { createInference, type Network } from "../../examples/inference.ts";
import { mobileNetV2 } from "./mobilenetv2.ts";

/** Resident memory in bytes. */
export interface Memory {
  /** The most that the process ever had; `undefined` where only Linux would tell. */
  readonly peak: number | undefined;
  /** What it has at the end, with its graph and tensors alive. */
  readonly end: number;
}

const context = await navigator.ml.createContext();
if (Deno.args[0] === "trivial") await runTrivial();
else await runMobileNetV2();
console.log(JSON.stringify(residentMemory()));
context.destroy();

async function runTrivial(): Promise<void> {
  const builder = new MLGraphBuilder(context);
  const a = builder.input("a", { dataType: "float32", shape: [1] });
  const graph = await builder.build({ sum: builder.add(a, a) });
  const { sum } = await runOnce({ graph, inputs: { a: [1] }, outputs: { sum: [1] } }, { a: Float32Array.of(1) });
  if (sum![0] !== 2) throw new Error(`the sum of 1 and 1 is not ${sum![0]}`);
}

async function runMobileNetV2(): Promise<void> {
  const { build, inputs, check } = await mobileNetV2();
  const { features } = await runOnce(await build(context), inputs);
  check(features!);
}

async function runOnce(network: Network, inputs: Record<string, Float32Array>): Promise<Record<string, Float32Array>> {
  const inference = await createInference(context, network);
  return await inference.run(inputs);
}

function residentMemory(): Memory {
  if (Deno.build.os !== "linux") return { peak: undefined, end: Deno.memoryUsage().rss };
  const status = Deno.readTextFileSync("/proc/self/status");
  const kilobytes = (field: string) => Number(new RegExp(`^${field}:\\s*(\\d+) kB$`, "m").exec(status)![1]);
  return { peak: 1024 * kilobytes("VmHWM"), end: 1024 * kilobytes("VmRSS") };
}
