/** Core ML through the public API: the choice of engines, options, and the list of devices. */

import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import {
  contextInfo,
  type ContextOptions,
  createContext,
  devices,
  graphInfo,
  type MLContext,
  MLGraphBuilder,
  type MLOperand,
  type MLOperandDataType,
} from "@webnn/deno";
import { openCoreMLFramework } from "../../../ffi/objc/core_ml.ts";
import { openDevice } from "../../../src/backends/select.ts";
import { testBackend } from "../../support/backend_contract.ts";
import { listDevices } from "../../../src/backends/coreml/mod.ts";
import { openCallback, openFakeControls } from "../fake_framework.ts";
import { DEFAULTS } from "../../../src/options.ts";

const [library, folder] = Deno.args as [string, string];
const cacheDirectory = `${folder}/cache`;
Deno.env.set("WEBNN_COREML_FRAMEWORK", library);
Deno.env.set("WEBNN_CACHE_DIR", `${folder}/default_cache`);
const fake = openFakeControls(library);
await openCallback(openCoreMLFramework().runtime);
await (await createContext()).destroy(); // ONNX Runtime stays open, and must not look like a leak of a test.

function test(name: string, body: (context: MLContext) => Promise<void>, options: ContextOptions = {}): void {
  Deno.test(name, async () => {
    const context = await createContext({ backend: "coreml", cacheDirectory, ...options });
    try {
      await body(context);
    } finally {
      fake.fail(0);
      context.destroy();
      for (let i = 0; i < 500 && fake.live() > 0; i++) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    assertEquals(fake.live(), 0);
  });
}

function build(
  context: MLContext,
  body: (builder: MLGraphBuilder, x: MLOperand) => MLOperand,
  dataType: MLOperandDataType = "float32",
) {
  const builder = new MLGraphBuilder(context);
  return builder.build({ y: body(builder, builder.input("x", { dataType, shape: [4] })) });
}

async function run(context: MLContext, graph: Awaited<ReturnType<typeof build>>, values: Float32Array) {
  const descriptor = { dataType: "float32", shape: [4], readable: true, writable: true } as const;
  const [x, y] = [await context.createTensor(descriptor), await context.createTensor(descriptor)];
  context.writeTensor(x, values);
  context.dispatch(graph, { x }, { y });
  return [...new Float32Array(await context.readTensor(y))];
}

const NATIVE = { backend: "coreml", provider: "coreml" };
const PARTS = { backend: "onnxruntime", provider: "coreml" };
const CPU = { backend: "onnxruntime", provider: "cpu" };

test("a graph that Core ML does not support runs on ONNX Runtime, and graphInfo gives the reason", async (context) => {
  assertEquals(contextInfo(context).backend, "coreml");
  const native = await build(context, (builder, x) => builder.add(x, x));
  assertEquals(graphInfo(native), { ...NATIVE, devices: ["gpu"], elsewhere: [], refusals: [] });
  assertEquals(await run(context, native, Float32Array.of(1, 2, 3, 4)), [2, 4, 6, 8]);
  const other = await build(context, (builder, x) => builder.cast(builder.cast(x, "int64"), "float32"));
  assertEquals(graphInfo(other), {
    ...CPU,
    devices: ["cpu"],
    elsewhere: [],
    refusals: [
      { ...NATIVE, reason: "the operand input of cast cannot be int64" },
      { ...PARTS, reason: "this build of ONNX Runtime does not have it" },
    ],
  });
  assertEquals(await run(context, other, Float32Array.of(1.5, 2.5, -3.5, 4)), [1, 2, -3, 4]);
});

test("a graph whose build fails on Core ML runs on ONNX Runtime, and graphInfo gives Core ML's message", async (context) => {
  const reasons: string[] = [];
  for (let n = 1; fake.fail(n), true; n++) {
    const graph = await build(context, (builder, x) => builder.sub(x, builder.constant("float32", n)));
    const fired = fake.fired();
    fake.fail(0);
    const { backend, refusals } = graphInfo(graph);
    if (backend === "onnxruntime") reasons.push(refusals[0]!.reason);
    else assertEquals(refusals, []);
    assertEquals(await run(context, graph, Float32Array.of(1, 2, 3, 4)), [1 - n, 2 - n, 3 - n, 4 - n]);
    graph.destroy();
    if (fired === undefined) break;
  }
  assert(reasons.some((reason) => reason.includes("injected failure of compileModelAtURL")), reasons.join("\n"));
  assert(reasons.length > 10 && reasons.every((reason) => reason !== ""));
});

test(
  "without fallback, building a graph that Core ML does not support throws an error with the reason",
  async (context) => {
    assert(!context.opSupportLimits().input.dataTypes.includes("int64"));
    assertThrows(() => new MLGraphBuilder(context).input("x", { dataType: "int64", shape: [4] }), TypeError, "int64");
    fake.fail(1);
    const error = await assertRejects(() => build(context, (builder, x) => builder.tanh(x)), DOMException);
    assertEquals(error.message, "The graph could not be built: +[NSString stringWithUTF8String:] returned nil");
    const graph = await build(context, (builder, x) => builder.tanh(x));
    assertEquals(graphInfo(graph), { ...NATIVE, devices: ["gpu"], elsewhere: [], refusals: [] });
  },
  { fallback: false },
);

const CHOICES: readonly (readonly [ContextOptions, device: string])[] = [
  [{}, "gpu"],
  [{ powerPreference: "high-performance" }, "gpu"],
  [{ powerPreference: "low-power" }, "npu"],
  [{ deviceType: "npu" }, "npu"],
  [{ accelerated: false, powerPreference: "low-power" }, "cpu"],
  [{ accelerated: false, device: "gpu" }, "gpu"],
  [{ device: "cpu" }, "cpu"],
];
for (const [options, expected] of CHOICES) {
  test(`the options ${JSON.stringify(options)} choose the device ${expected}`, (context) => {
    assertEquals([contextInfo(context).device, context.accelerated], [expected, expected !== "cpu"]);
    return Promise.resolve();
  }, options);
}

for (const allowReducedPrecision of [false, true]) {
  test(
    `allowReducedPrecision: ${allowReducedPrecision} computes in ${allowReducedPrecision ? "float16" : "float32"}`,
    async (context) => {
      const graph = await build(context, (builder, x) => builder.mul(x, builder.constant("float32", 1)));
      const value = Math.fround(1 + 2 ** -12);
      assertEquals((await run(context, graph, new Float32Array(4).fill(value)))[0], allowReducedPrecision ? 1 : value);
    },
    { allowReducedPrecision },
  );
}

test("cacheDirectory and cacheSizeLimit apply to compiled models", async (context) => {
  await build(context, (builder, x) => builder.cos(x));
  await build(context, (builder, x) => builder.sin(x));
  const names = [...Deno.readDirSync(`${folder}/limited`)].map(({ name }) => name);
  assertEquals(
    names.map((name) => name.replace(/^[0-9a-f]{64}/, "")),
    [".mlmodelc"],
    "only one entry fits in the limit",
  );
}, { cacheDirectory: `${folder}/limited`, cacheSizeLimit: 100, fallback: false });

test("without ONNX Runtime the limits are those of Core ML, and errors give the reasons of both", async (context) => {
  assert(!context.opSupportLimits().input.dataTypes.includes("int64"));
  fake.fail(1);
  const error = await assertRejects(() => build(context, (builder, x) => builder.erf(x)), DOMException);
  assertStringIncludes(error.message, "coreml: +[NSString stringWithUTF8String:] returned nil; onnxruntime (coreml): ");
  assertStringIncludes(error.message, "; onnxruntime (cpu): /missing/onnxruntime does not exist");
  const graph = await build(context, (builder, x) => builder.erf(x));
  assertEquals(graphInfo(graph).backend, "coreml");
}, { library: "/missing/onnxruntime" });

testBackend("Core ML before ONNX Runtime", () => {
  return openDevice({ ...DEFAULTS, backend: "coreml", cacheDirectory });
});

Deno.test("the backend coreml rejects a provider of ONNX Runtime", async () => {
  await assertRejects(
    () => createContext({ backend: "coreml", provider: "webgpu" }),
    DOMException,
    "the backend coreml has no provider webgpu",
  );
});

Deno.test("Core ML is chosen only by the option backend", async () => {
  for (const options of [{}, { powerPreference: "low-power" }, { deviceType: "npu" }] as const) {
    const context = await createContext(options);
    assertEquals(contextInfo(context).backend, "onnxruntime", JSON.stringify(options));
    context.destroy();
  }
});

Deno.test("devices() lists Core ML and the reason why ONNX Runtime is not available", async () => {
  const [cpu, ...others] = await devices({ library: "/missing/onnxruntime" });
  assertEquals([cpu!.provider, cpu!.available], ["cpu", false]);
  assertStringIncludes(cpu!.reason!, "/missing/onnxruntime does not exist");
  assertEquals(others.map(({ backend, device, available }) => [backend, device, available]), [
    ["coreml", "npu", true],
    ["coreml", "gpu", true],
    ["coreml", "cpu", true],
  ]);
});

Deno.test("the devices of Core ML are listed, each after running a small graph on it", async () => {
  const common = { ...NATIVE, vendor: "Apple", version: "15.0", available: true };
  assertEquals(await listDevices(), [
    { ...common, device: "npu", hardware: "Neural Engine and CPU", accelerated: true },
    { ...common, device: "gpu", hardware: "Neural Engine, GPU and CPU", accelerated: true },
    { ...common, device: "cpu", hardware: "CPU", accelerated: false },
  ]);
  fake.fail(1);
  const [npu, gpu] = await listDevices();
  fake.fail(0);
  assertEquals([npu!.available, npu!.accelerated, gpu!.available], [false, false, true]);
  assert(npu!.reason!.includes("returned nil"), npu!.reason!);
});
