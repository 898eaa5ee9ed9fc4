/** Opening valid and invalid libraries. Invalid ones are opened in another process, which must not end by a signal. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";

import { readEnvironment, verifyLibrary } from "../../ffi/library.ts";
import { openOnnxRuntime } from "../../ffi/onnxruntime/library.ts";
import { compileLibrary, compiler, withoutCompiler } from "../../support/c_compiler.ts";
import { runChild } from "../../support/child.ts";

// This test must be the first in this file: the others use the library that it opens.
Deno.test("ONNX Runtime opens from npm, without leaving a handle open", { sanitizeResources: true }, async () => {
  const { version, api } = await openOnnxRuntime();
  assertEquals(version, "1.30.0");
  api.ReleaseSessionOptions(api.CreateSessionOptions());
});

Deno.test("the library of a path is opened once", async () => {
  const runtime = await openOnnxRuntime();
  assertEquals(await openOnnxRuntime(runtime.path), runtime);
});

Deno.test("ONNX Runtime passes verification", async () => {
  const { path } = await openOnnxRuntime();
  const times = Array.from({ length: 21 }, () => {
    const start = performance.now();
    verifyLibrary(path);
    return performance.now() - start;
  }).sort((a, b) => a - b);
  const { size } = await Deno.stat(path);
  console.log(`verified ${(size / 1e6).toFixed(1)} MB in ${times[10]!.toFixed(2)} ms (median of 21)`);
});

Deno.test("bad files", async (t) => {
  const { path: original } = await openOnnxRuntime();
  await withTemporaryFolder(async (folder) => {
    const file = join(folder, "libonnxruntime.so");
    await t.step("missing", () => assertRejected(file, "does not exist; check the path"));
    await t.step("a directory", () => assertRejected(folder, "is a directory; name the library itself"));

    await Deno.copyFile(original, file);
    const { size } = await Deno.stat(file);
    await t.step("the copy is good", () => verifyLibrary(file));
    for (const length of [size - 1, Math.floor(size / 2), 4096, 64, 63, 20, 5]) {
      await Deno.truncate(file, length);
      await t.step(`truncated to ${length} bytes`, () => assertRejected(file, "install it again"));
    }

    await Deno.writeTextFile(file, "version https://example.org/pointer\n".repeat(100));
    await t.step("text", () => assertRejected(file, "is not a shared library"));
    await Deno.writeTextFile(file, "MZ");
    await t.step("two letters", () => assertRejected(file, "is not a shared library"));
    await Deno.writeTextFile(file, "");
    await t.step("empty", () => assertRejected(file, "is empty"));
  });
});

Deno.test("libraries for other systems", async (t) => {
  const { path } = await openOnnxRuntime();
  const { os, arch } = Deno.build;
  const others = [
    ["linux", "x86_64", "linux/x64/libonnxruntime.so.1"],
    ["linux", "aarch64", "linux/arm64/libonnxruntime.so.1"],
    ["darwin", "aarch64", "darwin/arm64/libonnxruntime.1.30.0.dylib"],
    ["windows", "x86_64", "win32/x64/onnxruntime.dll"],
  ] as const;
  for (const [otherOs, otherArch, file] of others) {
    if (otherOs === os && otherArch === arch) continue;
    const message = otherOs === os
      ? `is for ${otherArch}; take the one for ${arch}`
      : "is a library for another system";
    await t.step(file, () => assertRejected(join(path, "../../..", file), message));
  }
});

Deno.test({
  name: `valid libraries that are not ONNX Runtime, or an old version of it${withoutCompiler}`,
  ignore: compiler === null,
  fn: async (t) => {
    await withTemporaryFolder(async (folder) => {
      const file = join(folder, "libonnxruntime.so");
      await compile("ANOTHER_LIBRARY", file);
      await t.step("another library", () => assertRejected(file, "is not ONNX Runtime (no OrtGetApiBase)"));
      await compile("NO_API", file);
      await t.step("no API", () => assertRejected(file, "is not ONNX Runtime (no OrtGetApiBase)"));
      await compile("TOO_OLD", file);
      await t.step(
        "too old",
        () => assertRejected(file, "is ONNX Runtime 1.16.3, which is too old; name ONNX Runtime"),
      );
    });
  },
});

Deno.test("permissions", async (t) => {
  await t.step("no --allow-ffi", () => assertRejected("", "run Deno with --allow-ffi", ["--no-prompt"]));
  await t.step("--allow-ffi for some paths only", async () => {
    const { path } = await openOnnxRuntime();
    const message = "run Deno with --allow-ffi, without a list of paths";
    await assertRejected("", message, ["--no-prompt", `--allow-ffi=${path}`]);
    await assertRejected("", message, ["--no-prompt", `--allow-ffi=${path},libc.so.6`]);
  });
  await t.step("an environment variable without permission causes no prompt", async () => {
    const { code, stdout } = await runChild(new URL("open_onnxruntime.ts", import.meta.url), [], ["--allow-ffi"], {
      WEBNN_ORT_PATH: "/no/such",
    });
    assertEquals(code, 0);
    assertStringIncludes(stdout, "opened 1.30.0");
  });
  await t.step("an environment variable that may be read", async () => {
    const flags = ["--allow-ffi", "--allow-env=WEBNN_ORT_PATH"];
    const { stdout } = await runChild(new URL("open_onnxruntime.ts", import.meta.url), [], flags, {
      WEBNN_ORT_PATH: "/no/such",
    });
    assertEquals(stdout, "LibraryError: /no/such does not exist; check the path");
  });
});

Deno.test({
  name: "readEnvironment does not prompt for permission",
  permissions: { env: false },
  fn: () => assertEquals(readEnvironment("HOME"), undefined),
});

Deno.test("an uncaught error during a nonblocking run ends the process without a signal", async () => {
  const { code, signal, stdout, stderr } = await runChild(new URL("uncaught_error.ts", import.meta.url));
  assertEquals({ code, signal, stdout }, { code: 1, signal: null, stdout: "running" });
  assertStringIncludes(stderr, "thrown during the run");
});

async function assertRejected(path: string, message: string, flags?: readonly string[]): Promise<void> {
  const { code, signal, stdout } = await runChild(
    new URL("open_onnxruntime.ts", import.meta.url),
    path === "" ? [] : [path],
    flags,
  );
  assertEquals({ code, signal }, { code: 0, signal: null }, stdout);
  assert(stdout.startsWith(`LibraryError: ${path}`), stdout);
  assertStringIncludes(stdout, message);
}

async function withTemporaryFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function compile(macro: string, file: string): Promise<void> {
  return compileLibrary(new URL("fake_onnxruntime.c", import.meta.url), file, [`-D${macro}`]);
}
