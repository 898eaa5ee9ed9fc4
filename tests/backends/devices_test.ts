/** Devices other than the CPU: their results, where nodes run, and how devices are reported. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { contextInfo, createContext, devices, graphInfo, type MLContext, MLGraphBuilder } from "@webnn/deno";
import { openDevice } from "../../src/backends/select.ts";
import { ownOptions } from "../../src/options.ts";
import { available as hasFaults, buildFaults, type Faults, settled, unavailable } from "../faults/library.ts";
import { testBackend } from "../support/backend_contract.ts";
import { ggml, isGpuSoftware, openvino, type TestDevice, testOn, webgpu } from "../support/devices.ts";

const MATRIX = { dataType: "float32", shape: [2, 2] } as const;

for (const device of [webgpu, openvino, ggml]) {
  const isAccelerator = device === webgpu && !isGpuSoftware;
  const open = () => openDevice(ownOptions(device.options, "options"));
  if (device.missing === undefined) testBackend(device.name, open);
  else testOn(device, "the contract of backends", () => {});

  testOn(device, "reports what it is, and whether it is an accelerator", async () => {
    await withContext(device, (context) => {
      const { backend, device: kind, provider } = contextInfo(context);
      assertEquals([backend, kind, provider], ["onnxruntime", device === webgpu ? "gpu" : "cpu", device.name]);
      assertEquals(context.accelerated, isAccelerator);
    });
  });

  testOn(device, "is listed as available", async () => {
    const { library, plugins } = device.options;
    const entries = await devices({ ...library !== undefined && { library }, ...plugins && { plugins } });
    const entry = entries.find(({ provider }) => provider === device.name);
    assertEquals([entry?.available, entry?.accelerated, entry?.reason], [true, isAccelerator, undefined]);
  });

  testOn(device, "two contexts compute at the same time", async () => {
    const contexts = await Promise.all([1, 2, 3].map(() => createContext(device.options)));
    const results = await Promise.all(contexts.map(async (context, i) => {
      const { step, read } = await accumulator(context, i + 1);
      for (let n = 0; n < 20; n++) step();
      return await read();
    }));
    assertEquals(results, [[20, 20, 20, 20], [40, 40, 40, 40], [60, 60, 60, 60]]);
    for (const context of contexts) context.destroy();
  });
}

testOn(webgpu, "unsupported nodes run on the CPU, and are reported", async () => {
  await withContext(webgpu, async (context) => {
    const builder = new MLGraphBuilder(context);
    const x = builder.input("x", MATRIX);
    const graph = await builder.build({ y: builder.roundEven(builder.matmul(x, x), { label: "half" }) });
    assertEquals(graphInfo(graph).devices.toSorted(), ["cpu", "gpu"]);
    assertEquals(graphInfo(graph).elsewhere, [
      { node: "roundEven [half] #1", operator: "Round", provider: "CPUExecutionProvider" },
    ]);
    const all = new MLGraphBuilder(context);
    const graphOnGpu = await all.build({ y: all.matmul(all.input("x", MATRIX), all.input("z", MATRIX)) });
    assertEquals([graphInfo(graphOnGpu).devices, graphInfo(graphOnGpu).elsewhere], [["gpu"], []]);
  });
});

testOn(webgpu, "without fallback, build names the unsupported nodes", async () => {
  const context = await createContext({ ...webgpu.options, fallback: false });
  try {
    const builder = new MLGraphBuilder(context);
    const x = builder.input("x", MATRIX);
    const build = builder.build({ y: builder.roundEven(builder.matmul(x, x), { label: "half" }) });
    await assertRejects(() => build, DOMException, "webgpu does not support roundEven [half] #1 (Round)");
    const again = new MLGraphBuilder(context);
    await again.build({ y: again.relu(again.input("x", MATRIX)) });
  } finally {
    context.destroy();
  }
});

testOn(webgpu, "hints do not select a software GPU", async () => {
  if ((await devices()).some(({ provider, accelerated }) => provider === "webgpu" && accelerated)) return; // It is a real GPU.
  for (const options of [{}, { deviceType: "gpu" }, { powerPreference: "high-performance" }] as const) {
    const context = await createContext(options);
    assertEquals(contextInfo(context).device, "cpu", JSON.stringify(options));
    context.destroy();
  }
  const demanded = await createContext({ device: "gpu" });
  assertEquals(contextInfo(demanded).provider, "webgpu");
  demanded.destroy();
});

testOn(
  webgpu,
  "a captured graph is replayed with the tensors of each dispatch, both known and new sets",
  async () => {
    const context = await createContext({ ...webgpu.options, graphCapture: true });
    const descriptor = { dataType: "float32", shape: [4] } as const;
    const builder = new MLGraphBuilder(context);
    const x = builder.input("x", descriptor);
    const graph = await builder.build({ y: builder.add(builder.relu(x), x) });
    const createSet = async () => ({
      x: await context.createTensor({ ...descriptor, writable: true }),
      y: await context.createTensor({ ...descriptor, readable: true }),
    });
    // More sets than are remembered, so each is bound again in every round.
    const sets = await Promise.all(Array.from({ length: 12 }, createSet));
    for (let round = 0; round < 4; round++) {
      for (const tensor of Object.values(sets[round]!)) tensor.destroy();
      sets[round] = await createSet(); // It may reuse the memory of the old one.
      const results = [];
      for (const [i, { x, y }] of sets.entries()) {
        context.writeTensor(x, new Float32Array(4).fill(i + round));
        context.dispatch(graph, { x }, { y });
        results.push(new Float32Array(await context.readTensor(y))[0]);
      }
      assertEquals(results, sets.map((_, i) => 2 * (i + round)));
    }
    await context[Symbol.asyncDispose]();
  },
);

testOn(webgpu, "the option graphCapture enables graph capture; the provider's own option is an error", async () => {
  await assertRejects(
    () => createContext({ ...webgpu.options, providerOptions: { enableGraphCapture: "1" } }),
    DOMException,
    "use the option graphCapture instead",
  );
});

testOn(webgpu, "float16 is in the limits only if the device computes it", async () => {
  await withContext(webgpu, async (context) => {
    const offers = context.opSupportLimits().input.dataTypes.includes("float16");
    assertEquals(context.opSupportLimits().cast.output.dataTypes.includes("float16"), offers);
    if (!offers) return;
    const builder = new MLGraphBuilder(context);
    const half = { dataType: "float16", shape: [2] } as const;
    const graph = await builder.build({ y: builder.relu(builder.input("x", half)) });
    assertEquals(graphInfo(graph).devices, ["gpu"]);
  });
});

Deno.test("the error for a missing provider says what it needs", async () => {
  await assertRejects(
    () => createContext({ provider: "cuda" }),
    DOMException,
    "onnxruntime_providers_cuda",
  );
  await assertRejects(() => createContext({ provider: "abacus" }), DOMException, "no provider abacus is available");
  await assertRejects(() => createContext({ device: "npu" }), DOMException, "no npu is available");
  await assertRejects(
    () => createContext({ provider: "webgpu", device: "cpu" }),
    DOMException,
    "no cpu of the provider webgpu is available",
  );
});

Deno.test("devices() lists the CPU first, and a reason for each missing device", async () => {
  const [cpu, ...others] = await devices();
  assertEquals([cpu?.provider, cpu?.device, cpu?.available], ["cpu", "cpu", true]);
  assert(others.length > 0);
  for (const { available, provider, reason } of others) assertEquals(available, reason === undefined, provider);
});

/* -- Tensors on the device ----------------------------------------------------------------------------------------- */

Deno.test({
  name: `webgpu: device tensors and context loss${unavailable}${webgpu.missing ? ` (skipped: ${webgpu.missing})` : ""}`,
  ignore: !hasFaults || webgpu.missing !== undefined,
  fn: async (t) => {
    const folder = await Deno.makeTempDir();
    try {
      using faults = await buildFaults(folder);
      const options = { ...webgpu.options, library: faults.path };
      await t.step("a state goes from dispatch to dispatch without a copy", () => countCopies(faults, options));
      await t.step("a lost device loses the context, and the process lives", () => loseDevice(faults, options));
      await t.step(
        "a tensor without enough memory is an error, and the context lives",
        () => exhaustMemory(faults, options),
      );
      await t.step("everything is released", async () => {
        await settled(faults);
        assertEquals(faults.leaked(), {});
        assertEquals(faults.reports(), []);
      });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

type Options = Parameters<typeof createContext>[0];

async function countCopies(faults: Faults, options: Options): Promise<void> {
  const context = await createContext(options);
  const { step, read } = await accumulator(context, 1);
  const copies = () => faults.calls().get("CopyTensors")!;
  const before = copies();
  for (let n = 0; n < 100; n++) step();
  assertEquals(await read(), [100, 100, 100, 100]);
  assertEquals(copies() - before, 1); // The copy of the read.
  context.destroy();
}

async function loseDevice(faults: Faults, options: Options): Promise<void> {
  const DEVICE_RESET = 15;
  for (const call of ["CopyTensors", "RunWithBinding"] as const) {
    const context = await createContext(options);
    const { step, read } = await accumulator(context, 1);
    faults.fail(call, 1, DEVICE_RESET);
    step();
    await assertRejects(read, DOMException);
    assert((await context.lost).message.includes(`injected failure of ${call}`));
    await assertRejects(() => context.createTensor(MATRIX), DOMException, "lost");
    const other = await createContext(options);
    const works = await accumulator(other, 3);
    works.step();
    assertEquals(await works.read(), [3, 3, 3, 3]);
    other.destroy();
  }
}

async function exhaustMemory(faults: Faults, options: Options): Promise<void> {
  const context = await createContext(options);
  const { step, read } = await accumulator(context, 2);
  faults.fail("CreateTensorAsOrtValue", 1, 1);
  const error = await assertRejects(() => context.createTensor(MATRIX), DOMException);
  assertEquals(error.name, "UnknownError");
  step();
  assertEquals(await read(), [2, 2, 2, 2]);
  context.destroy();
}

/* -- Support ------------------------------------------------------------------------------------------------------- */

async function withContext(device: TestDevice, use: (context: MLContext) => void | Promise<void>): Promise<void> {
  const context = await createContext(device.options);
  try {
    await use(context);
  } finally {
    context.destroy();
  }
}

/** A graph that adds `summand` to a state. Two tensors for the state swap places after each step. */
async function accumulator(context: MLContext, summand: number) {
  const builder = new MLGraphBuilder(context);
  const graph = await builder.build({
    y: builder.add(builder.input("x", MATRIX), builder.constant(MATRIX, new Float32Array(4).fill(summand))),
  });
  let from = await context.createTensor({ ...MATRIX, readable: true });
  let to = await context.createTensor({ ...MATRIX, readable: true });
  return {
    step() {
      context.dispatch(graph, { x: from }, { y: to });
      [from, to] = [to, from];
    },
    read: async () => [...new Float32Array(await context.readTensor(from))],
  };
}
