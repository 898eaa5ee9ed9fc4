/**
 * Native libraries that write to standard error by themselves, as WebGPU's does where there is no driver: an error of the
 * command line is one line, and says the reason itself.
 *
 * @module
 */

const LIBC: Readonly<Partial<Record<typeof Deno.build.os, string>>> = {
  linux: "libc.so.6",
  darwin: "libSystem.dylib",
};

const STDERR = 2;
const WRITE_ONLY = 1;

/** Does work meanwhile nothing comes to standard error. On systems other than Linux and macOS it comes as ever. */
export async function withoutStderr<T>(work: () => Promise<T>): Promise<T> {
  const name = LIBC[Deno.build.os];
  if (name === undefined) return await work();
  const libc = Deno.dlopen(name, {
    open: { parameters: ["buffer", "i32"], result: "i32" },
    dup: { parameters: ["i32"], result: "i32" },
    dup2: { parameters: ["i32", "i32"], result: "i32" },
    close: { parameters: ["i32"], result: "i32" },
  }).symbols;
  const nowhere = libc.open(new TextEncoder().encode("/dev/null\0"), WRITE_ONLY);
  const stderr = libc.dup(STDERR);
  try {
    if (nowhere >= 0 && stderr >= 0) libc.dup2(nowhere, STDERR);
    return await work();
  } finally {
    if (stderr >= 0) libc.dup2(stderr, STDERR);
    for (const descriptor of [nowhere, stderr]) if (descriptor >= 0) libc.close(descriptor);
  }
}
