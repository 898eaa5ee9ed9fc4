/* A plug-in provider that ONNX Runtime can load, but that returns an error. plugins_test.ts builds it. */
#include <stddef.h>
#include <stdint.h>

struct ApiBase {
  const void *const *(*GetApi)(uint32_t version);
  const char *(*GetVersionString)(void);
};

/* `factories` has room for `max` entries; the plug-in sets `count` to the number of those that it has filled. */
void *CreateEpFactories(const char *name, const struct ApiBase *base, const void *logger, void **factories, size_t max,
                        size_t *count) {
  (void)name, (void)logger, (void)factories, (void)max;
  *count = 0;
  void *(*create_status)(int32_t, const char *) = (void *(*)(int32_t, const char *))base->GetApi(22)[0];
  return create_status(1, "this plug-in wants ONNX Runtime 9.9");
}

void *ReleaseEpFactory(void *factory) {
  (void)factory;
  return NULL;
}
