/**
 * Runs MobileNetV2 with the npm package onnxruntime-node once, and prints the result as JSON. Argument: the model.
 *
 * @module
 */
import { InferenceSession, Tensor } from "onnxruntime-node";
import { mobileNetV2Input } from "./mobilenetv2_input.ts";

const session = await InferenceSession.create(Deno.args[0]!);
const input = new Tensor("float32", mobileNetV2Input(), [1, 3, 224, 224]);
const results = await session.run({ [session.inputNames[0]!]: input });
console.log(JSON.stringify([...results[session.outputNames[0]!]!.data as Float32Array]));
await session.release();
