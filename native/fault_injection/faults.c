/*
 * A library that stands between a program and ONNX Runtime and looks like ONNX Runtime to it. Told by a test, it fails
 * the n-th call or delays calls; on its own it counts calls and live objects, and reports each use of an object that is
 * gone instead of passing it on to crash.
 *
 * What it has to know of each function stands in one row of functions.h. All of them take at most ten integers and
 * pointers, and the calling conventions of 64-bit systems pass each in a register or a slot of eight bytes: so one
 * signature of ten words serves them all, and what a function does not take it does not look at.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "functions.h"

typedef uintptr_t Word;

/* -- The rows as data ---------------------------------------------------------------------------------------------- */

#define KIND_NAME(name) #name,
#define KIND_CONSTANT(name) name,
typedef enum { KINDS(KIND_CONSTANT) KIND_COUNT } Kind;
static const char *const kind_names[] = {KINDS(KIND_NAME)};

typedef enum { ROLE_NONE, ROLE_USE, ROLE_BORROW, ROLE_TAKE, ROLE_TAKE_LIST, ROLE_FREE, ROLE_MAKE } Role;

typedef struct {
  Role role;
  Kind kind;
} Parameter;

typedef struct {
  Table table;
  int index;
  const char *name;
  Result result;
  Parameter parameters[MAX_PARAMETERS];
} Row;

#define ID(table, index, name, ...) ID_##name,
enum { FUNCTIONS(ID) FUNCTION_COUNT };

#define ROW(table, index, name, result, ...) {table, index, #name, result, {__VA_ARGS__}},
static const Row rows[] = {FUNCTIONS(ROW)};

/* -- State, all under one lock ------------------------------------------------------------------------------------- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

typedef struct Object {
  Word address;
  Kind kind;
  int references; /* more than one for the environment, which the process shares */
  int calls;      /* how many calls are using it right now */
  struct Object *next;
} Object;

enum { BUCKETS = 4096, MAX_REPORTS = 16, REPORT_SIZE = 160 };
static Object *buckets[BUCKETS];
static uint64_t live[KIND_COUNT];

/* Memory that must outlive its borrower. */
typedef struct Loan {
  Word borrower, memory;
  struct Loan *next;
} Loan;
static Loan *loans;

static uint64_t calls[FUNCTION_COUNT];
static uint32_t delays[FUNCTION_COUNT]; /* milliseconds */

static struct {
  char function[64]; /* "" for any, "allocation" for those that allocate */
  uint64_t remaining;
  int32_t code;
  const char *fired;
} fault;

static char reports[MAX_REPORTS][REPORT_SIZE];
static uint32_t report_count;

static void report(const Row *row, const char *what, const char *kind) {
  uint32_t i = report_count++;
  if (i < MAX_REPORTS) snprintf(reports[i], REPORT_SIZE, "%s: %s %s", row->name, kind, what);
}

/* -- Objects ------------------------------------------------------------------------------------------------------- */

static Object **slot_of(Word address) {
  Object **slot = &buckets[(address >> 4) % BUCKETS];
  while (*slot && (*slot)->address != address) slot = &(*slot)->next;
  return slot;
}

static void add_object(const Row *row, Word address, Kind kind) {
  Object **slot = slot_of(address);
  if (*slot && (*slot)->kind == kind && kind == environment) {
    (*slot)->references++;
  } else if (*slot) {
    report(row, "was made where another object still is", kind_names[kind]);
    return;
  } else {
    *slot = malloc(sizeof **slot);
    if (!*slot) abort();
    **slot = (Object){address, kind, 1, 0, NULL};
  }
  live[kind]++;
}

static void add_loan(Word borrower, Word memory) {
  Loan *loan = malloc(sizeof *loan);
  if (!loan) abort();
  *loan = (Loan){borrower, memory, loans};
  loans = loan;
}

static bool is_lent(Word memory) {
  for (const Loan *loan = loans; loan; loan = loan->next)
    if (loan->memory == memory) return true;
  return false;
}

/* Whoever was made of a borrower, or has taken it, is a borrower too. */
static void inherit_loans(Word from, Word to) {
  if (from == to) return;
  for (const Loan *loan = loans; loan; loan = loan->next)
    if (loan->borrower == from) add_loan(to, loan->memory);
}

static void end_loans(Word borrower) {
  for (Loan **slot = &loans; *slot;) {
    Loan *loan = *slot;
    if (loan->borrower != borrower) {
      slot = &loan->next;
    } else {
      *slot = loan->next;
      free(loan);
    }
  }
}

static void remove_object(Word address) {
  Object **slot = slot_of(address), *object = *slot;
  if (!object) return;
  live[object->kind]--;
  if (--object->references > 0) return;
  end_loans(address);
  *slot = object->next;
  free(object);
}

/* -- One call ------------------------------------------------------------------------------------------------------ */

/* Calls `act` for each object that a call is given. */
typedef bool (*Action)(const Row *row, Parameter parameter, Word address);

static bool for_each_object(const Row *row, const Word *arguments, Action act) {
  bool all = true;
  for (int i = 0; i < MAX_PARAMETERS; i++) {
    Parameter parameter = row->parameters[i];
    if (parameter.role == ROLE_NONE || parameter.role == ROLE_MAKE) continue;
    bool is_list = parameter.role == ROLE_TAKE_LIST;
    const Word *list = is_list ? (const Word *)arguments[i] : &arguments[i];
    size_t length = is_list ? arguments[i + 1] : 1;
    for (size_t j = 0; j < length; j++)
      if (list[j]) all &= act(row, parameter, list[j]);
  }
  return all;
}

static bool check(const Row *row, Parameter parameter, Word address) {
  const Object *object = *slot_of(address);
  const char *problem = NULL;
  if (!object || object->kind != parameter.kind) problem = "is used after its release, or was never made";
  else if (parameter.role == ROLE_FREE && object->calls > 0) problem = "is released while a call uses it";
  else if (parameter.role == ROLE_FREE && is_lent(address)) problem = "is released while another object borrows it";
  if (problem) report(row, problem, kind_names[parameter.kind]);
  return !problem;
}

/* What is released is forgotten before ONNX Runtime can give its address to another object. */
static bool begin_use(const Row *row, Parameter parameter, Word address) {
  (void)row;
  if (parameter.role == ROLE_FREE) remove_object(address);
  else (*slot_of(address))->calls++;
  return true;
}

static bool end_use(const Row *row, Parameter parameter, Word address) {
  (void)row;
  if (parameter.role != ROLE_FREE) (*slot_of(address))->calls--;
  return true;
}

static Word heir; /* what `settle` makes, or the first object that it uses */

static bool settle(const Row *row, Parameter parameter, Word address) {
  (void)row;
  if (parameter.role == ROLE_FREE) return true;
  if (!heir) heir = address;
  if (parameter.role == ROLE_BORROW && *slot_of(address)) add_loan(heir, address);
  else inherit_loans(address, heir);
  if (parameter.role == ROLE_TAKE || parameter.role == ROLE_TAKE_LIST) remove_object(address);
  return true;
}

/* After a success: what was made is live, what was taken is the caller's no more. */
static void transfer(const Row *row, const Word *arguments) {
  heir = 0;
  for (int i = 0; i < MAX_PARAMETERS; i++) {
    if (row->parameters[i].role != ROLE_MAKE) continue;
    heir = *(const Word *)arguments[i];
    add_object(row, heir, row->parameters[i].kind);
  }
  for_each_object(row, arguments, settle);
}

static bool is_release(const Row *row) {
  for (int i = 0; i < MAX_PARAMETERS; i++)
    if (row->parameters[i].role == ROLE_FREE) return true;
  return false;
}

/* Releases never fail: nobody could do anything about it. */
static bool is_due(int id) {
  const Row *row = &rows[id];
  if (fault.remaining == 0 || row->result == PLAIN || is_release(row)) return false;
  bool allocates = id == ID_AllocatorAlloc || id == ID_CreateTensorAsOrtValue;
  bool matches = !*fault.function || !strcmp(fault.function, row->name) ||
                 (allocates && !strcmp(fault.function, "allocation"));
  if (!matches || --fault.remaining > 0) return false;
  fault.fired = row->name;
  return true;
}

static const void *const *real[2];
static const void *wrapped[API_ENTRIES + EDITOR_ENTRIES];
static const void **const tables[2] = {wrapped, wrapped + API_ENTRIES};

typedef Word (*Function)(Word, Word, Word, Word, Word, Word, Word, Word, Word, Word);

static Word real_call(const Row *row, const Word *a) {
  Function function = (Function)real[row->table][row->index];
  return function(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9]);
}

static Word fail(const Row *row, int32_t code, const char *what) {
  if (row->result != STATUS) return 0;
  char message[REPORT_SIZE];
  snprintf(message, sizeof message, "%s %s", what, row->name);
  return ((Word (*)(int32_t, const char *))real[API][0])(code, message); /* CreateStatus copies the message */
}

static void pause_for(uint32_t milliseconds) {
  struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
  if (milliseconds > 0) nanosleep(&time, NULL);
}

/* ONNX Runtime puts null into a list in place of what it takes, so the books are kept with a copy. Returns the copy. */
static Word *copy_list(const Row *row, Word *arguments) {
  for (int i = 0; i < MAX_PARAMETERS; i++) {
    if (row->parameters[i].role != ROLE_TAKE_LIST) continue;
    size_t size = (arguments[i + 1] + 1) * sizeof(Word);
    Word *copy = malloc(size);
    if (!copy) abort();
    memcpy(copy, (const Word *)arguments[i], size - sizeof(Word));
    arguments[i] = (Word)copy;
    return copy;
  }
  return NULL;
}

static Word call(int id, const Word *passed) {
  const Row *row = &rows[id];
  Word arguments[MAX_PARAMETERS];
  memcpy(arguments, passed, sizeof arguments);
  Word *list = copy_list(row, arguments);

  pthread_mutex_lock(&lock);
  calls[id]++;
  uint32_t delay = delays[id];
  bool valid = for_each_object(row, arguments, check);
  bool fails = valid && is_due(id);
  int32_t code = fault.code;
  if (valid) for_each_object(row, arguments, begin_use);
  pthread_mutex_unlock(&lock);

  pause_for(delay);
  Word result = !valid   ? fail(row, 2, "invalid object in")
                : fails ? fail(row, code, "injected failure of")
                        : real_call(row, passed);

  pthread_mutex_lock(&lock);
  if (valid) for_each_object(row, arguments, end_use);
  if (row->result == STATUS && result) add_object(row, result, status);
  else if (valid && !fails) transfer(row, arguments);
  pthread_mutex_unlock(&lock);
  free(list);
  return row->result == TABLE && result ? (Word)tables[EDITOR] : result;
}

#define WRAPPER(table, index, name, ...)                                                                               \
  static Word wrap_##name(Word a, Word b, Word c, Word d, Word e, Word f, Word g, Word h, Word i, Word j) {            \
    return call(ID_##name, (Word[]){a, b, c, d, e, f, g, h, i, j});                                                    \
  }
FUNCTIONS(WRAPPER)

#define ADDRESS(table, index, name, ...) (const void *)wrap_##name,
static const void *const wrappers[] = {FUNCTIONS(ADDRESS)};

/* -- What the program sees ----------------------------------------------------------------------------------------- */

typedef struct {
  const void *(*GetApi)(uint32_t version);
  const char *(*GetVersionString)(void);
} ApiBase;

static const ApiBase *real_base;

static const void *GetApi(uint32_t version) {
  const void *const *api = real_base->GetApi(version);
  if (!api) return NULL;
  pthread_mutex_lock(&lock);
  if (!real[API]) {
    real[API] = api;
    real[EDITOR] = ((const void *const *(*)(void))api[rows[ID_GetModelEditorApi].index])();
    memcpy(tables[API], real[API], API_ENTRIES * sizeof(void *));
    memcpy(tables[EDITOR], real[EDITOR], EDITOR_ENTRIES * sizeof(void *));
    for (int id = 0; id < FUNCTION_COUNT; id++) tables[rows[id].table][rows[id].index] = wrappers[id];
  }
  pthread_mutex_unlock(&lock);
  return tables[API];
}

static const char *GetVersionString(void) { return real_base->GetVersionString(); }

/* Null until `faults_open` has been called. */
const ApiBase *OrtGetApiBase(void) {
  static const ApiBase base = {GetApi, GetVersionString};
  return real_base ? &base : NULL;
}

/* -- What the test says -------------------------------------------------------------------------------------------- */

/* Opens the real ONNX Runtime, of version 1.30. Returns null, or why it cannot be. */
const char *faults_open(const char *path) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) return dlerror();
  const ApiBase *(*get_base)(void) = (const ApiBase *(*)(void))dlsym(library, "OrtGetApiBase");
  if (!get_base) return dlerror();
  if (strncmp(get_base()->GetVersionString(), "1.30.", 5)) return "the tables are known for version 1.30 only";
  real_base = get_base();
  return NULL;
}

static int find_function(const char *name) {
  int id = 0;
  while (id < FUNCTION_COUNT && strcmp(rows[id].name, name)) id++;
  return id;
}

/* Whether there is a row for a function. */
bool faults_wraps(int32_t table, int32_t index) {
  for (int id = 0; id < FUNCTION_COUNT; id++)
    if ((int32_t)rows[id].table == table && rows[id].index == index) return true;
  return false;
}

/* Forgets faults, delays, counted calls and reports; live objects stay. */
void faults_reset(void) {
  pthread_mutex_lock(&lock);
  memset(&fault, 0, sizeof fault);
  memset(delays, 0, sizeof delays);
  memset(calls, 0, sizeof calls);
  report_count = 0;
  pthread_mutex_unlock(&lock);
}

/* Fails the n-th call from now on: of a function, of any ("") or of those that allocate ("allocation"). */
bool faults_fail(const char *function, uint32_t n, int32_t code) {
  if (*function && strcmp(function, "allocation") && find_function(function) == FUNCTION_COUNT) return false;
  pthread_mutex_lock(&lock);
  snprintf(fault.function, sizeof fault.function, "%s", function);
  fault.remaining = n;
  fault.code = code;
  fault.fired = NULL;
  pthread_mutex_unlock(&lock);
  return true;
}

/* The function that was failed, or null. */
const char *faults_fired(void) { return fault.fired; }

/* Makes each call of a function wait before it does anything. */
bool faults_delay(const char *function, uint32_t milliseconds) {
  int id = find_function(function);
  if (id == FUNCTION_COUNT) return false;
  pthread_mutex_lock(&lock);
  delays[id] = milliseconds;
  pthread_mutex_unlock(&lock);
  return true;
}

/* How often function number `id` was called, and its name: null behind the last. */
uint64_t faults_calls(uint32_t id) { return id < FUNCTION_COUNT ? calls[id] : 0; }
const char *faults_function(uint32_t id) { return id < FUNCTION_COUNT ? rows[id].name : NULL; }

/* How many objects of kind number `kind` are live, and its name: null behind the last. */
uint64_t faults_live(uint32_t kind) { return kind < KIND_COUNT ? live[kind] : 0; }
const char *faults_kind(uint32_t kind) { return kind < KIND_COUNT ? kind_names[kind] : NULL; }

/* How many wrong uses of objects there were, and the texts of the first ones: null behind the last. */
uint32_t faults_report_count(void) { return report_count; }
const char *faults_report(uint32_t i) { return i < report_count && i < MAX_REPORTS ? reports[i] : NULL; }
