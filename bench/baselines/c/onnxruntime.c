/*
 * ONNX Runtime called from C: the contestant that the others are compared with. It follows the protocol of
 * ../protocol.ts, with the path of ONNX Runtime's library before the other arguments.
 *
 * A run is one RunWithBinding and one copy of the first output. The tensors are bound once, before the first run.
 */

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ort_api.h"

enum { MAX_PORTS = 16, MAX_RANK = 8, MAX_LINE = 4096 };

/* An input or output of the model: its name, and a tensor in memory of ONNX Runtime. */
typedef struct {
  char *name;
  OrtValue *value;
  float *data;
  size_t bytes;
} Port;

/* The arguments of the protocol. */
typedef struct {
  int threads;
  const char *device, *folder;
} Job;

typedef OrtStatus *(*Counter)(const OrtSession *, size_t *);
typedef OrtStatus *(*Namer)(const OrtSession *, size_t, OrtAllocator *, char **);
typedef OrtStatus *(*Typer)(const OrtSession *, size_t, OrtTypeInfo **);

static OrtApi api;
static OrtEnv *env;
static OrtAllocator *allocator;

static OrtSession *session;
static OrtIoBinding *binding;
static Port inputs[MAX_PORTS], outputs[MAX_PORTS];
static size_t input_count, output_count;
static float *buffer; /* each run copies the first output to it */

static void fail(const char *what, const char *why) {
  fprintf(stderr, "%s: %s\n", what, why);
  exit(1);
}

static void check(OrtStatus *status) {
  if (status) fail("ONNX Runtime", api.GetErrorMessage(status));
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static const char *open_library(const char *path) {
  void *library = dlopen(path, RTLD_NOW);
  if (!library) fail("dlopen", dlerror());
  const OrtApiBase *(*get_base)(void);
  *(void **)&get_base = dlsym(library, "OrtGetApiBase");
  if (!get_base) fail(path, "not ONNX Runtime");
  void *const *table = get_base()->GetApi(ORT_API_VERSION);
  if (!table) fail(path, "this ONNX Runtime is too old");
  api = ort_functions(table);
  return get_base()->GetVersionString();
}

/* With several threads, sessions share a pool whose threads spin, which is the engine's default. */
static void create_environment(int threads) {
  OrtThreadingOptions *threading;
  if (threads == 1) {
    check(api.CreateEnv(ORT_LOGGING_LEVEL_FATAL, "c", &env));
  } else {
    check(api.CreateThreadingOptions(&threading));
    check(api.SetGlobalIntraOpNumThreads(threading, threads));
    check(api.SetGlobalInterOpNumThreads(threading, 1));
    check(api.CreateEnvWithGlobalThreadPools(ORT_LOGGING_LEVEL_FATAL, "c", threading, &env));
  }
  check(api.GetAllocatorWithDefaultOptions(&allocator));
}

static void append_openvino(OrtSessionOptions *options, int threads) {
  char count[16];
  snprintf(count, sizeof count, "%d", threads);
  const char *const keys[] = {"device_type", "precision", "num_of_threads"};
  const char *const values[] = {"CPU", "FP32", count};
  check(api.AppendProvider(options, "OpenVINO", keys, values, 3));
}

static void append_cuda(OrtSessionOptions *options) {
  const char *const keys[] = {"use_tf32"};
  const char *const values[] = {"0"};
  OrtCudaOptions *cuda;
  check(api.CreateCudaOptions(&cuda));
  check(api.UpdateCudaOptions(cuda, keys, values, 1));
  check(api.AppendCuda(options, cuda));
  api.ReleaseCudaOptions(cuda);
}

/* The providers' options are those in src/backends/onnxruntime/providers/. */
static void append_provider(OrtSessionOptions *options, const char *device, int threads) {
  if (strcmp(device, "cpu") == 0) return;
  if (strcmp(device, "webgpu") == 0) check(api.AppendProvider(options, "WebGPU", NULL, NULL, 0));
  else if (strcmp(device, "openvino") == 0) append_openvino(options, threads);
  else if (strcmp(device, "cuda") == 0) append_cuda(options);
  else fail(device, "not a device of this program");
}

/* All optimisers are on except DivMulFusion, which can change a shape. This module disables more of them, and chooses
 * per graph whether threads spin (src/backends/onnxruntime/session_options.ts).
 *
 * Each session gets options of its own: a second session on options with a provider may crash. */
static OrtSessionOptions *create_options(const char *device, int threads) {
  OrtSessionOptions *options;
  check(api.CreateSessionOptions(&options));
  check(api.SetSessionGraphOptimizationLevel(options, ORT_ENABLE_ALL));
  check(api.SetSessionLogSeverityLevel(options, ORT_LOGGING_LEVEL_FATAL));
  check(api.AddSessionConfigEntry(options, "session.strict_shape_type_inference", "1"));
  check(api.AddSessionConfigEntry(options, "session.force_spinning_stop", "1"));
  check(api.AddSessionConfigEntry(options, "session.qdqisint8allowed", "1"));
  check(api.AddSessionConfigEntry(options, "optimization.disable_specified_optimizers", "DivMulFusion"));
  if (threads == 1) check(api.SetIntraOpNumThreads(options, 1));
  else check(api.DisablePerSessionThreads(options));
  append_provider(options, device, threads);
  return options;
}

static void create_tensor(Port *port, Typer type_of, size_t index) {
  OrtTypeInfo *type;
  const OrtShapeInfo *info;
  size_t rank;
  int64_t shape[MAX_RANK];
  check(type_of(session, index, &type));
  check(api.CastTypeInfoToTensorInfo(type, &info));
  check(api.GetDimensionsCount(info, &rank));
  if (rank > MAX_RANK) fail(port->name, "too many dimensions");
  check(api.GetDimensions(info, shape, rank));
  api.ReleaseTypeInfo(type);
  port->bytes = sizeof(float);
  for (size_t i = 0; i < rank; i++) port->bytes *= (size_t)shape[i];
  check(api.CreateTensorAsOrtValue(allocator, shape, rank, ORT_FLOAT, &port->value));
  check(api.GetTensorMutableData(port->value, (void **)&port->data));
}

static size_t create_ports(Port *ports, Counter count_of, Namer name_of, Typer type_of) {
  size_t count;
  check(count_of(session, &count));
  if (count > MAX_PORTS) fail("the model", "too many inputs or outputs");
  for (size_t i = 0; i < count; i++) {
    check(name_of(session, i, allocator, &ports[i].name));
    create_tensor(&ports[i], type_of, i);
  }
  return count;
}

static void read_input(const char *folder, size_t index) {
  char path[MAX_LINE];
  snprintf(path, sizeof path, "%s/input_%zu.bin", folder, index);
  FILE *file = fopen(path, "rb");
  if (!file) fail(path, "cannot be opened");
  if (fread(inputs[index].data, 1, inputs[index].bytes, file) != inputs[index].bytes) fail(path, "is too short");
  fclose(file);
}

/* Called once, after the first build: creating the tensors does not count as part of a build. */
static void create_tensors(const char *folder) {
  input_count = create_ports(inputs, api.SessionGetInputCount, api.SessionGetInputName, api.SessionGetInputTypeInfo);
  output_count =
      create_ports(outputs, api.SessionGetOutputCount, api.SessionGetOutputName, api.SessionGetOutputTypeInfo);
  for (size_t i = 0; i < input_count; i++) read_input(folder, i);
  buffer = malloc(outputs[0].bytes);
  if (!buffer) fail("malloc", "no memory");
}

static void release(void) {
  if (binding) api.ReleaseIoBinding(binding);
  if (session) api.ReleaseSession(session);
  binding = NULL;
  session = NULL;
}

static void bind(void) {
  check(api.CreateIoBinding(session, &binding));
  for (size_t i = 0; i < input_count; i++) check(api.BindInput(binding, inputs[i].name, inputs[i].value));
  for (size_t i = 0; i < output_count; i++) check(api.BindOutput(binding, outputs[i].name, outputs[i].value));
}

static void run(void) {
  if (!binding) bind();
  check(api.RunWithBinding(session, NULL, binding));
}

static void read_output(void) { memcpy(buffer, outputs[0].data, outputs[0].bytes); }

static double time_build(const Job *job) {
  char path[MAX_LINE];
  snprintf(path, sizeof path, "%s/model.onnx", job->folder);
  release();
  double began = now();
  OrtSessionOptions *options = create_options(job->device, job->threads);
  check(api.CreateSession(env, path, options, &session));
  api.ReleaseSessionOptions(options);
  double duration = now() - began;
  if (!buffer) create_tensors(job->folder);
  return duration;
}

static double time_runs(int count) {
  double began = now();
  for (int i = 0; i < count; i++) {
    run();
    read_output();
  }
  return (now() - began) / count;
}

static double time_pipeline(int count) {
  double began = now();
  for (int i = 0; i < count; i++) run();
  read_output();
  return (now() - began) / count;
}

static void write_output(const char *path) {
  FILE *file = fopen(path, "wb");
  if (!file) fail(path, "cannot be written");
  if (fwrite(buffer, 1, outputs[0].bytes, file) != outputs[0].bytes || fclose(file)) fail(path, "cannot be written");
  printf("{}\n");
}

static void answer(double milliseconds) { printf("{\"milliseconds\":%.9g}\n", milliseconds); }

static void serve(const Job *job) {
  char line[MAX_LINE];
  while (fgets(line, sizeof line, stdin)) {
    line[strcspn(line, "\n")] = '\0';
    int count = 0;
    if (strcmp(line, "build") == 0) answer(time_build(job));
    else if (sscanf(line, "run %d", &count) == 1) answer(time_runs(count));
    else if (sscanf(line, "pipeline %d", &count) == 1) answer(time_pipeline(count));
    else if (strncmp(line, "output ", 7) == 0) write_output(line + 7);
    else fail(line, "unknown command");
    fflush(stdout);
  }
}

int main(int argc, char **argv) {
  if (argc != 6) fail("usage", "onnxruntime LIBRARY SUITE THREADS DEVICE FOLDER");
  const Job job = {.threads = atoi(argv[3]), .device = argv[4], .folder = argv[5]};
  const char *version = open_library(argv[1]);
  create_environment(job.threads);
  printf("{\"engine\":\"ONNX Runtime %s\"}\n", version);
  fflush(stdout);
  serve(&job);
  release();
  return 0;
}
