/** ffi/objc/, on the framework of native/fake_coreml/. */
import { assertEquals, assertThrows } from "@std/assert";
import { openCoreMLFramework } from "../../ffi/objc/core_ml.ts";
import { LibraryError } from "../../ffi/library.ts";
import { runChild } from "../../support/child.ts";
import { available, buildFakeFramework, testOnFake, unavailable } from "./fake_framework.ts";

testOnFake("Objective-C, Foundation and completions", "objc.ts");

Deno.test({
  name: `fake Core ML: GNUstep reports an object created outside an autorelease pool${unavailable}`,
  ignore: !available,
  fn: async () => {
    const { stderr } = await run("no_pool.ts");
    assertEquals(/autorelease called without pool/.test(stderr), true, stderr);
  },
});

Deno.test({
  name: `fake Core ML: a pending completion keeps the program running; afterwards it exits${unavailable}`,
  ignore: !available,
  fn: async () => assertEquals(await run("ends.ts"), { code: 0, signal: null, stdout: "rejected", stderr: "" }),
});

Deno.test({
  name: "opening Core ML without macOS throws an error that gives the reason",
  ignore: Deno.build.os === "darwin",
  fn: () => {
    assertThrows(() => openCoreMLFramework(), LibraryError, "Core ML is a part of macOS");
    assertThrows(() => openCoreMLFramework("/missing/CoreML"), LibraryError, "/missing/CoreML does not exist");
  },
});

async function run(program: string) {
  const folder = await Deno.makeTempDir();
  try {
    const library = await buildFakeFramework(folder);
    const url = new URL(`./programs/${program}`, import.meta.url);
    return await runChild(url, [library], ["--allow-all", "--no-check"], { TMPDIR: folder, TMP: folder });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
