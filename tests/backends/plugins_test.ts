/** Plug-in providers: files that are none give errors, and no signal. */

import { assert, assertEquals, assertRejects } from "@std/assert";

import { createContext, devices } from "@webnn/deno";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { openOnnxRuntime } from "../../ffi/onnxruntime/library.ts";
import { compileLibrary, compiler, withoutCompiler } from "../support/c_compiler.ts";
import { runChild } from "../support/child.ts";

/** Runs with a folder of wrong plug-ins. */
async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Both ways to name a plug-in: a context refuses to open, the list goes on and gives the reason. */
async function assertRefused(path: string, reason: string): Promise<void> {
  await assertRejects(() => createContext({ device: "gpu", plugins: [path] }), DOMException, reason);
  const entry = (await devices({ plugins: [path] })).find(({ provider }) => provider === path);
  assertEquals(entry?.available, false);
  assert(entry!.reason!.includes(reason), `${entry!.reason} does not include ${reason}`);
}

Deno.test("a plug-in that is no file, text, empty, or cut short is refused", async () => {
  await withFolder(async (folder) => {
    const library = await Deno.readFile((await openOnnxRuntime()).path);
    const wrong: Record<string, Uint8Array<ArrayBuffer>> = {
      "text.so": new TextEncoder().encode("This is not a library.\n".repeat(1000)),
      "empty.so": new Uint8Array(),
      "truncated.so": library.slice(0, library.length >> 1),
    };
    for (const [name, bytes] of Object.entries(wrong)) {
      await Deno.writeFile(join(folder, name), bytes);
      await assertRefused(join(folder, name), name);
    }
    await assertRefused(join(folder, "missing.so"), "missing.so");
    await assertRefused(folder, folder);
    await assertRefused("plugins/relative.so", "name it by its absolute path");
  });
});

Deno.test("a library for another machine is refused", async () => {
  await withFolder(async (folder) => {
    const library = (await Deno.readFile((await openOnnxRuntime()).path)).slice(0, 1 << 20);
    const MACHINE = 18; // e_machine of an ELF header
    library[MACHINE] = library[MACHINE] === 0xb7 ? 0x3e : 0xb7;
    const path = join(folder, "other_machine.so");
    await Deno.writeFile(path, library);
    await assertRefused(path, "other_machine.so");
  });
});

Deno.test("a library that is no plug-in is refused", async () => {
  const { path } = await openOnnxRuntime();
  await assertRefused(path, "no CreateEpFactories, no GetProvider");
});

Deno.test({
  name: `what a plug-in says when it refuses ONNX Runtime is the reason${withoutCompiler}`,
  ignore: compiler === null,
  fn: () =>
    withFolder(async (folder) => {
      const path = join(folder, "librefusing_plugin.so");
      await compileLibrary(new URL("refusing_plugin.c", import.meta.url), path);
      await assertRefused(path, "this plug-in wants ONNX Runtime 9.9");
    }),
});

Deno.test("plug-ins come from the environment, and a URL will do", async () => {
  await withFolder(async (folder) => {
    const [one, two] = [join(folder, "one.so"), join(folder, "two.so")];
    const listed = await devices({ plugins: [pathToFileURL(one)] });
    assert(listed.some(({ provider }) => provider === one));
    const env = { WEBNN_ORT_PLUGINS: [one, two].join(Deno.build.os === "windows" ? ";" : ":") };
    const program = new URL("programs/list_devices.ts", import.meta.url);
    const { code, signal, stdout } = await runChild(program, [], ["--allow-ffi", "--allow-env"], env);
    assertEquals([code, signal], [0, null]);
    const names = JSON.parse(stdout).map(({ provider }: { provider: string }) => provider);
    assertEquals(names.slice(0, 3), ["cpu", one, two]);
    const without = await runChild(program, [], ["--allow-ffi", "--no-prompt"], env);
    assert(!without.stdout.includes(one)); // Nobody is asked for the permission to read the environment.
  });
});
