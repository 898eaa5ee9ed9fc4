/**
 * Runs ONNX models with onnxruntime-web's WebAssembly, as a program without WebNN would.
 *
 * @module
 */
import { env, InferenceSession, Tensor } from "onnxruntime-web/jspi";
import type { Engine } from "./onnx_network.ts";

// Deno does not allow onnxruntime-web's way of starting threads: workers from blob: URLs.
env.wasm.numThreads = 1;

/** onnxruntime-web on one thread. */
export const engine: Engine = {
  title: `onnxruntime-web ${env.versions.web}, 1 thread`,
  async open(file) {
    const session = await InferenceSession.create(file, { executionProviders: ["wasm"], logSeverityLevel: 3 });
    const [input, output] = [session.inputNames[0]!, session.outputNames[0]!];
    return {
      async run(data, shape) {
        const results = await session.run({ [input]: new Tensor("float32", data, shape) });
        return results[output]!.data as Float32Array;
      },
      close: () => session.release(),
    };
  },
};
