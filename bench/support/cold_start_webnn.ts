/**
 * MobileNetV2 by this module, once, from nothing to the result, which is printed as JSON. Arguments: the weights, and the
 * folder of the compile cache if there is to be one.
 *
 * @module
 */
import { createContext } from "@webnn/deno";
import "@webnn/deno/polyfill";
import { buildMobileNetV2 } from "../../examples/mobilenetv2.ts";
import { parseSafetensors } from "../../examples/safetensors.ts";
import { mobileNetV2Input } from "./mobilenetv2_input.ts";
import { readFileOnce } from "./read_file.ts";

const [weights, cacheDirectory] = Deno.args as [string, string?];
const opening = createContext(cacheDirectory === undefined ? {} : { cacheDirectory });
const tensors = parseSafetensors(readFileOnce(weights)); // While another thread makes ONNX Runtime's environment.
const context = await opening;
const { graph, inputs, outputs } = await buildMobileNetV2(context, tensors, { layout: "nchw" });
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
