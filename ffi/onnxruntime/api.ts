/**
 * The C API of ONNX Runtime: every function that the module uses, by its index in the library's table.
 *
 * Handles are "pointer". Strings, arrays and out-parameters are "buffer", a typed array. Indices never change, because
 * the tables only grow at the end.
 *
 * @module
 */

import { readCString } from "../memory.ts";
import {
  CAPTURE_API,
  CAPTURE_API_VERSION,
  DEVICE_API,
  DEVICE_API_VERSION,
  type OrtCaptureApi,
  type OrtDeviceApi,
} from "./device_api.ts";
import { bindTable, type Functions, handle, nonblocking, OrtError, plain, type Services, status } from "./table.ts";

/** The oldest version of the API that has all functions below: that of ONNX Runtime 1.22. */
export const API_VERSION = 22;

/** Rows of `OrtApi`. */
export const ORT_API = {
  // Status: used by `unwrap` only.
  GetErrorCode: plain("i32", 1, "pointer status"),
  GetErrorMessage: plain("pointer", 2, "pointer status"), // a C string that the status owns
  ReleaseStatus: plain("void", 93, "pointer status"),

  // Environment: one per process, reference-counted. The first one determines the global thread pool.
  CreateEnv: handle(3, "i32 log_severity_level", "buffer logid"),
  CreateEnvWithGlobalThreadPools: handle(119, "i32 log_severity_level", "buffer logid", "pointer tp_options"), // both copied
  ReleaseEnv: plain("void", 92, "pointer env"),
  DisableTelemetryEvents: status(6, "pointer env"),
  CreateThreadingOptions: handle(121),
  ReleaseThreadingOptions: plain("void", 122, "pointer tp_options"),
  SetGlobalIntraOpNumThreads: status(147, "pointer tp_options", "i32 intra_op_num_threads"),
  SetGlobalInterOpNumThreads: status(148, "pointer tp_options", "i32 inter_op_num_threads"),
  SetGlobalSpinControl: status(149, "pointer tp_options", "i32 allow_spinning"),
  GetAvailableProviders: status(125, "buffer out_ptr", "buffer provider_length"), // char***, int*
  ReleaseAvailableProviders: status(126, "pointer ptr", "i32 providers_length"),
  GetBuildInfoString: plain("pointer", 254), // a C string

  // Session options: copied by the session. File names are wide on Windows: `pathString`.
  CreateSessionOptions: handle(10),
  CloneSessionOptions: handle(12, "pointer in_options"),
  ReleaseSessionOptions: plain("void", 100, "pointer options"),
  CreatePrepackedWeightsContainer: handle(166),
  ReleasePrepackedWeightsContainer: plain("void", 167, "pointer input"),
  SetOptimizedModelFilePath: status(11, "pointer options", "buffer optimized_model_filepath"),
  EnableProfiling: status(14, "pointer options", "buffer profile_file_prefix"),
  DisableMemPattern: status(17, "pointer options"),
  DisableCpuMemArena: status(19, "pointer options"),
  SetSessionLogSeverityLevel: status(22, "pointer options", "i32 session_log_severity_level"),
  SetSessionGraphOptimizationLevel: status(23, "pointer options", "i32 graph_optimization_level"),
  SetIntraOpNumThreads: status(24, "pointer options", "i32 intra_op_num_threads"),
  SetInterOpNumThreads: status(25, "pointer options", "i32 inter_op_num_threads"),
  DisablePerSessionThreads: status(120, "pointer options"),
  AddInitializer: status(150, "pointer options", "buffer name", "pointer val"), // val outlives the sessions
  AddSessionConfigEntry: status(130, "pointer options", "buffer config_key", "buffer config_value"),
  SessionOptionsAppendExecutionProvider: status(
    216,
    "pointer options",
    "buffer provider_name",
    "buffer provider_options_keys",
    "buffer provider_options_values",
    "usize num_keys",
  ),
  SessionOptionsSetLoadCancellationFlag: status(293, "pointer options", "bool cancel"),

  // Sessions. A session must not be released while it runs.
  CreateSession: handle(7, "pointer env", "buffer model_path", "pointer options"),
  CreateSessionFromArray: handle(8, "pointer env", "buffer model_data", "usize model_data_length", "pointer options"),
  // The length is passed as a pointer: `integerPointer`.
  CreateSessionFromArrayAsync: nonblocking.handle(
    8,
    "pointer env",
    "pointer model_data",
    "pointer model_data_length",
    "pointer options",
  ),
  ReleaseSession: plain("void", 95, "pointer session"),
  ReleaseSessionAsync: nonblocking.plain(95, "pointer session"),
  SessionGetInputCount: status(30, "pointer session", "buffer out"), // size_t*
  SessionGetOutputCount: status(31, "pointer session", "buffer out"), // size_t*
  SessionGetInputName: handle(36, "pointer session", "usize index", "pointer allocator"), // free with the allocator
  SessionEndProfilingAsync: nonblocking.handle(110, "pointer session", "pointer allocator"), // free with the allocator

  // Runs
  CreateRunOptions: handle(39),
  ReleaseRunOptions: plain("void", 97, "pointer options"),
  RunOptionsSetTerminate: status(46, "pointer options"), // stays until it is unset
  RunOptionsUnsetTerminate: status(47, "pointer options"),
  AddRunConfigEntry: status(165, "pointer options", "buffer config_key", "buffer config_value"),
  RunWithBinding: status(133, "pointer session", "pointer run_options", "pointer binding"),
  RunWithBindingAsync: nonblocking.status(133, "pointer session", "pointer run_options", "pointer binding"),

  // I/O bindings. They hold references to the values.
  CreateIoBinding: handle(134, "pointer session"),
  ReleaseIoBinding: plain("void", 135, "pointer binding"),
  BindInput: status(136, "pointer binding", "buffer name", "pointer value"),
  BindOutput: status(137, "pointer binding", "buffer name", "pointer value"),
  ClearBoundInputs: plain("void", 141, "pointer binding"),
  ClearBoundOutputs: plain("void", 142, "pointer binding"),

  // Memory
  GetAllocatorWithDefaultOptions: handle(78), // shared, never to be released
  AllocatorAlloc: handle(75, "pointer allocator", "usize size"), // aligned to 64 bytes, not zeroed
  AllocatorFree: status(76, "pointer allocator", "pointer p"),
  CreateCpuMemoryInfo: handle(69, "i32 type", "i32 mem_type"),
  ReleaseMemoryInfo: plain("void", 94, "pointer info"),

  // Values: that allocate memory (not zeroed); that borrow memory; that take over memory.
  CreateTensorAsOrtValue: handle(48, "pointer allocator", "buffer shape", "usize shape_len", "i32 type"),
  CreateTensorWithDataAsOrtValue: handle(
    49,
    "pointer info",
    "pointer p_data",
    "usize p_data_len",
    "buffer shape",
    "usize shape_len",
    "i32 type",
  ),
  CreateTensorWithDataAndDeleterAsOrtValue: handle(
    292,
    "pointer deleter", // the allocator that the memory came from
    "pointer p_data",
    "usize p_data_len",
    "buffer shape",
    "usize shape_len",
    "i32 type",
  ),
  GetTensorMutableData: handle(51, "pointer value"), // the address of the elements
  CreateValue: handle(82, "buffer in", "usize num_values", "i32 value_type"), // refers to the values
  ReleaseValue: plain("void", 96, "pointer value"),

  // Types
  CreateTensorTypeAndShapeInfo: handle(57),
  SetTensorElementType: status(58, "pointer info", "i32 type"),
  SetDimensions: status(59, "pointer info", "buffer dim_values", "usize dim_count"), // never null: `int64Array`
  ReleaseTensorTypeAndShapeInfo: plain("void", 99, "pointer info"),
  ReleaseTypeInfo: plain("void", 98, "pointer type_info"),

  // Parts of a graph. Adding a part passes ownership; release only parts that were not added.
  ReleaseValueInfo: plain("void", 285, "pointer value_info"),
  ReleaseGraph: plain("void", 287, "pointer graph"),
  ReleaseModel: plain("void", 288, "pointer model"),
  GetModelEditorApi: plain("pointer", 291), // null in a minimal build
};

/** Rows of `OrtModelEditorApi`. "taken" means that ownership passes, on success only. */
export const MODEL_EDITOR_API = {
  CreateTensorTypeInfo: handle(0, "pointer tensor_info"), // copied
  CreateValueInfo: handle(5, "buffer name", "pointer type_info"), // copied
  CreateGraph: handle(7),
  SetGraphInputs: status(8, "pointer graph", "buffer inputs", "usize inputs_len"), // inputs taken
  SetGraphOutputs: status(9, "pointer graph", "buffer outputs", "usize outputs_len"), // outputs taken
  // tensor taken
  AddInitializerToGraph: status(10, "pointer graph", "buffer name", "pointer tensor", "bool data_is_external"),
  CreateModel: handle(12, "buffer domain_names", "buffer opset_versions", "usize opset_entries_len"), // int32_t*
  AddGraphToModel: status(13, "pointer model", "pointer graph"), // graph taken
  // A session created in three steps. It cannot run before the last one. If a step fails, release it.
  CreateModelEditorSessionFromArray: handle(
    16,
    "pointer env",
    "buffer model_data",
    "usize model_data_length",
    "pointer options",
  ),
  // The length as a pointer: `integerPointer`.
  CreateModelEditorSessionFromArrayAsync: nonblocking.handle(
    16,
    "pointer env",
    "pointer model_data",
    "pointer model_data_length",
    "pointer options",
  ),
  // Replaces the inputs and outputs of the session's graph, and adds initializers.
  ApplyModelToModelEditorSession: status(18, "pointer session", "pointer model"),
  ApplyModelToModelEditorSessionAsync: nonblocking.status(18, "pointer session", "pointer model"),
  FinalizeModelEditorSession: status(
    19,
    "pointer session",
    "pointer options",
    "pointer prepacked_weights_container", // may be null
  ),
  FinalizeModelEditorSessionAsync: nonblocking.status(
    19,
    "pointer session",
    "pointer options",
    "pointer prepacked_weights_container",
  ),
};

/** The functions of `OrtApi`. */
export type OrtApi = Functions<typeof ORT_API>;

/** The functions of `OrtModelEditorApi`. */
export type OrtModelEditorApi = Functions<typeof MODEL_EDITOR_API>;

/** The tables of an open library. */
export interface OrtTables {
  readonly api: OrtApi;
  readonly modelEditor: OrtModelEditorApi;
  /** Functions for devices other than the CPU; absent in older libraries. */
  readonly deviceApi: OrtDeviceApi | undefined;
  /** Functions for captured runs; absent in older libraries. */
  readonly captureApi: OrtCaptureApi | undefined;
}

/**
 * Binds the tables of an open library. `table` is the result of its `GetApi`, and `version` the newest version it
 * supports. Null if the library was built without the Model Editor.
 */
export function bindApi(table: Deno.PointerObject, version: number): OrtTables | null {
  let allocator: Deno.PointerObject | undefined;
  const defaultAllocator = () => allocator ??= api.GetAllocatorWithDefaultOptions();
  const services: Services = {
    unwrap: (status) => unwrap(api, status),
    allocateCell: () => api.AllocatorAlloc(defaultAllocator(), 8),
    freeCell: (cell) => api.AllocatorFree(defaultAllocator(), cell),
  };
  const api: OrtApi = bindTable(table, ORT_API, services);
  const modelEditor = api.GetModelEditorApi();
  return modelEditor && {
    api,
    modelEditor: bindTable(modelEditor, MODEL_EDITOR_API, services),
    deviceApi: version >= DEVICE_API_VERSION ? bindTable(table, DEVICE_API, services) : undefined,
    captureApi: version >= CAPTURE_API_VERSION ? bindTable(table, CAPTURE_API, services) : undefined,
  };
}

/** Turns a status into an error: null is success; anything else is released and thrown. */
export function unwrap(api: OrtApi, status: Deno.PointerValue): void {
  if (status === null) return;
  const error = new OrtError(api.GetErrorCode(status), readCString(api.GetErrorMessage(status)));
  api.ReleaseStatus(status);
  throw error;
}
