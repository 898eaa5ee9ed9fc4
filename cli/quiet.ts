/**
 * Hides what native libraries write to standard error, as WebGPU does without a driver. The command itself reports one
 * line with the reason.
 *
 * @module
 */

const LIBC: Readonly<Partial<Record<typeof Deno.build.os, string>>> = {
  linux: "libc.so.6",
  darwin: "libSystem.dylib",
};

const STDERR = 2;
const WRITE_ONLY = 1;

/** Discards standard error while `work` runs. Has an effect only on Linux and macOS. */
export async function withoutStderr<T>(work: () => Promise<T>): Promise<T> {
  const name = LIBC[Deno.build.os];
  if (name === undefined) return await work();
  const library = Deno.dlopen(name, {
    open: { parameters: ["buffer", "i32"], result: "i32" },
    dup: { parameters: ["i32"], result: "i32" },
    dup2: { parameters: ["i32", "i32"], result: "i32" },
    close: { parameters: ["i32"], result: "i32" },
  });
  const libc = library.symbols;
  const devNull = libc.open(new TextEncoder().encode("/dev/null\0"), WRITE_ONLY);
  const stderr = libc.dup(STDERR);
  try {
    if (devNull >= 0 && stderr >= 0) libc.dup2(devNull, STDERR);
    return await work();
  } finally {
    if (stderr >= 0) libc.dup2(stderr, STDERR);
    for (const descriptor of [devNull, stderr]) if (descriptor >= 0) libc.close(descriptor);
    library.close();
  }
}
