/**
 * ONNX Runtime alone, called by the same FFI on the same graph. The difference to WebNN's time is the cost of the API.
 *
 * @module
 */
import { cString, type Pointer } from "../../ffi/memory.ts";
import { lower } from "../../src/backends/onnxruntime/lower.ts";
import { createSession } from "../../src/backends/onnxruntime/model.ts";
import type { OrtRuntime } from "../../src/backends/onnxruntime/runtime.ts";
import { createSessionOptions } from "../../src/backends/onnxruntime/session_options.ts";
import { OrtTensor } from "../../src/backends/onnxruntime/tensor.ts";
import type { NamedValue } from "../../src/graph/graph.ts";
import type { CapturedGraph } from "./capture.ts";

/** A lowered graph, from which sessions are created. */
export interface RawEngine {
  /** Creates a session: the engine's part of a build. */
  createSession(): Promise<RawSession>;
}

/** A session. Call `bind` before `run`. */
export interface RawSession {
  /** Binds tensors for the graph's inputs and outputs. */
  bind(): void;
  /** Runs on the calling thread. */
  run(): void;
  /** Runs on another thread, in a nonblocking call. */
  runAsync(): Promise<void>;
  /** Copies an output. */
  read(output: string, into: Float32Array): void;
  release(): void;
}

/**
 * Lowers a graph to a model, creates tensors for its inputs and outputs, and fills the inputs.
 *
 * @param options of the sessions; by default those of this module
 */
export async function createRawEngine(
  captured: CapturedGraph,
  inputs: Record<string, Float32Array>,
  options: Pointer = createSessionOptions(captured.runtime, captured),
): Promise<RawEngine> {
  const { runtime, graph } = captured;
  const { api } = runtime;
  const onnx = lower(graph);
  const inputTensors = await createTensors(runtime, graph.inputs);
  const outputTensors = await createTensors(runtime, graph.outputs);
  graph.inputs.forEach(({ name }, i) => inputTensors[i]!.write(bytesOf(inputs[name]!)));

  function bindTensors(session: Pointer): Pointer {
    const binding = api.CreateIoBinding(session);
    inputTensors.forEach(({ value }, i) => api.BindInput(binding, cString(onnx.inputs[i]!.name), value));
    outputTensors.forEach(({ value }, i) => api.BindOutput(binding, cString(onnx.outputs[i]!.name), value));
    return binding;
  }

  return {
    async createSession() {
      const session = await createSession(runtime, onnx, options);
      let binding: Pointer | undefined;
      return {
        bind: () => void (binding = bindTensors(session)),
        run: () => api.RunWithBinding(session, null, binding!),
        runAsync: () => api.RunWithBindingAsync(session, null, binding!),
        read: (output, into) => bytesOf(into).set(outputTensors[indexOf(graph.outputs, output)]!.read()),
        release: () => {
          if (binding) api.ReleaseIoBinding(binding);
          api.ReleaseSession(session);
        },
      };
    },
  };
}

function createTensors(runtime: OrtRuntime, values: readonly NamedValue[]): Promise<OrtTensor[]> {
  return Promise.all(values.map(({ value }) => OrtTensor.create(runtime, value)));
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function indexOf(values: readonly NamedValue[], wanted: string): number {
  return values.findIndex(({ name }) => name === wanted);
}
