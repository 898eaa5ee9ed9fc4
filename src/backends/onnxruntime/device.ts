/**
 * A context's device on ONNX Runtime: the CPU.
 *
 * @module
 */

import type { Pointer } from "../../../ffi/memory.ts";
import { OrtError } from "../../../ffi/onnxruntime/table.ts";
import type { Graph } from "../../graph/graph.ts";
import type { DeviceLimits } from "../../graph/limits.ts";
import type { Descriptor } from "../../shape.ts";
import type { Device, DeviceInfo } from "../backend.ts";
import { estimateMicroseconds } from "./cost.ts";
import { OrtExecutable } from "./executable.ts";
import { CPU_LIMITS } from "./limits.ts";
import { lower } from "./lower.ts";
import { checkGraphMemory } from "./memory_budget.ts";
import { createModel } from "./model.ts";
import { NativeBlock } from "./native_block.ts";
import type { OrtRuntime } from "./runtime.ts";
import { createSessionOptions } from "./session_options.ts";
import { OrtTensor } from "./tensor.ts";

/** The CPU. */
export class OrtDevice implements Device {
  readonly info: DeviceInfo;
  readonly accelerated = false;
  readonly limits: DeviceLimits = CPU_LIMITS;
  /** A CPU does not go away. */
  readonly lost: Promise<string> = new Promise(() => {});
  /** Of every run that is in flight: one at a time, as the timeline has it. */
  readonly #runOptions: Pointer;
  #options: Pointer;

  constructor(readonly runtime: OrtRuntime, threads: number) {
    this.info = { backend: "onnxruntime", device: "cpu", version: runtime.version, threads };
    this.#runOptions = runtime.api.CreateRunOptions();
    try {
      this.#options = createSessionOptions(runtime, threads);
    } catch (error) {
      runtime.api.ReleaseRunOptions(this.#runOptions);
      throw error;
    }
  }

  createTensor(descriptor: Descriptor): OrtTensor | Promise<OrtTensor> {
    return OrtTensor.create(this.runtime, descriptor);
  }

  store(bytes: Uint8Array): NativeBlock {
    return NativeBlock.copy(this.runtime, bytes);
  }

  async compile(graph: Graph<NativeBlock>): Promise<OrtExecutable> {
    const borrowed = graph.constants.filter(({ shared }) => shared).map(({ block }) => block);
    for (const block of borrowed) block.retain();
    try {
      checkGraphMemory(graph);
      const onnx = lower(graph);
      const session = await this.#createSession(createModel(this.runtime, onnx));
      const signature = {
        inputs: onnx.inputs.map(({ name }) => name),
        outputs: onnx.outputs.map(({ name }) => name),
      };
      const owned = graph.constants.filter(({ shared }) => !shared);
      const weightBytes = owned.reduce((total, { block }) => total + block.byteLength, 0);
      const microseconds = estimateMicroseconds(graph);
      return new OrtExecutable(this.runtime, session, this.#runOptions, signature, borrowed, weightBytes, microseconds);
    } catch (error) {
      for (const block of borrowed) block.release();
      throw error;
    } finally {
      // Those that the model took are no longer theirs; the rest were copied, or never came to it.
      for (const { block, shared } of graph.constants) if (!shared) block.release();
    }
  }

  abort(): void {
    try {
      this.runtime.api.RunOptionsSetTerminate(this.#runOptions);
      this.runtime.api.SessionOptionsSetLoadCancellationFlag(this.#options, true);
    } catch {
      // What cannot be stopped ends by itself.
    }
  }

  close(): void {
    this.runtime.api.ReleaseRunOptions(this.#runOptions);
    this.runtime.api.ReleaseSessionOptions(this.#options);
  }

  async #createSession(model: Pointer): Promise<Pointer> {
    const { api, env, modelEditor } = this.runtime;
    try {
      return await modelEditor.CreateSessionFromModelAsync(env, model, this.#options);
    } catch (error) {
      if (!isMissingPool(error)) throw error;
      this.#usePoolsOfSessions();
      return await modelEditor.CreateSessionFromModelAsync(env, model, this.#options);
    } finally {
      api.ReleaseModel(model);
    }
  }

  /** The environment of the process was made by others, without a pool: each session gets its own. */
  #usePoolsOfSessions(): void {
    this.runtime.poolThreads = 0;
    const options = createSessionOptions(this.runtime, this.info.threads);
    this.runtime.api.ReleaseSessionOptions(this.#options);
    this.#options = options;
  }
}

function isMissingPool(error: unknown): boolean {
  return error instanceof OrtError && error.message.includes("CreateEnvWithGlobalThreadPools");
}
