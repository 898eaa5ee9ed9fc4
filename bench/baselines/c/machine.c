/* Measures the limits of this machine: memory bandwidth with STREAM's triad, a = b + s * c in float32, and the rate of
 * multiply-adds in registers.
 *
 *   machine limits THREADS                   prints JSON: bytes and GB/s of the triad by size, and GFLOP/s
 *   machine SUITE THREADS DEVICE FOLDER      a contestant (../protocol.ts) that adds the two inputs in the folder:
 *                                            the triad with s = 1
 *
 * As in STREAM, a triad counts as three arrays, although the processor may also read a before it writes it. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_THREADS = 256, VECTORS = 12 };

static float *a, *b, *c;
static volatile float scale = 1;
static size_t length;
static long passes;
static int threads;

#ifdef __AVX512F__
enum { VECTOR = 64 };
#else
enum { VECTOR = 32 };
#endif
typedef float vector __attribute__((vector_size(VECTOR)));

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static void *triad(void *index) {
  size_t from = length * (size_t)index / threads, to = length * ((size_t)index + 1) / threads;
  float s = scale, *restrict x = a;
  const float *restrict y = b, *restrict z = c;
  for (long pass = 0; pass < passes; pass++) {
    for (size_t i = from; i < to; i++) x[i] = y[i] + s * z[i];
    __asm__ volatile("" ::: "memory"); /* Else the compiler would keep only one pass. */
  }
  return NULL;
}

/* Independent chains of multiply-adds, enough to hide the latency of each. */
static void *multiply_add(void *index) {
  vector sums[VECTORS], factor, summand;
  for (int i = 0; i < VECTORS; i++) sums[i] = (vector){0} + scale * (float)(i + (int)(size_t)index);
  factor = (vector){0} + scale * 0.999f, summand = (vector){0} + scale * 0.001f;
  for (long pass = 0; pass < passes; pass++) {
    for (int i = 0; i < VECTORS; i++) sums[i] = sums[i] * factor + summand;
  }
  for (int i = 0; i < VECTORS; i++) scale = sums[i][0] == -1 ? 2 : scale;
  return NULL;
}

/* The time in milliseconds of `count` passes on all threads. */
static double timed(void *(*work)(void *), long count) {
  pthread_t others[MAX_THREADS];
  passes = count;
  double began = now();
  for (int i = 1; i < threads; i++) pthread_create(&others[i], NULL, work, (void *)(size_t)i);
  work(NULL);
  for (int i = 1; i < threads; i++) pthread_join(others[i], NULL);
  return now() - began;
}

/* The best of five times for a pass, as STREAM reports. */
static double best(void *(*work)(void *), long count) {
  double shortest = timed(work, count);
  for (int i = 0; i < 4; i++) {
    double time = timed(work, count);
    shortest = time < shortest ? time : shortest;
  }
  return shortest / count;
}

static void allocate(size_t elements) {
  length = elements;
  a = realloc(a, elements * sizeof(float)), b = realloc(b, elements * sizeof(float));
  c = realloc(c, elements * sizeof(float));
  if (!a || !b || !c) exit((fputs("not enough memory\n", stderr), 1));
}

static int limits(void) {
  static const size_t sizes[] = {1000, 10000, 100000, 250000, 1000000, 10000000};
  printf("{\"memory\": [");
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    allocate(sizes[i]);
    for (size_t j = 0; j < length; j++) b[j] = c[j] = 1, a[j] = 0;
    double bytes = 3.0 * sizeof(float) * length;
    long count = 60000000 / (long)length;
    printf("%s{\"bytes\": %.0f, \"rate\": %.3f}", i ? ", " : "", bytes, bytes / best(triad, count) / 1e6);
  }
  double flop = 2.0 * VECTORS * (sizeof(vector) / sizeof(float)) * threads;
  printf("], \"flops\": %.3f}\n", flop / best(multiply_add, 3000000) / 1e6);
  return 0;
}

static void read_input(const char *folder, int index, float **into, size_t *elements) {
  char path[4096];
  snprintf(path, sizeof path, "%s/input_%d.bin", folder, index);
  FILE *file = fopen(path, "rb");
  if (!file) exit((fprintf(stderr, "%s: not found\n", path), 1));
  fseek(file, 0, SEEK_END);
  *elements = (size_t)ftell(file) / sizeof(float);
  rewind(file);
  *into = malloc(*elements * sizeof(float));
  if (!*into || fread(*into, sizeof(float), *elements, file) != *elements) exit((fputs("cannot read\n", stderr), 1));
  fclose(file);
}

static void write_output(const char *path) {
  FILE *file = fopen(path, "wb");
  if (!file || fwrite(a, sizeof(float), length, file) != length) exit((fputs("cannot write\n", stderr), 1));
  fclose(file);
}

int main(int count, char **arguments) {
  if (count < 3 || (threads = atoi(arguments[2])) < 1 || threads > MAX_THREADS) return 2;
  if (strcmp(arguments[1], "limits") == 0) return limits();
  if (count != 5) return 2;
  size_t others;
  read_input(arguments[4], 0, &b, &length);
  read_input(arguments[4], 1, &c, &others);
  a = calloc(length, sizeof(float));
  if (!a || others != length) return fputs("the two inputs differ in length\n", stderr), 1;
  setvbuf(stdout, NULL, _IOLBF, 0);
  puts("{\"engine\": \"STREAM's triad in C\"}");
  for (char line[4096]; fgets(line, sizeof line, stdin);) {
    line[strcspn(line, "\n")] = 0;
    char *argument = strchr(line, ' ');
    if (strncmp(line, "output ", 7) == 0) {
      write_output(line + 7);
      puts("{}");
      continue;
    }
    long runs = argument ? atol(argument + 1) : 0;
    printf("{\"milliseconds\": %g}\n", runs > 0 ? timed(triad, runs) / runs : 0);
  }
  return 0;
}
