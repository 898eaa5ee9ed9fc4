/**
 * A context's device on Core ML.
 *
 * @module
 */

import type { Pointer } from "../../../ffi/memory.ts";
import { plannedDevices } from "../../../ffi/objc/compute_plan.ts";
import { ComputeUnits, type CoreML, Hint } from "../../../ffi/objc/core_ml.ts";
import type { Graph } from "../../graph/graph.ts";
import type { DeviceLimits } from "../../graph/limits.ts";
import type { Selection } from "../../options.ts";
import type { Descriptor } from "../../shape.ts";
import { type Device, type DeviceInfo, type FileRange, readRange } from "../backend.ts";
import { checkMemory } from "../common/memory.ts";
import { hardwareThreads } from "../common/processors.ts";
import { ConstantBlock } from "./constant_block.ts";
import { encodeProgram } from "./encoder.ts";
import { CoreMLExecutable } from "./executable.ts";
import { COREML_LIMITS } from "./limits.ts";
import { lower, type LoweredProgram } from "./lower.ts";
import type { LowerOptions } from "./mil_writer.ts";
import { type ModelCache, openModelCache } from "./model_cache.ts";
import { CoreMLTensor } from "./tensor.ts";

/** The compute units that a model may use, by the kind of device. */
const UNITS = {
  cpu: ComputeUnits.cpuOnly,
  npu: ComputeUnits.cpuAndNeuralEngine,
  gpu: ComputeUnits.all, // The GPU alone has crashed in Chromium.
} as const;

/** The devices in these compute units, preferred ones first. */
const PREFERENCES = { cpu: ["cpu"], npu: ["npu", "cpu"], gpu: ["gpu", "npu", "cpu"] } as const;

/** The settings of a device: the options that Core ML supports, and the folder of compiled models. */
export type DeviceSettings =
  & Pick<Selection, "allowReducedPrecision" | "cacheSizeLimit">
  & Required<Pick<Selection, "cacheDirectory" | "device">>;

/** Core ML with some of the machine's compute units. */
export class CoreMLDevice implements Device {
  readonly info: DeviceInfo;
  readonly accelerated: boolean;
  readonly limits: DeviceLimits = COREML_LIMITS;
  /** Core ML falls back to other devices or reports an error; it is never lost. */
  readonly lost: Promise<string> = new Promise(() => {});
  readonly #lowering: LowerOptions;
  /** The MLModelConfiguration. */
  readonly #configuration: Pointer;
  readonly #cache: ModelCache;
  #aborted = false;

  constructor(readonly coreML: CoreML, readonly settings: DeviceSettings) {
    const device = PREFERENCES[settings.device].find((kind) => coreML.devices.includes(kind)) ?? "cpu";
    const threads = hardwareThreads();
    this.info = { backend: "coreml", device, provider: "coreml", version: coreML.version, threads };
    this.accelerated = device !== "cpu";
    const { allowReducedPrecision, cacheDirectory, cacheSizeLimit } = settings;
    this.#lowering = { specificationVersion: parseInt(coreML.version) >= 15 ? 9 : 8, float16: allowReducedPrecision };
    this.#cache = openModelCache(coreML, cacheDirectory, cacheSizeLimit);
    this.#configuration = createConfiguration(coreML, settings);
  }

  checkMemory(bytes: number): void {
    checkMemory(bytes);
  }

  createTensor(descriptor: Descriptor): CoreMLTensor {
    return new CoreMLTensor(this.coreML, descriptor);
  }

  store(contents: Uint8Array | FileRange): ConstantBlock {
    return new ConstantBlock(contents instanceof Uint8Array ? contents : readRange(contents));
  }

  async compile(graph: Graph<ConstantBlock>): Promise<CoreMLExecutable> {
    try {
      const lowered = lower(graph, this.#lowering);
      const encoded = encodeProgram(lowered.program);
      const load = (path: string) => this.#load(path, lowered, encoded.weights.byteLength);
      return await this.#cache.open(encoded, load);
    } finally {
      for (const { block, shared } of graph.constants) if (!shared) block.release();
    }
  }

  /** A prediction in flight continues; a compilation stops before its next step. */
  abort(): void {
    this.#aborted = true;
  }

  close(): void {
    this.coreML.runtime.release(this.#configuration);
  }

  async #load(path: string, lowered: LoweredProgram, weightBytes: number): Promise<CoreMLExecutable> {
    if (this.#aborted) throw new Error("The context is lost");
    const { foundation, messages, runtime } = this.coreML;
    const model = await runtime.pooled(() =>
      messages.loadModel(runtime.retain, foundation.fileUrl(path), this.#configuration)
    );
    try {
      return new CoreMLExecutable(this.coreML, model, await this.#devicesOf(path), lowered, weightBytes);
    } catch (error) {
      runtime.release(model);
      throw error;
    }
  }

  async #devicesOf(path: string): Promise<readonly string[]> {
    const { device } = this.settings;
    if (device === "cpu") return ["cpu"];
    const planned = await plannedDevices(this.coreML, path, this.#configuration).catch(() => undefined);
    if (planned && planned.length > 0) return planned;
    return PREFERENCES[device].filter((kind) => this.coreML.devices.includes(kind));
  }
}

function createConfiguration(
  { messages, runtime }: CoreML,
  { allowReducedPrecision, device }: DeviceSettings,
): Pointer {
  return runtime.pooled(() => {
    const configuration = messages.newConfiguration();
    try {
      messages.setComputeUnits(configuration, UNITS[device]);
      messages.setAllowLowPrecision(configuration, allowReducedPrecision);
      const hints = messages.newHints?.();
      if (hints) {
        messages.setReshapeFrequency?.(hints, Hint.infrequentReshape);
        messages.setSpecialization?.(hints, Hint.fastPrediction);
        messages.setOptimizationHints?.(configuration, hints);
        runtime.release(hints);
      }
      return configuration;
    } catch (error) {
      runtime.release(configuration);
      throw error;
    }
  });
}
