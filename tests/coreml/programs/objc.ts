/** Calls of Objective-C and Foundation from JavaScript, and calls that complete on other threads. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { openCoreMLFramework } from "../../../ffi/objc/core_ml.ts";
import { type Foundation, NSError } from "../../../ffi/objc/foundation.ts";
import { openCallback, openFakeControls } from "../fake_framework.ts";

const [library, folder] = Deno.args as [string, string];
const { allocate, build, devices, files, foundation, homeFolder, messages, runtime, version } = openCoreMLFramework(
  library,
);

await openCallback(runtime);

/** Registers a test inside an autorelease pool, which creating objects requires. */
function test(name: string, body: (foundation: Foundation) => void): void {
  Deno.test(name, () => runtime.pooled(() => body(foundation)));
}

test("converting text to NSString and back returns the same text", ({ string, text }) => {
  for (const original of ["", "model", "für Elise", "模型", "😀 𝄞", "a\nb", "x".repeat(100_000)]) {
    assertEquals(text(string(original)), original);
  }
  assertEquals(text(null), "");
  assertThrows(() => string("a\0b"), TypeError, "NUL");
});

test("arrays, integers of 53 bits and dictionaries are converted to Foundation and back", ({ dictionary, integers, numbers, string, text, valueAt }) => {
  const values = [0, 1, -1, 2 ** 31, -(2 ** 31), 2 ** 53 - 1];
  assertEquals(integers(numbers(values)), values);
  assertEquals(integers(numbers([])), []);
  const entries = dictionary([["ä", string("1")], ["b", string("2")]]);
  assertEquals([text(valueAt(entries, "ä")), text(valueAt(entries, "b")), valueAt(entries, "c")], ["1", "2", null]);
});

test("converting a path with special characters to NSURL and back returns the same path", ({ fileUrl, path }) => {
  const original = `${folder}/a folder/100% #1 für?.mlpackage`;
  assertEquals(path(fileUrl(original)), original);
});

test("version, build, devices and home folder are read from the system", () => {
  assertEquals([version, build, devices], ["15.0", "24FAKE", ["cpu", "gpu", "npu"]]);
  assert(homeFolder.startsWith("/"), homeFolder);
});

Deno.test("files and folders are created, measured, moved and removed", async () => {
  const [one, two] = [`${folder}/files/one`, `${folder}/files/two`];
  files.createFolder(`${one}/deep`);
  const file = files.create(`${one}/deep/file`);
  await file.write(new Uint8Array(10_000_000).fill(7));
  await file.write(Uint8Array.of(8));
  file.close();
  assertEquals([files.exists(one), files.sizeOf(one) >= 10_000_001], [true, true]);
  files.move(one, two);
  assertEquals([files.exists(one), files.list(two), files.list(`${folder}/files`)], [false, ["deep"], ["two"]]);
  const bytes = await Deno.readFile(`${two}/deep/file`);
  assertEquals([bytes.length, bytes[9_999_999], bytes[10_000_000]], [10_000_001, 7, 8]);
  await Deno.utime(two, 1000, 1000);
  assertEquals(files.modified(two), 1000);
  files.touch(two);
  assert(Math.abs(files.modified(two) - Date.now() / 1000) < 60);
  files.remove(`${folder}/files`);
  assertEquals(files.exists(two), false);
});

Deno.test("errors of files have a domain and a code, or name the file", () => {
  const error = assertThrows(() => files.list(`${folder}/missing`), NSError);
  assertEquals([/^NS\w+ErrorDomain$/.test(error.domain), error.code > 0], [true, true], error.domain);
  assertThrows(() => files.create(`${folder}/missing/file`), Error, `${folder}/missing/file could not be created`);
});

Deno.test("allocated memory is zeroed and starts at a page", () => {
  const { bytes, free, pointer } = allocate(100_000);
  assertEquals([bytes.length, bytes.some((byte) => byte !== 0)], [100_000, false]);
  assertEquals(Deno.UnsafePointer.value(pointer) % 4096n, 0n);
  free();
  assertEquals(bytes.length, 0);
  assertThrows(() => allocate(2 ** 52), RangeError, "4503599627370496 bytes");
});

const load = (path: string) =>
  runtime.pooled(() => {
    const configuration = messages.newConfiguration();
    const loading = messages.loadModel(() => "loaded", foundation.fileUrl(path), configuration);
    runtime.release(configuration);
    return loading;
  });

Deno.test("the cause of an NSError is the underlying error", async () => {
  const error = await assertRejects(() => load(`${folder}/missing.mlmodelc`), NSError);
  assertEquals([error.domain, error.code], ["com.apple.CoreML", 0]);
  const { cause } = error as { cause?: unknown };
  assert(cause instanceof NSError && cause.code === 3, String(cause));
  assert(error.message.includes("Core ML rejected it. (com.apple.CoreML 0): "), error.message);
  assert(error.message.includes("No such file"), error.message);
});

Deno.test("300 concurrent calls each get their own result", async () => {
  const calls = Array.from({ length: 300 }, (_, i) => load(`${folder}/missing_${i}.mlmodelc`).catch(String));
  assertEquals(runtime.completions.pending, 300);
  const errors = await Promise.all(calls);
  errors.forEach((error, i) => assert(String(error).includes(`missing_${i}.mlmodelc`), String(error)));
  assertEquals(runtime.completions.pending, 0);
});

Deno.test("an error in starting or completing a call rejects its promise", async () => {
  const { completions } = runtime;
  await assertRejects(
    () =>
      completions.wait(() => {
        throw new Error("not started");
      }, () => {}),
    Error,
    "not started",
  );
  const package_ = `${folder}/missing.mlpackage`;
  await assertRejects(
    () => runtime.pooled(() => messages.compileModel(() => "", foundation.fileUrl(package_))),
    NSError,
  );
  assertEquals(completions.pending, 0);
});

Deno.test("opening Core ML throws an error that names a missing method", () => {
  using fake = openFakeControls(library);
  // Core ML is opened once per path, so each attempt uses another path of the same library.
  const reopen = (n: number) => openCoreMLFramework(`${folder}/${"./".repeat(n)}${library.slice(folder.length + 1)}`);
  try {
    fake.hide("predictionFromFeatures:options:completionHandler:");
    assertThrows(
      () => reopen(1),
      Error,
      "has no -[MLModel predictionFromFeatures:options:completionHandler:]; use macOS 14 or newer",
    );
    fake.hide("setSpecializationStrategy:");
    assertEquals(reopen(2).messages.setSpecialization, undefined, "optional, because older systems lack it");
  } finally {
    fake.hide("");
  }
});
