/**
 * ONNX models of one input and one output, both float32, run by this module or, to compare, by WebAssembly.
 *
 * @module
 */
import type { MLContext } from "@webnn/deno";
import { loadOnnx } from "@webnn/deno/onnx";

/** A network that takes any shape that its model allows. */
export interface OnnxNetwork {
  run(data: Float32Array, shape: readonly number[]): Promise<Float32Array>;
  /** Frees it. */
  close(): Promise<void>;
}

/** What runs networks. */
export interface Engine {
  /** What it is, with its version and threads. */
  title: string;
  /** Makes a network of an .onnx file. */
  open(file: Uint8Array): Promise<OnnxNetwork>;
}

/** Runs networks on a context of WebNN. The context stays the caller's. */
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
 * Runs networks by onnxruntime-web's WebAssembly, on one thread. Its module is imported by a computed name: Deno fetches
 * what a literal one names, 140 MB here, before the program starts, whether it is needed or not.
 */
export async function webAssemblyEngine(): Promise<Engine> {
  const file = "./onnxruntime_web.ts";
  const { engine }: typeof import("./onnxruntime_web.ts") = await import(import.meta.resolve(file));
  return engine;
}
