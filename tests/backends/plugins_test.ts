/** Plug-in providers: wrong files give errors and do not crash the process. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { createContext, devices, MLGraphBuilder } from "@webnn/deno";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { openOnnxRuntime } from "../../ffi/onnxruntime/library.ts";
import { compileLibrary, compiler, withoutCompiler } from "../../support/c_compiler.ts";
import { runChild } from "../../support/child.ts";
import { ggml, openvinoPlugin, testOn } from "../support/devices.ts";

/** Creates a folder of wrong plug-ins. */
async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Asserts that a context with the plug-in cannot be created, and that the list of devices has the reason. */
async function assertRefused(path: string, reason: string): Promise<void> {
  await assertRejects(() => createContext({ device: "gpu", plugins: [path] }), DOMException, reason);
  const entry = (await devices({ plugins: [path] })).find(({ provider }) => provider === path);
  assertEquals(entry?.available, false);
  assert(entry!.reason!.includes(reason), `${entry!.reason} does not include ${reason}`);
}

Deno.test("a plug-in that is missing, text, empty or truncated is refused", async () => {
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

Deno.test("a library for another system is refused", async () => {
  const files = { linux: "win32/x64/onnxruntime.dll", windows: "linux/x64/libonnxruntime.so.1" } as const;
  const file = files[Deno.build.os as keyof typeof files] ?? files.linux;
  const { path } = await openOnnxRuntime();
  await assertRefused(resolve(path, "../../..", file), basename(file));
});

Deno.test({
  name: `a plug-in that needs a missing library is refused, and names it${withoutCompiler}`,
  ignore: compiler === null || Deno.build.os !== "linux",
  fn: () =>
    withFolder(async (folder) => {
      const needed = join(folder, "libneeded_by_plugin.so");
      const path = join(folder, "libneedy_plugin.so");
      const source = new URL("refusing_plugin.c", import.meta.url);
      await compileLibrary(source, needed);
      await compileLibrary(source, path, [`-Wl,--no-as-needed,-L${folder},-lneeded_by_plugin`]);
      await Deno.remove(needed);
      await assertRefused(path, "libneeded_by_plugin.so");
    }),
});

Deno.test("a library that is not a plug-in is refused", async () => {
  const { path } = await openOnnxRuntime();
  await assertRefused(path, "no CreateEpFactories, no GetProvider");
});

Deno.test({
  name: `if a plug-in rejects this ONNX Runtime, its message is the reason${withoutCompiler}`,
  ignore: compiler === null,
  fn: () =>
    withFolder(async (folder) => {
      const path = join(folder, "librefusing_plugin.so");
      await compileLibrary(new URL("refusing_plugin.c", import.meta.url), path);
      await assertRefused(path, "this plug-in wants ONNX Runtime 9.9");
    }),
});

Deno.test("plug-ins can be named in the environment, and by URL", async () => {
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
    assert(!without.stdout.includes(one)); // No prompt for the permission to read the environment.
  });
});

testOn(ggml, "can be named in the environment, and is called like its file", async () => {
  const [path] = ggml.options.plugins as [string];
  const program = new URL("programs/list_devices.ts", import.meta.url);
  const { code, stdout } = await runChild(program, [], ["--allow-ffi", "--allow-env"], { WEBNN_ORT_PLUGINS: path });
  const entries: Awaited<ReturnType<typeof devices>> = JSON.parse(stdout);
  const entry = entries.find(({ provider }) => provider === "ggml");
  assertEquals([code, entry?.available, entry?.device, entry?.version], [0, true, "cpu", "0.2.0"]);
});

testOn(openvinoPlugin, "supports Intel's processors; on others, the error names the hardware", async () => {
  const [path] = openvinoPlugin.options.plugins as [string];
  const entries = await devices({ plugins: [path] });
  const found = entries.find(({ device, provider }) => provider === "openvino" && device === "cpu");
  if (found?.available) return await computeOnce();
  const { reason } = entries.find(({ provider }) => provider === path)!;
  assertMatch(reason!, /offers no device for the hardware of this machine \(cpu of \w+/);
  const open = () => createContext(openvinoPlugin.options);
  await assertRejects(open, DOMException, "no cpu of the provider openvino is available");
});

async function computeOnce(): Promise<void> {
  const context = await createContext(openvinoPlugin.options);
  const builder = new MLGraphBuilder(context);
  const descriptor = { dataType: "float32", shape: [2] } as const;
  const graph = await builder.build({ y: builder.relu(builder.input("x", descriptor)) });
  const x = await context.createTensor({ ...descriptor, writable: true });
  const y = await context.createTensor({ ...descriptor, readable: true });
  context.writeTensor(x, Float32Array.of(-1, 2));
  context.dispatch(graph, { x }, { y });
  assertEquals([...new Float32Array(await context.readTensor(y))], [0, 2]);
  context.destroy();
}
