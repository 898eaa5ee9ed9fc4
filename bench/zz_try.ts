import "@webnn/deno/polyfill";
import { MODELS } from "../tests/clients/onnxruntime_web/models.ts";
import * as ort from "onnxruntime-web/jspi";
ort.env.wasm.numThreads = 1;
const m = MODELS.find((m) => m.name.includes("alexa"))!;
const s = await ort.InferenceSession.create(Deno.readFileSync(m.path), {
  executionProviders: [Deno.args[0]!],
  logSeverityLevel: 3,
});
const feed = () => ({ [s.inputNames[0]!]: new ort.Tensor("float32", new Float32Array(16 * 96), [1, 16, 96]) });
setInterval(() => console.log("tick"), 500);
const r = await Promise.allSettled([s.run(feed()), s.run(feed())]);
console.log(r.map((x) => x.status));
Deno.exit();
