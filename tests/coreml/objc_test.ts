/** ffi/objc/, on the framework of native/fake_coreml/. */
import { assertEquals, assertThrows } from "@std/assert";
import { openCoreMLFramework } from "../../ffi/objc/core_ml.ts";
import { LibraryError } from "../../ffi/library.ts";
import { runChild } from "../../support/child.ts";
import { available, buildFakeFramework, testOnFake, unavailable } from "./fake_framework.ts";

testOnFake("Objective-C, Foundation and completions", "objc.ts");

Deno.test({
  name: `fake Core ML: GNUstep tells of an object without a pool${unavailable}`,
  ignore: !available,
  fn: async () => {
    const { stderr } = await run("no_pool.ts");
    assertEquals(/autorelease called without pool/.test(stderr), true, stderr);
  },
});

Deno.test({
  name: `fake Core ML: a program lasts as long as it waits for Core ML, and no longer${unavailable}`,
  ignore: !available,
  fn: async () => assertEquals(await run("ends.ts"), { code: 0, signal: null, stdout: "refused", stderr: "" }),
});

Deno.test({
  name: "without macOS there is no Core ML, and the message says so",
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
