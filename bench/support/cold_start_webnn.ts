/**
 * Runs MobileNetV2 with this module once, and prints the result as JSON. Arguments: the weights, and optionally the
 * folder of the compile cache.
 *
 * @module
 */
import { createContext } from "@webnn/deno";
import "@webnn/deno/polyfill";
import { buildMobileNetV2 } from "../../examples/mobilenetv2.ts";
import { parseSafetensors } from "../../examples/safetensors.ts";
import { mobileNetV2Input } from "./mobilenetv2_input.ts";

const [weights, cacheDirectory] = Deno.args as [string, string?];
const bytes = readWhole(weights);
const context = await createContext(cacheDirectory === undefined ? {} : { cacheDirectory });
const { graph, inputs, outputs } = await buildMobileNetV2(context, parseSafetensors(await bytes), { layout: "nchw" });
const create = (shape: readonly number[]) =>
  context.createTensor({ dataType: "float32", shape: [...shape], readable: true, writable: true });
const input = await create(inputs["input"]!);
const results = Object.fromEntries(
  await Promise.all(Object.entries(outputs).map(async ([name, shape]) => [name, await create(shape)] as const)),
);
context.writeTensor(input, mobileNetV2Input());
context.dispatch(graph, { input }, results);
const features = new Float32Array(await context.readTensor(results["features"]!));
console.log(JSON.stringify([...features]));
context.destroy();

/**
 * Reads a file into one array: `Deno.readFile` lets its array grow, which takes twice as long. The reading begins at
 * once, on another thread, while this one opens the engine: an asynchronous open would wait until that is done.
 */
async function readWhole(path: string): Promise<Uint8Array<ArrayBuffer>> {
  using file = Deno.openSync(path);
  const whole = new Uint8Array(file.statSync().size);
  for (let at = 0; at < whole.byteLength;) at += await file.read(whole.subarray(at)) ?? whole.byteLength;
  return whole;
}
