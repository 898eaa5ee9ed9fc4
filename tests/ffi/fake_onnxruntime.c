/* Libraries that resemble ONNX Runtime: library_test.ts compiles this file with each of the macros below. */
#include <stddef.h>
#include <stdint.h>

#ifdef _WIN32
#define EXPORT __declspec(dllexport)
#else
#define EXPORT
#endif

struct ApiBase {
  const void *(*GetApi)(uint32_t version);
  const char *(*GetVersionString)(void);
};

static const void *GetApi(uint32_t version) {
  (void)version;
  return NULL; /* The answer of a library to a newer version than its own. */
}

static const char *GetVersionString(void) { return "1.16.3"; }

static const struct ApiBase base = {GetApi, GetVersionString};

#if defined(TOO_OLD)
EXPORT const struct ApiBase *OrtGetApiBase(void) { return &base; }
#elif defined(ANOTHER_LIBRARY)
EXPORT const struct ApiBase *SomethingElse(void) { return &base; }
#elif defined(NO_API)
EXPORT const struct ApiBase *OrtGetApiBase(void) { return (void)base, NULL; }
#endif
