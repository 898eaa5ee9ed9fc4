/* What Apple's Objective-C runtime has and GCC's has not, the faults, and the counts. */

#define _GNU_SOURCE
#import "fake.h"
#import <Foundation/NSDebug.h>
#include <objc/runtime.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The class of blocks that are never copied: nothing but its address is used. */
void *_NSConcreteGlobalBlock[32];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint32_t calls_until_fault;
static char fired[256];
static char hidden[256];
static volatile uint32_t delay;
static volatile bool ignores_backings;

static void __attribute__((constructor)) count_objects(void) {
  GSDebugAllocationActive(YES);
}

void *objc_autoreleasePoolPush(void) {
  return [NSAutoreleasePool new];
}

void objc_autoreleasePoolPop(void *pool) {
  [(NSAutoreleasePool *)pool release];
}

id objc_retain(id object) {
  return [object retain];
}

void objc_release(id object) {
  [object release];
}

/* kern.osversion and kern.osproductversion of a made-up system. */
int sysctlbyname(const char *name, void *old, size_t *length, void *new, size_t new_length) {
  const char *value = strcmp(name, "kern.osversion") == 0          ? "24FAKE"
                      : strcmp(name, "kern.osproductversion") == 0 ? "15.0"
                                                                   : NULL;
  (void)new, (void)new_length;
  if (value == NULL || *length <= strlen(value)) return -1;
  *length = strlen(value) + 1;
  memcpy(old, value, *length);
  return 0;
}

void *mmap(void *address, size_t length, int protection, int flags, int file, off_t offset) {
  if (fake_should_fail("mmap")) return MAP_FAILED;
  return (void *)syscall(SYS_mmap, address, length, protection, flags, file, offset);
}

/* Failing messages */

static id return_nil(id receiver, SEL selector) {
  (void)receiver, (void)selector;
  return nil;
}

/* An initializer that fails releases what it was sent to. */
static id release_and_return_nil(id receiver, SEL selector) {
  (void)selector;
  [receiver release];
  return nil;
}

static bool returns_object(id receiver, SEL selector) {
  Method method = class_getInstanceMethod(object_getClass(receiver), selector);
  const char *type = method == NULL ? "" : method_getTypeEncoding(method);
  return type[strspn(type, "rnNoORV")] == '@';
}

/* The implementation of a method, for objc_msgSend: that is, for messages from outside of this library only. */
IMP fake_lookup(id receiver, SEL selector) {
  if (receiver != nil && returns_object(receiver, selector)) {
    char name[256];
    snprintf(name, sizeof name, "%s %s", object_getClassName(receiver), sel_getName(selector));
    if (fake_should_fail(name)) {
      bool initializes = strncmp(sel_getName(selector), "init", 4) == 0;
      return initializes ? (IMP)release_and_return_nil : (IMP)return_nil;
    }
  }
  return objc_msg_lookup(receiver, selector);
}

BOOL fake_should_fail(const char *name) {
  pthread_mutex_lock(&lock);
  bool fails = calls_until_fault > 0 && --calls_until_fault == 0;
  if (fails) snprintf(fired, sizeof fired, "%s", name);
  pthread_mutex_unlock(&lock);
  return fails;
}

NSError *fake_error(NSInteger code, NSString *text, NSError *underlying) {
  NSMutableDictionary *info = [NSMutableDictionary dictionaryWithObject:text forKey:NSLocalizedDescriptionKey];
  /* GNUstep's NSUnderlyingErrorKey is another text than Apple's. */
  if (underlying != nil) [info setObject:underlying forKey:@"NSUnderlyingError"];
  return [NSError errorWithDomain:@"com.apple.CoreML" code:code userInfo:info];
}

/* Other threads. NSThread would not do: it ends the process if its first user was not the thread of main(). */

typedef struct Call {
  id target;
  SEL selector;
  id argument;
} Call;

static void *run(void *data) {
  Call *call = data;
  struct timespec pause = {delay / 1000, delay % 1000 * 1000000};
  nanosleep(&pause, NULL);
  GSRegisterCurrentThread();
  NSAutoreleasePool *pool = [NSAutoreleasePool new];
  [call->target performSelector:call->selector withObject:call->argument];
  [call->target release];
  [call->argument release];
  [pool release];
  GSUnregisterCurrentThread();
  free(call);
  return NULL;
}

void fake_detach(id target, SEL selector, id argument) {
  Call *call = malloc(sizeof *call);
  *call = (Call){[target retain], selector, [argument retain]};
  pthread_t thread;
  if (pthread_create(&thread, NULL, run, call) != 0) abort();
  pthread_detach(thread);
}

/* Hidden selectors */

static BOOL is_hidden(SEL selector) {
  return strcmp(hidden, sel_getName(selector)) == 0;
}

@implementation FakeObject
+ (BOOL)instancesRespondToSelector:(SEL)selector {
  return !is_hidden(selector) && [super instancesRespondToSelector:selector];
}

+ (BOOL)respondsToSelector:(SEL)selector {
  return !is_hidden(selector) && [super respondsToSelector:selector];
}
@end

/* Controls */

void fake_coreml_fail(uint32_t n) {
  pthread_mutex_lock(&lock);
  calls_until_fault = n;
  fired[0] = '\0';
  pthread_mutex_unlock(&lock);
}

const char *fake_coreml_fired(void) {
  return fired[0] == '\0' ? NULL : fired;
}

void fake_coreml_delay(uint32_t milliseconds) {
  delay = milliseconds;
}

void fake_coreml_ignore_backings(bool ignore) {
  ignores_backings = ignore;
}

BOOL fake_ignores_backings(void) {
  return ignores_backings;
}

void fake_coreml_hide(const char *selector) {
  snprintf(hidden, sizeof hidden, "%s", selector);
}

uint64_t fake_coreml_live(const char *name) {
  if (name[0] != '\0') return (uint64_t)GSDebugAllocationCount(objc_getClass(name));
  uint64_t live = 0;
  for (Class *class = GSDebugAllocationClassList(); *class != Nil; class++) {
    if (strncmp(class_getName(*class), "ML", 2) == 0) live += (uint64_t)GSDebugAllocationCount(*class);
  }
  return live;
}

const char *fake_coreml_objects(void) {
  static char list[1 << 14];
  NSAutoreleasePool *pool = [NSAutoreleasePool new];
  snprintf(list, sizeof list, "%s", GSDebugAllocationList(NO));
  [pool release];
  return list;
}
