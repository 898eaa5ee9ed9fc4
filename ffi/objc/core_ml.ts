/**
 * Core ML.
 *
 * @see https://developer.apple.com/documentation/coreml
 * @module
 */

import { LibraryError, readEnvironment } from "../library.ts";
import { cString, type Pointer, readCString } from "../memory.ts";
import { call } from "./call.ts";
import { createFiles, type Files } from "./files.ts";
import { createFoundation, type Foundation } from "./foundation.ts";
import { openFrameworks, type Symbols } from "./frameworks.ts";
import {
  bindMessages,
  completion,
  failableInitializer,
  initializer,
  message,
  type Messages,
  optional,
  type Services,
} from "./messages.ts";
import { type AllocatePages, createPages } from "./pages.ts";
import { createRuntime, type Runtime } from "./runtime.ts";

/** MLComputeUnits: the devices that a model may use. */
export const ComputeUnits = { cpuOnly: 0, cpuAndGpu: 1, all: 2, cpuAndNeuralEngine: 3 } as const;

/** MLMultiArrayDataType. */
export const MultiArrayDataType = { fp16: 65552, fp32: 65568, int32: 131104 } as const;

/** MLReshapeFrequencyHint, MLSpecializationStrategy. */
export const Hint = { infrequentReshape: 1, fastPrediction: 1 } as const;

const CORE_ML = {
  compileModel: completion("+[MLModel compileModelAtURL:completionHandler:]", "object package"),
  loadModel: completion(
    "+[MLModel loadContentsOfURL:configuration:completionHandler:]",
    "object compiled_model",
    "object configuration",
  ),
  predict: completion(
    "-[MLModel predictionFromFeatures:options:completionHandler:]",
    "object features",
    "object options",
  ),

  newConfiguration: message("object", "+[MLModelConfiguration new]"),
  setComputeUnits: message("void", "-[MLModelConfiguration setComputeUnits:]", "i64 units"),
  setAllowLowPrecision: message(
    "void",
    "-[MLModelConfiguration setAllowLowPrecisionAccumulationOnGPU:]",
    "bool allow",
  ),
  // macOS 14.4, macOS 15
  newHints: optional(message("object", "+[MLOptimizationHints new]")),
  setOptimizationHints: optional(message("void", "-[MLModelConfiguration setOptimizationHints:]", "object hints")),
  setReshapeFrequency: optional(message("void", "-[MLOptimizationHints setReshapeFrequency:]", "i64 frequency")),
  setSpecialization: optional(message("void", "-[MLOptimizationHints setSpecializationStrategy:]", "i64 strategy")),

  // We own the memory, so there is no deallocator.
  initMultiArray: failableInitializer(
    "-[MLMultiArray initWithDataPointer:shape:dataType:strides:deallocator:error:]",
    "object data",
    "object shape",
    "i64 data_type",
    "object strides",
    "nullable deallocator",
  ),
  dataPointer: message("object", "-[MLMultiArray dataPointer]"),
  dataType: message("i64", "-[MLMultiArray dataType]"),
  shape: message("object", "-[MLMultiArray shape]"),
  strides: message("object", "-[MLMultiArray strides]"), // in elements
  featureValue: message("object", "+[MLFeatureValue featureValueWithMultiArray:]", "object array"),
  multiArrayValue: message("nullable", "-[MLFeatureValue multiArrayValue]"),
  initFeatureProvider: failableInitializer("-[MLDictionaryFeatureProvider initWithDictionary:error:]", "object values"),
  // A prediction returns an object of another class with the same protocol, MLFeatureProvider.
  featureNamed: message("nullable", "-[MLDictionaryFeatureProvider featureValueForName:]", "object name"),
  initPredictionOptions: initializer("-[MLPredictionOptions init]"),
  setOutputBackings: message("void", "-[MLPredictionOptions setOutputBackings:]", "object backings"),

  // macOS 14.4: where operations run.
  loadPlan: optional(completion(
    "+[MLComputePlan loadContentsOfURL:configuration:completionHandler:]",
    "object compiled_model",
    "object configuration",
  )),
  modelStructure: optional(message("object", "-[MLComputePlan modelStructure]")),
  program: optional(message("nullable", "-[MLModelStructure program]")),
  functions: optional(message("object", "-[MLModelStructureProgram functions]")),
  block: optional(message("object", "-[MLModelStructureProgramFunction block]")),
  operations: optional(message("object", "-[MLModelStructureProgramBlock operations]")),
  deviceUsage: optional(message(
    "nullable",
    "-[MLComputePlan computeDeviceUsageForMLProgramOperation:]",
    "object operation",
  )),
  estimatedCost: optional(message(
    "nullable",
    "-[MLComputePlan estimatedCostOfMLProgramOperation:]",
    "object operation",
  )),
  preferredDevice: optional(message("object", "-[MLComputePlanDeviceUsage preferredComputeDevice]")),
  weight: optional(message("f64", "-[MLComputePlanCost weight]")),
};

/** Core ML. It stays open for the life of the process. */
export interface CoreML {
  readonly runtime: Runtime;
  readonly foundation: Foundation;
  readonly files: Files;
  readonly messages: Messages<typeof CORE_ML>;
  readonly allocate: AllocatePages;
  /** The version of macOS, such as "15.1". */
  readonly version: string;
  /** The build of macOS, such as "24B83". Compiled models are valid for one build only. */
  readonly build: string;
  /** The home folder of the user, or of the sandbox. */
  readonly homeFolder: string;
  /** The kinds of devices that this machine has. */
  readonly devices: readonly DeviceKind[];
}

const opened = new Map<string | undefined, CoreML>();

/**
 * Opens Core ML, once per library.
 *
 * @param library a library that replaces the system's, for tests; by default that in WEBNN_COREML_FRAMEWORK
 * @throws {LibraryError} if there is none, or it lacks a required method
 */
export function openCoreMLFramework(library?: string): CoreML {
  const path = library ?? readEnvironment("WEBNN_COREML_FRAMEWORK");
  const coreML = opened.get(path) ?? open(path);
  opened.set(path, coreML);
  return coreML;
}

function open(library: string | undefined): CoreML {
  const symbols = openFrameworks(library);
  const version = systemControl(symbols, "kern.osproductversion");
  if (parseInt(version) < 14) throw new LibraryError(`Core ML of macOS ${version} is too old; use macOS 14 or newer`);
  const runtime = createRuntime(symbols);
  return runtime.pooled(() => {
    const foundation = createFoundation(runtime);
    const services: Services = { runtime, toError: foundation.error };
    const listDevices = call(symbols.MLAllComputeDevices, [], "pointer");
    const homeDirectory = call(symbols.NSHomeDirectory, [], "pointer");
    return {
      runtime,
      foundation,
      homeFolder: foundation.text(homeDirectory()),
      devices: devicesOf(listDevices(), foundation, runtime),
      files: createFiles(services, foundation),
      messages: bindMessages(CORE_ML, services),
      allocate: createPages(symbols),
      version,
      build: systemControl(symbols, "kern.osversion"),
    };
  });
}

/** A kind of device. */
export type DeviceKind = "cpu" | "gpu" | "npu";

const KINDS: readonly (readonly [className: string, kind: DeviceKind])[] = [
  ["NeuralEngine", "npu"],
  ["GPU", "gpu"],
  ["CPU", "cpu"],
];

/** The kind of a device, by the name of its class; `undefined` for classes that do not exist yet. */
export function kindOf(className: string): DeviceKind | undefined {
  return KINDS.find(([part]) => className.includes(part))?.[1];
}

function devicesOf(list: Deno.PointerValue, { objects }: Foundation, { classNameOf }: Runtime): DeviceKind[] {
  const kinds = list === null ? [] : objects(list).map((device) => kindOf(classNameOf(device)));
  return [...new Set(kinds)].filter((kind) => kind !== undefined);
}

/** A text value of the kernel. */
function systemControl({ sysctlbyname }: Symbols, name: string): string {
  // name, oldp, oldlenp, newp, newlen
  const read = call(sysctlbyname, ["buffer", "buffer", "buffer", "pointer", "usize"], "i32");
  const text = new Uint8Array(256);
  const length = BigUint64Array.of(BigInt(text.byteLength));
  if (read(cString(name), text, length, null, 0n) !== 0) throw new LibraryError(`The system did not return ${name}`);
  return readCString(Deno.UnsafePointer.of(text));
}

/** Whether two pointers are equal, and not null. */
export function isSame(a: Deno.PointerValue, b: Pointer): boolean {
  return a !== null && Deno.UnsafePointer.equals(a, b);
}
