/*
 * What the library has to know of ONNX Runtime: the kinds of objects, and one row for each function that the module
 * uses, under its name and position in the C API.
 */

#define KINDS(X)                                                                                                       \
  X(environment) X(threading_options) X(session_options) X(session) X(run_options) X(binding) X(memory) X(memory_info) \
  X(value) X(shape_info) X(type_info) X(value_info) X(graph) X(model) X(status)                                        \
  X(allocator) X(cuda_options) X(tensorrt_options) X(packed_weights)

/* The number of entries of each table in ONNX Runtime 1.30. */
typedef enum { API, EDITOR } Table;
enum { API_ENTRIES = 426, EDITOR_ENTRIES = 20, MAX_PARAMETERS = 10 };

/* What a function gives back. A status is an object too, unless it is null. */
typedef enum { PLAIN, STATUS, TABLE } Result;

/* What a function does with an object that is passed to it. Unlike a release, a transfer happens on success only. */
#define USE(kind) {ROLE_USE, kind}             /* must be live, as for all of the following */
#define BORROW(kind) {ROLE_BORROW, kind}       /* must stay live as long as what is made here */
#define TAKE(kind) {ROLE_TAKE, kind}           /* belongs to ONNX Runtime afterwards */
#define TAKE_LIST(kind) {ROLE_TAKE_LIST, kind} /* an array of them; the next parameter is its length */
#define FREE(kind) {ROLE_FREE, kind}           /* is released */
#define MAKE(kind) {ROLE_MAKE, kind}           /* an out-parameter: a new object of the caller's */
#define _ {ROLE_NONE, 0}                       /* no object, or one that is never released */

/* Table, position, name, result, parameters (trailing ones that are no objects are left out). */
#define FUNCTIONS(X)                                                                                                   \
  X(API, 1, GetErrorCode, PLAIN, USE(status))                                                                          \
  X(API, 2, GetErrorMessage, PLAIN, USE(status))                                                                       \
  X(API, 3, CreateEnv, STATUS, _, _, MAKE(environment))                                                                \
  X(API, 6, DisableTelemetryEvents, STATUS, USE(environment))                                                          \
  X(API, 7, CreateSession, STATUS, USE(environment), _, USE(session_options), MAKE(session))                           \
  X(API, 8, CreateSessionFromArray, STATUS, USE(environment), _, _, USE(session_options), MAKE(session))               \
  X(API, 10, CreateSessionOptions, STATUS, MAKE(session_options))                                                      \
  X(API, 11, SetOptimizedModelFilePath, STATUS, USE(session_options))                                                  \
  X(API, 12, CloneSessionOptions, STATUS, USE(session_options), MAKE(session_options))                                 \
  X(API, 14, EnableProfiling, STATUS, USE(session_options))                                                            \
  X(API, 17, DisableMemPattern, STATUS, USE(session_options))                                                          \
  X(API, 19, DisableCpuMemArena, STATUS, USE(session_options))                                                         \
  X(API, 22, SetSessionLogSeverityLevel, STATUS, USE(session_options))                                                 \
  X(API, 23, SetSessionGraphOptimizationLevel, STATUS, USE(session_options))                                           \
  X(API, 24, SetIntraOpNumThreads, STATUS, USE(session_options))                                                       \
  X(API, 25, SetInterOpNumThreads, STATUS, USE(session_options))                                                       \
  X(API, 30, SessionGetInputCount, STATUS, USE(session))                                                               \
  X(API, 31, SessionGetOutputCount, STATUS, USE(session))                                                              \
  X(API, 36, SessionGetInputName, STATUS, USE(session), _, _, MAKE(memory))                                            \
  X(API, 39, CreateRunOptions, STATUS, MAKE(run_options))                                                              \
  X(API, 46, RunOptionsSetTerminate, STATUS, USE(run_options))                                                         \
  X(API, 47, RunOptionsUnsetTerminate, STATUS, USE(run_options))                                                       \
  X(API, 48, CreateTensorAsOrtValue, STATUS, _, _, _, _, MAKE(value))                                                  \
  X(API, 49, CreateTensorWithDataAsOrtValue, STATUS, USE(memory_info), BORROW(memory), _, _, _, _, MAKE(value))        \
  X(API, 51, GetTensorMutableData, STATUS, USE(value))                                                                 \
  X(API, 57, CreateTensorTypeAndShapeInfo, STATUS, MAKE(shape_info))                                                   \
  X(API, 58, SetTensorElementType, STATUS, USE(shape_info))                                                            \
  X(API, 59, SetDimensions, STATUS, USE(shape_info))                                                                   \
  X(API, 69, CreateCpuMemoryInfo, STATUS, _, _, MAKE(memory_info))                                                     \
  X(API, 75, AllocatorAlloc, STATUS, _, _, MAKE(memory))                                                               \
  X(API, 76, AllocatorFree, STATUS, _, FREE(memory))                                                                   \
  X(API, 78, GetAllocatorWithDefaultOptions, STATUS, _)                                                                \
  X(API, 82, CreateValue, STATUS, _, _, _, MAKE(value))                                                                \
  X(API, 92, ReleaseEnv, PLAIN, FREE(environment))                                                                     \
  X(API, 93, ReleaseStatus, PLAIN, FREE(status))                                                                       \
  X(API, 94, ReleaseMemoryInfo, PLAIN, FREE(memory_info))                                                              \
  X(API, 95, ReleaseSession, PLAIN, FREE(session))                                                                     \
  X(API, 96, ReleaseValue, PLAIN, FREE(value))                                                                         \
  X(API, 97, ReleaseRunOptions, PLAIN, FREE(run_options))                                                              \
  X(API, 98, ReleaseTypeInfo, PLAIN, FREE(type_info))                                                                  \
  X(API, 99, ReleaseTensorTypeAndShapeInfo, PLAIN, FREE(shape_info))                                                   \
  X(API, 100, ReleaseSessionOptions, PLAIN, FREE(session_options))                                                     \
  X(API, 110, SessionEndProfiling, STATUS, USE(session), _, MAKE(memory))                                              \
  X(API, 119, CreateEnvWithGlobalThreadPools, STATUS, _, _, USE(threading_options), MAKE(environment))                 \
  X(API, 120, DisablePerSessionThreads, STATUS, USE(session_options))                                                  \
  X(API, 121, CreateThreadingOptions, STATUS, MAKE(threading_options))                                                 \
  X(API, 122, ReleaseThreadingOptions, PLAIN, FREE(threading_options))                                                 \
  X(API, 125, GetAvailableProviders, STATUS, _)                                                                        \
  X(API, 126, ReleaseAvailableProviders, STATUS, _)                                                                    \
  X(API, 130, AddSessionConfigEntry, STATUS, USE(session_options))                                                     \
  X(API, 131, CreateAllocator, STATUS, USE(session), USE(memory_info), MAKE(allocator))                                \
  X(API, 132, ReleaseAllocator, PLAIN, FREE(allocator))                                                                \
  X(API, 133, RunWithBinding, STATUS, USE(session), USE(run_options), USE(binding))                                    \
  X(API, 134, CreateIoBinding, STATUS, USE(session), MAKE(binding))                                                    \
  X(API, 135, ReleaseIoBinding, PLAIN, FREE(binding))                                                                  \
  X(API, 136, BindInput, STATUS, USE(binding), _, USE(value))                                                          \
  X(API, 137, BindOutput, STATUS, USE(binding), _, USE(value))                                                         \
  X(API, 141, ClearBoundInputs, PLAIN, USE(binding))                                                                   \
  X(API, 142, ClearBoundOutputs, PLAIN, USE(binding))                                                                  \
  X(API, 147, SetGlobalIntraOpNumThreads, STATUS, USE(threading_options))                                              \
  X(API, 148, SetGlobalInterOpNumThreads, STATUS, USE(threading_options))                                              \
  X(API, 149, SetGlobalSpinControl, STATUS, USE(threading_options))                                                    \
  X(API, 150, AddInitializer, STATUS, USE(session_options), _, USE(value))                                             \
  X(API, 165, AddRunConfigEntry, STATUS, USE(run_options))                                                             \
  X(API, 166, CreatePrepackedWeightsContainer, STATUS, MAKE(packed_weights))                                           \
  X(API, 167, ReleasePrepackedWeightsContainer, PLAIN, FREE(packed_weights))                                           \
  X(API, 170, SessionOptionsAppendExecutionProvider_TensorRT_V2, STATUS, USE(session_options), USE(tensorrt_options))  \
  X(API, 171, CreateTensorRTProviderOptions, STATUS, MAKE(tensorrt_options))                                           \
  X(API, 172, UpdateTensorRTProviderOptions, STATUS, USE(tensorrt_options))                                            \
  X(API, 174, ReleaseTensorRTProviderOptions, PLAIN, FREE(tensorrt_options))                                           \
  X(API, 204, SessionOptionsAppendExecutionProvider_CUDA_V2, STATUS, USE(session_options), USE(cuda_options))          \
  X(API, 205, CreateCUDAProviderOptions, STATUS, MAKE(cuda_options))                                                   \
  X(API, 206, UpdateCUDAProviderOptions, STATUS, USE(cuda_options))                                                    \
  X(API, 208, ReleaseCUDAProviderOptions, PLAIN, FREE(cuda_options))                                                   \
  X(API, 216, SessionOptionsAppendExecutionProvider, STATUS, USE(session_options))                                     \
  X(API, 254, GetBuildInfoString, PLAIN, _)                                                                            \
  X(API, 285, ReleaseValueInfo, PLAIN, FREE(value_info))                                                               \
  X(API, 287, ReleaseGraph, PLAIN, FREE(graph))                                                                        \
  X(API, 288, ReleaseModel, PLAIN, FREE(model))                                                                        \
  X(API, 291, GetModelEditorApi, TABLE, _)                                                                             \
  X(API, 292, CreateTensorWithDataAndDeleterAsOrtValue, STATUS, _, TAKE(memory), _, _, _, _, MAKE(value))              \
  X(API, 293, SessionOptionsSetLoadCancellationFlag, STATUS, USE(session_options))                                     \
  X(API, 297, GetKeyValue, PLAIN, _)                                                                                   \
  X(API, 301, RegisterExecutionProviderLibrary, STATUS, USE(environment))                                              \
  X(API, 303, GetEpDevices, STATUS, USE(environment))                                                                  \
  X(API, 304, SessionOptionsAppendExecutionProvider_V2, STATUS, USE(session_options), USE(environment))                \
  X(API, 307, HardwareDevice_Type, PLAIN, _)                                                                           \
  X(API, 308, HardwareDevice_VendorId, PLAIN, _)                                                                       \
  X(API, 309, HardwareDevice_Vendor, PLAIN, _)                                                                         \
  X(API, 310, HardwareDevice_DeviceId, PLAIN, _)                                                                       \
  X(API, 311, HardwareDevice_Metadata, PLAIN, _)                                                                       \
  X(API, 312, EpDevice_EpName, PLAIN, _)                                                                               \
  X(API, 313, EpDevice_EpVendor, PLAIN, _)                                                                             \
  X(API, 314, EpDevice_EpMetadata, PLAIN, _)                                                                           \
  X(API, 316, EpDevice_Device, PLAIN, _)                                                                               \
  X(API, 320, CreateMemoryInfo_V2, STATUS, _, _, _, _, _, _, _, MAKE(memory_info))                                     \
  X(API, 374, EpDevice_MemoryInfo, PLAIN, _)                                                                           \
  X(API, 386, CopyTensors, STATUS, USE(environment))                                                                   \
  X(API, 397, GetNumHardwareDevices, STATUS, USE(environment))                                                         \
  X(API, 398, GetHardwareDevices, STATUS, USE(environment))                                                            \
  X(API, 407, Session_GetEpGraphAssignmentInfo, STATUS, USE(session))                                                  \
  X(API, 408, EpAssignedSubgraph_GetEpName, STATUS, _)                                                                 \
  X(API, 409, EpAssignedSubgraph_GetNodes, STATUS, _)                                                                  \
  X(API, 410, EpAssignedNode_GetName, STATUS, _)                                                                       \
  X(API, 412, EpAssignedNode_GetOperatorType, STATUS, _)                                                               \
  X(API, 421, SessionReleaseCapturedGraph, STATUS, USE(session))                                                       \
  X(EDITOR, 0, CreateTensorTypeInfo, STATUS, USE(shape_info), MAKE(type_info))                                         \
  X(EDITOR, 5, CreateValueInfo, STATUS, _, USE(type_info), MAKE(value_info))                                           \
  X(EDITOR, 7, CreateGraph, STATUS, MAKE(graph))                                                                       \
  X(EDITOR, 8, SetGraphInputs, STATUS, USE(graph), TAKE_LIST(value_info))                                              \
  X(EDITOR, 9, SetGraphOutputs, STATUS, USE(graph), TAKE_LIST(value_info))                                             \
  X(EDITOR, 10, AddInitializerToGraph, STATUS, USE(graph), _, TAKE(value))                                             \
  X(EDITOR, 12, CreateModel, STATUS, _, _, _, MAKE(model))                                                             \
  X(EDITOR, 13, AddGraphToModel, STATUS, USE(model), TAKE(graph))                                                      \
  X(EDITOR, 16, CreateModelEditorSessionFromArray, STATUS, USE(environment), _, _, USE(session_options), MAKE(session))\
  X(EDITOR, 18, ApplyModelToModelEditorSession, STATUS, USE(session), USE(model))                                      \
  X(EDITOR, 19, FinalizeModelEditorSession, STATUS, USE(session), USE(session_options))
