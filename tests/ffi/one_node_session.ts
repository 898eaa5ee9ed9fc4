/** Graphs with one node, by the functions of ffi/ only: `c = op(a, b)` on square float32 matrices. */
import { cString, int64Array, view } from "../../ffi/memory.ts";
import type { Pointer } from "../../ffi/memory.ts";
import { ElementType, LoggingLevel } from "../../ffi/onnxruntime/enums.ts";
import type { OnnxRuntime } from "../../ffi/onnxruntime/library.ts";
import { onnxFile } from "../support/onnx_writer.ts";

/** A session with its values bound, and views of their elements. */
export interface BoundSession {
  readonly session: Pointer;
  readonly binding: Pointer;
  readonly values: Record<"a" | "b" | "c", Float32Array>;
  /** Releases everything. */
  release(): void;
}

/** Builds a session for one node of type `operator` on matrices of `size` rows, and binds new values to it. */
export async function bindOneNode(runtime: OnnxRuntime, operator: string, size: number): Promise<BoundSession> {
  const { api } = runtime;
  const env = api.CreateEnv(LoggingLevel.FATAL, cString("ffi test"));
  const session = await createSession(runtime, env, operator, size);
  const binding = api.CreateIoBinding(session);
  const allocator = api.GetAllocatorWithDefaultOptions();
  const bind = (name: string) => {
    const value = api.CreateTensorAsOrtValue(allocator, int64Array([size, size]), 2, ElementType.float32);
    (name === "c" ? api.BindOutput : api.BindInput)(binding, cString(name), value);
    const elements = new Float32Array(view(api.GetTensorMutableData(value), 4 * size * size));
    api.ReleaseValue(value); // The binding holds it.
    return elements;
  };
  return {
    session,
    binding,
    values: { a: bind("a"), b: bind("b"), c: bind("c") },
    release() {
      api.ReleaseIoBinding(binding);
      api.ReleaseSession(session);
      api.ReleaseEnv(env);
    },
  };
}

async function createSession(
  { api, modelEditor }: OnnxRuntime,
  env: Pointer,
  operator: string,
  size: number,
): Promise<Pointer> {
  const port = (name: string) => ({ name, shape: [size, size] });
  const model = onnxFile({
    inputs: [port("a"), port("b")],
    outputs: [port("c")],
    nodes: [{ op: operator, inputs: ["a", "b"], outputs: ["c"] }],
  });
  const options = api.CreateSessionOptions();
  try {
    const session = modelEditor.CreateModelEditorSessionFromArray(env, model, model.byteLength, options);
    await modelEditor.FinalizeModelEditorSessionAsync(session, options, null);
    return session;
  } finally {
    api.ReleaseSessionOptions(options);
  }
}
