/*
 * The part of ONNX Runtime's C API that onnxruntime.c uses: one row per function, with its position in the library's
 * table, its result, its name and its parameters. Positions never change: the table grows at the end.
 */

#include <stddef.h>
#include <stdint.h>

/* The oldest version of the API that has all functions below, as in ffi/onnxruntime/api.ts. */
enum { ORT_API_VERSION = 22 };

enum { ORT_ENABLE_ALL = 99, ORT_LOGGING_LEVEL_FATAL = 4, ORT_FLOAT = 1 };

typedef struct OrtStatus OrtStatus;
typedef struct OrtEnv OrtEnv;
typedef struct OrtThreadingOptions OrtThreadingOptions;
typedef struct OrtSessionOptions OrtSessionOptions;
typedef struct OrtSession OrtSession;
typedef struct OrtRunOptions OrtRunOptions;
typedef struct OrtIoBinding OrtIoBinding;
typedef struct OrtAllocator OrtAllocator;
typedef struct OrtValue OrtValue;
typedef struct OrtTypeInfo OrtTypeInfo;
typedef struct OrtCudaOptions OrtCudaOptions; /* OrtCUDAProviderOptionsV2 */
typedef struct OrtShapeInfo OrtShapeInfo; /* OrtTensorTypeAndShapeInfo */

#define ORT_FUNCTIONS(X)                                                                                               \
  X(2, const char *, GetErrorMessage, const OrtStatus *)                                                               \
  X(3, OrtStatus *, CreateEnv, int level, const char *id, OrtEnv **)                                                   \
  X(7, OrtStatus *, CreateSession, const OrtEnv *, const char *path, const OrtSessionOptions *, OrtSession **)         \
  X(10, OrtStatus *, CreateSessionOptions, OrtSessionOptions **)                                                       \
  X(22, OrtStatus *, SetSessionLogSeverityLevel, OrtSessionOptions *, int level)                                       \
  X(23, OrtStatus *, SetSessionGraphOptimizationLevel, OrtSessionOptions *, int level)                                 \
  X(24, OrtStatus *, SetIntraOpNumThreads, OrtSessionOptions *, int threads)                                           \
  X(30, OrtStatus *, SessionGetInputCount, const OrtSession *, size_t *)                                               \
  X(31, OrtStatus *, SessionGetOutputCount, const OrtSession *, size_t *)                                              \
  X(33, OrtStatus *, SessionGetInputTypeInfo, const OrtSession *, size_t index, OrtTypeInfo **)                        \
  X(34, OrtStatus *, SessionGetOutputTypeInfo, const OrtSession *, size_t index, OrtTypeInfo **)                       \
  X(36, OrtStatus *, SessionGetInputName, const OrtSession *, size_t index, OrtAllocator *, char **)                   \
  X(37, OrtStatus *, SessionGetOutputName, const OrtSession *, size_t index, OrtAllocator *, char **)                  \
  X(48, OrtStatus *, CreateTensorAsOrtValue, OrtAllocator *, const int64_t *shape, size_t rank, int type, OrtValue **) \
  X(51, OrtStatus *, GetTensorMutableData, OrtValue *, void **)                                                        \
  X(55, OrtStatus *, CastTypeInfoToTensorInfo, const OrtTypeInfo *, const OrtShapeInfo **)                             \
  X(61, OrtStatus *, GetDimensionsCount, const OrtShapeInfo *, size_t *)                                               \
  X(62, OrtStatus *, GetDimensions, const OrtShapeInfo *, int64_t *, size_t rank)                                      \
  X(76, OrtStatus *, AllocatorFree, OrtAllocator *, void *)                                                            \
  X(78, OrtStatus *, GetAllocatorWithDefaultOptions, OrtAllocator **)                                                  \
  X(95, void, ReleaseSession, OrtSession *)                                                                            \
  X(96, void, ReleaseValue, OrtValue *)                                                                                \
  X(98, void, ReleaseTypeInfo, OrtTypeInfo *)                                                                          \
  X(100, void, ReleaseSessionOptions, OrtSessionOptions *)                                                             \
  X(119, OrtStatus *, CreateEnvWithGlobalThreadPools, int level, const char *id, const OrtThreadingOptions *,          \
    OrtEnv **)                                                                                                         \
  X(120, OrtStatus *, DisablePerSessionThreads, OrtSessionOptions *)                                                   \
  X(121, OrtStatus *, CreateThreadingOptions, OrtThreadingOptions **)                                                  \
  X(130, OrtStatus *, AddSessionConfigEntry, OrtSessionOptions *, const char *key, const char *value)                  \
  X(133, OrtStatus *, RunWithBinding, OrtSession *, const OrtRunOptions *, const OrtIoBinding *)                       \
  X(134, OrtStatus *, CreateIoBinding, OrtSession *, OrtIoBinding **)                                                  \
  X(135, void, ReleaseIoBinding, OrtIoBinding *)                                                                       \
  X(136, OrtStatus *, BindInput, OrtIoBinding *, const char *name, const OrtValue *)                                   \
  X(137, OrtStatus *, BindOutput, OrtIoBinding *, const char *name, const OrtValue *)                                  \
  X(147, OrtStatus *, SetGlobalIntraOpNumThreads, OrtThreadingOptions *, int threads)                                  \
  X(148, OrtStatus *, SetGlobalInterOpNumThreads, OrtThreadingOptions *, int threads)                                  \
  X(204, OrtStatus *, AppendCuda, OrtSessionOptions *, const OrtCudaOptions *)                                         \
  X(205, OrtStatus *, CreateCudaOptions, OrtCudaOptions **)                                                            \
  X(206, OrtStatus *, UpdateCudaOptions, OrtCudaOptions *, const char *const *keys, const char *const *values,         \
    size_t count)                                                                                                      \
  X(208, void, ReleaseCudaOptions, OrtCudaOptions *)                                                                   \
  X(216, OrtStatus *, AppendProvider, OrtSessionOptions *, const char *name, const char *const *keys,                  \
    const char *const *values, size_t count)

#define DECLARE(index, result, name, ...) result (*name)(__VA_ARGS__);
typedef struct {
  ORT_FUNCTIONS(DECLARE)
} OrtApi;
#undef DECLARE

/* The result of `OrtGetApiBase`, the only function that the library exports. */
typedef struct {
  void *const *(*GetApi)(uint32_t version);
  const char *(*GetVersionString)(void);
} OrtApiBase;

/* Copies the functions above from the library's table. */
static inline OrtApi ort_functions(void *const *table) {
  OrtApi api;
#define PICK(index, result, name, ...) *(void **)&api.name = table[index];
  ORT_FUNCTIONS(PICK)
#undef PICK
  return api;
}
