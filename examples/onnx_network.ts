/**
 * ONNX models with one float32 input and one float32 output, run by this module or, for comparison, by WebAssembly.
 *
 * @module
 */
import type { MLContext } from "@webnn/deno";
import { loadOnnx } from "@webnn/deno/onnx";

/** A loaded model. It accepts all shapes that the model allows. */
export interface OnnxNetwork {
  run(data: Float32Array, shape: readonly number[]): Promise<Float32Array>;
  /** Frees the network. */
  close(): Promise<void>;
}

/** An engine that runs networks. */
export interface Engine {
  /** Its name, with version and threads. */
  title: string;
  /** Opens the network of an .onnx file. */
  open(file: Uint8Array): Promise<OnnxNetwork>;
}

/** An engine that runs networks on a WebNN context. The caller destroys the context. */
export function webnnEngine(context: MLContext, title: string): Engine {
  return {
    title,
    async open(file) {
      const model = await loadOnnx(file, { context });
      const [input, output] = [model.inputs[0]!.name, model.outputs[0]!.name];
      return {
        async run(data, shape) {
          const results = await model.run({ [input]: { data, shape } });
          return results[output]!.data as Float32Array;
        },
        close() {
          model.dispose();
          return Promise.resolve();
        },
      };
    },
  };
}

/**
 * An engine that runs networks with onnxruntime-web's WebAssembly, on one thread. The module's name is computed, because
 * Deno downloads the packages of a literal import (140 MB) before the program starts, even if it is never reached.
 */
export async function webAssemblyEngine(): Promise<Engine> {
  const file = "./onnxruntime_web.ts";
  const { engine }: typeof import("./onnxruntime_web.ts") = await import(import.meta.resolve(file));
  return engine;
}
