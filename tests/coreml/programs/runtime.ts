/** The Core ML backend beyond the contract: devices, memory, outputs that Core ML allocates, the cache. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { join } from "node:path";
import { graphInfo, MLGraphBuilder, type MLOperand } from "../../../mod.ts";
import { contextInfo, createMLContext, type MLContext } from "../../../src/api/ml_context.ts";
import type { MLTensor } from "../../../src/api/ml_tensor.ts";
import { type CoreMLOptions, openCoreML } from "../../../src/backends/coreml/mod.ts";
import type { MLOperandDataType } from "../../../src/data_type.ts";
import { openCoreMLFramework } from "../../../ffi/objc/core_ml.ts";
import { openCallback, openFakeControls } from "../fake_framework.ts";

const [library, folder] = Deno.args as [string, string];
const cacheDirectory = join(folder, "cache");
const limited = join(folder, "limited");
const coreML = openCoreMLFramework(library);
await openCallback(coreML.runtime);
const fake = openFakeControls(library);
globalThis.addEventListener("unload", () => fake[Symbol.dispose]());

/** Registers a test with its own context; afterwards, no Core ML object may be left. */
function test(name: string, body: (context: MLContext) => Promise<void>, options: CoreMLOptions = {}): void {
  Deno.test(name, async () => {
    const device = openCoreML({ cacheDirectory, ...options }, library);
    const closed = Promise.withResolvers<void>();
    const close = device.close.bind(device);
    device.close = () => {
      close();
      closed.resolve();
    };
    const context = createMLContext(device);
    try {
      await body(context);
    } finally {
      fake.delay(0);
      fake.ignoreBackings(false);
      context.destroy();
      await closed.promise;
      await settle();
    }
    assertEquals(fake.live(), 0, JSON.stringify([...fake.objects()].filter(([name]) => name.startsWith("ML"))));
  });
}

/** The framework's threads release their objects shortly after they have called the handler. */
async function settle(): Promise<void> {
  for (let i = 0; i < 500 && fake.live() > 0; i++) await new Promise((resolve) => setTimeout(resolve, 1));
}

function build(
  context: MLContext,
  shape: readonly number[],
  body: (builder: MLGraphBuilder, x: MLOperand) => MLOperand,
) {
  const builder = new MLGraphBuilder(context);
  return builder.build({ y: body(builder, builder.input("x", { dataType: "float32", shape: [...shape] })) });
}

function tensor(
  context: MLContext,
  shape: readonly number[],
  dataType: MLOperandDataType = "float32",
): Promise<MLTensor> {
  return context.createTensor({ dataType, shape: [...shape], readable: true, writable: true } as never);
}

const counting = (length: number) => Float32Array.from({ length }, (_, i) => i - length / 2);

for (const shape of [[], [1], [5], [3, 5], [2, 16], [2, 3, 5], [1, 2, 3, 17], [2, 1, 3, 2, 5]]) {
  test(`outputs that Core ML allocates with padded strides are copied: [${shape}]`, async (context) => {
    const graph = await build(context, shape, (builder, x) => builder.neg(x));
    const [x, y] = [await tensor(context, shape), await tensor(context, shape)];
    const data = counting(shape.reduce((product, size) => product * size, 1));
    context.writeTensor(x, data);
    for (const ignore of [false, true]) {
      fake.ignoreBackings(ignore);
      context.writeTensor(y, new Float32Array(data.length));
      context.dispatch(graph, { x }, { y });
      assertEquals(new Float32Array(await context.readTensor(y)), data.map((element) => -element));
    }
  });
}

const TYPES = {
  float32: Float32Array.of(-1.5, 0, 2, 7, 8, 9),
  float16: Float16Array.of(-1.5, 0, 2, 7, 8, 9),
  int32: Int32Array.of(-100_000, 0, 1, 2, 3, 4),
  int8: Int8Array.of(-128, -1, 0, 1, 2, 127),
  uint8: Uint8Array.of(0, 1, 127, 128, 254, 255),
};

for (const [dataType, data] of Object.entries(TYPES) as [keyof typeof TYPES, Float32Array][]) {
  test(`inputs and outputs of ${dataType}, in arrays of this project and of Core ML`, async (context) => {
    const builder = new MLGraphBuilder(context);
    const graph = await builder.build({
      y: builder.transpose(builder.input("x", { dataType, shape: [2, 3] })),
    });
    const [x, y] = [await tensor(context, [2, 3], dataType), await tensor(context, [3, 2], dataType)];
    context.writeTensor(x, data);
    const expected = data.map((_, i) => data[i % 2 * 3 + (i >> 1)]!);
    for (const ignore of [false, true]) {
      fake.ignoreBackings(ignore);
      context.dispatch(graph, { x }, { y });
      const bytes = await context.readTensor(y);
      assertEquals(new (data.constructor as Float32ArrayConstructor)(bytes), expected);
    }
    assertEquals(new (data.constructor as Float32ArrayConstructor)(await context.readTensor(x)), data);
  });
}

for (
  const [device, expected, matmul] of [["cpu", "cpu", ["cpu"]], ["npu", "npu", ["npu", "cpu"]], ["gpu", "gpu", [
    "npu",
    "gpu",
  ]]] as const
) {
  test(`device ${device}: contextInfo and graphInfo give the devices`, async (context) => {
    const info = contextInfo(context);
    assertEquals([info.backend, info.device, info.version, context.accelerated], [
      "coreml",
      expected,
      "15.0",
      device !== "cpu",
    ]);
    const graph = await build(context, [2, 2], (builder, x) => builder.relu(builder.matmul(builder.matmul(x, x), x)));
    assertEquals(graphInfo(graph).devices, matmul);
  }, { device });
}

test("dispatches that depend on each other run in order even if completions are delayed", async (context) => {
  fake.delay(2);
  const graph = await build(context, [4], (builder, x) => builder.add(x, x));
  const tensors = await Promise.all(Array.from({ length: 12 }, () => tensor(context, [4])));
  context.writeTensor(tensors[0]!, Float32Array.of(1, 2, 3, 4));
  for (let i = 1; i < tensors.length; i++) context.dispatch(graph, { x: tensors[i - 1]! }, { y: tensors[i]! });
  const last = new Float32Array(await context.readTensor(tensors.at(-1)!));
  assertEquals([...last], [2048, 4096, 6144, 8192]);
  tensors[3]!.destroy(); // Drops the bindings that refer to it.
  context.dispatch(graph, { x: tensors[11]! }, { y: tensors[0]! });
  assertEquals([...new Float32Array(await context.readTensor(tensors[0]!))], [4096, 8192, 12288, 16384]);
  for (const each of tensors) each.destroy();
  await context.readTensor(await tensor(context, [1])); // Waits for all of the above.
  for (let i = 0; i < 500 && fake.live("MLMultiArray") > 1; i++) await new Promise((resolve) => setTimeout(resolve, 1));
  assertEquals(fake.live("MLMultiArray"), 1, "the graph keeps no array of a destroyed tensor");
});

test("destroying a context during a dispatch and a build frees all objects", async (context) => {
  fake.delay(30);
  const graph = await build(context, [4], (builder, x) => builder.add(x, x));
  const [x, y] = [await tensor(context, [4]), await tensor(context, [4])];
  context.dispatch(graph, { x }, { y });
  const building = build(context, [4], (builder, x) => builder.abs(x));
  const reading = context.readTensor(y);
  context.destroy();
  for (const { status } of await Promise.allSettled([building, reading])) assertEquals(status, "rejected");
});

test("a compiled model is reused, and compiled again if it is damaged", async (context) => {
  const shape = [3, 7];
  const buildModel = () => build(context, shape, (builder, x) => builder.sin(builder.mul(x, x)));
  const before = new Set(entries());
  (await buildModel()).destroy();
  const [entry] = entries().filter((name) => !before.has(name)) as [string];
  assertMatch(entry, /^[0-9a-f]{64}\.mlmodelc$/);
  const model = join(cacheDirectory, entry, "model.mlmodel");
  const { ino } = await Deno.stat(model);
  await Deno.utime(join(cacheDirectory, entry), 1000, 1000);
  (await buildModel()).destroy();
  assertEquals((await Deno.stat(model)).ino, ino, "it was not compiled again");
  assert((await Deno.stat(join(cacheDirectory, entry))).mtime!.getTime() > 1e12, "its use was noted");
  for (const damage of [() => Deno.truncateSync(model, 10), () => Deno.removeSync(model)]) {
    damage();
    const graph = await buildModel();
    const [x, y] = [await tensor(context, shape), await tensor(context, shape)];
    context.dispatch(graph, { x }, { y });
    assertEquals(new Float32Array(await context.readTensor(y)), new Float32Array(21));
  }
  assertEquals(Deno.statSync(model).size > 10, true);
});

test("graphs that differ only in their weights do not share a compiled model", async (context) => {
  const shape = [16];
  for (const weight of [1, 2]) {
    const weights = new Float32Array(16).fill(weight);
    const graph = await build(
      context,
      shape,
      (builder, x) => builder.add(x, builder.constant({ dataType: "float32", shape }, weights)),
    );
    const [x, y] = [await tensor(context, shape), await tensor(context, shape)];
    context.dispatch(graph, { x }, { y });
    assertEquals(new Float32Array(await context.readTensor(y)), weights);
  }
});

test("old temporary folders in the cache are removed, recent ones are kept", async (context) => {
  const [old, young] = ["old.mlmodelc-tmp", "young.mlmodelc-tmp"].map((name) => join(cacheDirectory, name)) as [
    string,
    string,
  ];
  for (const path of [old, young]) await Deno.mkdir(path, { recursive: true });
  await Deno.utime(old, 1000, 1000);
  (await build(context, [2], (builder, x) => builder.cos(x))).destroy();
  assertEquals(entries().filter((name) => name.endsWith("-tmp")), ["young.mlmodelc-tmp"]);
  await Deno.remove(young);
});

test("the least recently used entry is removed if the cache exceeds its limit", async (context) => {
  const names = ["older", "old", "young"];
  for (const [i, name] of names.entries()) {
    const path = join(limited, `${name}.mlmodelc`);
    await Deno.mkdir(path, { recursive: true });
    await Deno.writeFile(join(path, "weights"), new Uint8Array(40_000));
    await Deno.utime(path, 1000 + i, 1000 + i);
  }
  (await build(context, [2], (builder, x) => builder.tan(x))).destroy();
  const kept = [...Deno.readDirSync(limited)].map(({ name }) => name.replace(".mlmodelc", ""));
  assertEquals(names.filter((name) => kept.includes(name)), ["old", "young"]);
  assertEquals(kept.length, 3);
}, { cacheDirectory: limited, cacheSizeLimit: 100_000 });

test("a cache folder that cannot be created is an error", async (context) => {
  const error = await assertRejects(() => build(context, [2], (builder, x) => builder.cos(x)), DOMException);
  assertEquals((error as DOMException).name, "OperationError");
}, { cacheDirectory: `${library}/cache` });

function entries(): string[] {
  return [...Deno.readDirSync(cacheDirectory)].map(({ name }) => name);
}
