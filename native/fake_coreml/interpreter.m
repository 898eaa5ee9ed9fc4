/*
 * The process that runs programs: `deno run` on a server of the tests, at the other end of two pipes. It starts with the
 * first request and ends when this process does, since its standard input ends then.
 *
 * A message is two lengths of 32 bits, a header in JSON and a payload.
 */

#define _GNU_SOURCE
#import "fake.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdlib.h>
#include <unistd.h>

#ifndef FAKE_COREML_DENO
#error "FAKE_COREML_DENO must name the program deno, FAKE_COREML_SERVER the server"
#endif

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int to_server = -1;
static int from_server = -1;

static BOOL start(void) {
  extern char **environ;
  char *arguments[] = {"deno", "run", "--quiet", "--no-check", "--allow-read", "--allow-write", FAKE_COREML_SERVER, NULL};
  int input[2], output[2];
  if (pipe2(input, O_CLOEXEC) != 0) return NO;
  if (pipe2(output, O_CLOEXEC) != 0) return NO;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
  pid_t pid;
  int problem = posix_spawn(&pid, FAKE_COREML_DENO, &actions, NULL, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  close(input[0]);
  close(output[1]);
  to_server = input[1];
  from_server = output[0];
  return problem == 0;
}

static BOOL write_all(const void *bytes, size_t length) {
  for (const char *next = bytes; length > 0;) {
    ssize_t count = write(to_server, next, length);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return NO;
    next += count;
    length -= (size_t)count;
  }
  return YES;
}

static NSMutableData *read_all(size_t length) {
  NSMutableData *data = [NSMutableData dataWithLength:length];
  for (char *next = [data mutableBytes]; length > 0;) {
    ssize_t count = read(from_server, next, length);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return nil;
    next += count;
    length -= (size_t)count;
  }
  return data;
}

static NSDictionary *exchange(NSData *header, NSData *payload, NSData **answer) {
  uint32_t lengths[2] = {(uint32_t)[header length], (uint32_t)[payload length]};
  BOOL sent = write_all(lengths, sizeof lengths) && write_all([header bytes], [header length]) &&
              write_all([payload bytes], [payload length]);
  NSData *answered = sent ? read_all(sizeof lengths) : nil;
  if (answered == nil) return nil;
  const uint32_t *sizes = [answered bytes];
  NSData *json = read_all(sizes[0]);
  *answer = read_all(sizes[1]);
  return json == nil || *answer == nil ? nil : [NSJSONSerialization JSONObjectWithData:json options:0 error:NULL];
}

NSDictionary *fake_ask(NSDictionary *request, NSData *payload, NSData **answer, NSError **error) {
  NSData *header = [NSJSONSerialization dataWithJSONObject:request options:0 error:NULL];
  NSData *unused;
  pthread_mutex_lock(&lock);
  BOOL isOpen = to_server >= 0 || start();
  NSDictionary *reply = isOpen ? exchange(header, payload, answer == NULL ? &unused : answer) : nil;
  pthread_mutex_unlock(&lock);
  NSString *problem = reply == nil ? @"The interpreter has ended" : [reply objectForKey:@"error"];
  if (problem == nil) return reply;
  *error = fake_error(0, @"Core ML rejected it.", fake_error(3, problem, nil));
  return nil;
}
