/**
 * Tests of tensors and contexts with Deno's own WebGPU. They run with `deno test` in a separate process, because the
 * libraries that WebGPU opens read the environment and print to the terminal.
 *
 * @module
 */
import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { contextInfo, createContext, graphInfo, ml, type MLContext, MLGraphBuilder, type MLTensor } from "@webnn/deno";

const FLOATS = { dataType: "float32", shape: [2, 2] } as const;
const IN = { ...FLOATS, writable: true } as const;
const OUT = { ...FLOATS, readable: true } as const;
const IN_OUT = { ...FLOATS, writable: true, readable: true } as const;

const adapter = await navigator.gpu.requestAdapter();
assert(adapter, "Deno finds no GPU adapter");
const device = await adapter.requestDevice();
const uncaptured: string[] = [];
device.addEventListener("uncapturederror", (event) => {
  event.preventDefault();
  uncaptured.push((event as GPUUncapturedErrorEvent).error.message);
});
const pipeline = device.createComputePipeline({
  layout: "auto",
  compute: {
    module: device.createShaderModule({
      code: `@group(0) @binding(0) var<storage, read_write> data: array<f32>;
        @compute @workgroup_size(1) fn main(@builtin(global_invocation_id) id: vec3<u32>) { data[id.x] *= 2.0; }`,
    }),
  },
});

const CONTEXTS: readonly (readonly [name: string, open: () => Promise<MLContext>])[] = [
  ["CPU", () => createContext({ device: "cpu" })],
  ["GPUDevice", () => ml.createContext(device)],
];

for (const [name, open] of CONTEXTS) {
  const testIn = (title: string, test: (context: MLContext) => Promise<void>) =>
    Deno.test(`${name}: ${title}`, async () => {
      {
        await using context = await open();
        await test(context);
      }
      await device.queue.onSubmittedWorkDone();
      assertEquals(uncaptured.splice(0), []);
    });

  testIn("the GPU sees what WebNN wrote, and WebNN reads what the GPU wrote", async (context) => {
    const tensor = await context.createExportableTensor(IN_OUT, device);
    context.writeTensor(tensor, new Float32Array([1, 2, 3, 4]));
    const buffer = await context.exportToGPU(tensor);
    assertEquals(buffer.size, 16);
    assertEquals(buffer.usage, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST);
    double(buffer);
    buffer.destroy();
    assertEquals(await read(context, tensor), [2, 4, 6, 8]);
    assertEquals(await read(context, tensor), [2, 4, 6, 8]);
  });

  testIn("tensors are exported to the GPU and returned between dispatches", async (context) => {
    const graph = await increment(context);
    const x = await context.createExportableTensor(IN, device);
    const y = await context.createExportableTensor(OUT, device);
    device.queue.writeBuffer(await context.exportToGPU(x), 0, new Float32Array([1, 2, 3, 4]));
    (await context.exportToGPU(x)).destroy();
    context.dispatch(graph, { x }, { y });
    const buffer = await context.exportToGPU(y);
    double(buffer);
    assertEquals(await readBuffer(buffer), [4, 6, 8, 10]);
    buffer.destroy();
    context.dispatch(graph, { x: y }, { y: x });
    const again = await context.exportToGPU(x);
    assertEquals(await readBuffer(again), [5, 7, 9, 11]);
    again.destroy();
    assertEquals(await read(context, y), [4, 6, 8, 10]);
  });

  testIn(
    "while a tensor is exported, exportToGPU returns the same buffer; later, a new one with the contents",
    async (context) => {
      const tensor = await context.createExportableTensor(IN, device);
      context.writeTensor(tensor, new Float32Array([1, 2, 3, 4]));
      const first = await context.exportToGPU(tensor);
      assertStrictEquals(context.exportToGPU(tensor), first);
      double(first);
      first.destroy();
      first.destroy();
      const second = await context.exportToGPU(tensor);
      assert(second !== first);
      assertEquals(await readBuffer(second), [2, 4, 6, 8]);
      second.destroy();
      context.writeTensor(tensor, new Float32Array([5, 5, 5, 5]));
      const third = await context.exportToGPU(tensor);
      assertEquals(await readBuffer(third), [5, 5, 5, 5]);
      third.destroy();
    },
  );

  testIn("contents that WebNN overwrites are not copied back from the GPU", async (context) => {
    const graph = await increment(context);
    const [x, y] = await Promise.all([context.createTensor(IN), context.createExportableTensor(OUT, device)]);
    const buffer = await context.exportToGPU(y);
    device.queue.writeBuffer(buffer, 0, new Float32Array([9, 9, 9, 9]));
    buffer.destroy();
    context.dispatch(graph, { x }, { y });
    assertEquals(await read(context, y), [1, 1, 1, 1]);
  });

  testIn("WebNN cannot use an exported tensor", async (context) => {
    const graph = await increment(context);
    const tensor = await context.createExportableTensor(IN_OUT, device);
    const other = await context.createTensor(IN_OUT);
    const exported = context.exportToGPU(tensor);
    const expectErrors = async () => {
      assertThrows(() => context.writeTensor(tensor, new Float32Array(4)), TypeError, "is exported to WebGPU");
      await assertRejects(() => context.readTensor(tensor), TypeError, "is exported to WebGPU");
      await assertRejects(() => context.readTensor(tensor, new Float32Array(4)), TypeError, "is exported to WebGPU");
      assertThrows(() => context.dispatch(graph, { x: tensor }, { y: other }), TypeError, "is exported to WebGPU");
      assertThrows(() => context.dispatch(graph, { x: other }, { y: tensor }), TypeError, "is exported to WebGPU");
    };
    await expectErrors(); // With the GPUDevice, the export is still pending.
    await exported;
    await expectErrors();
    (await exported).destroy();
    context.writeTensor(tensor, new Float32Array([1, 2, 3, 4]));
    context.dispatch(graph, { x: tensor }, { y: other });
    assertEquals(await read(context, other), [2, 3, 4, 5]);
  });

  testIn("a buffer stays valid after its tensor and its context are destroyed", async (context) => {
    const tensor = await context.createExportableTensor(IN, device);
    context.writeTensor(tensor, new Float32Array([1, 2, 3, 4]));
    const buffer = await context.exportToGPU(tensor);
    tensor.destroy();
    assertEquals(await readBuffer(buffer), [1, 2, 3, 4]);
    context.destroy();
    assertEquals(await readBuffer(buffer), [1, 2, 3, 4]);
    buffer.destroy();
    const error = assertThrows(() => context.exportToGPU(tensor), DOMException);
    assertEquals(error.name, "InvalidStateError");
  });

  testIn("the size of a buffer is rounded up to a multiple of four bytes", async (context) => {
    const descriptor = { dataType: "uint8", shape: [3], readable: true, writable: true } as const;
    const tensor = await context.createExportableTensor(descriptor, device);
    context.writeTensor(tensor, new Uint8Array([1, 2, 3]));
    const buffer = await context.exportToGPU(tensor);
    assertEquals(buffer.size, 4);
    device.queue.writeBuffer(buffer, 0, new Uint8Array([1, 20, 3, 4]));
    buffer.destroy();
    assertEquals([...new Uint8Array(await context.readTensor(tensor))], [1, 20, 3]);
  });

  testIn("if the GPUDevice is lost, tensors keep the contents that they had before the export", async (context) => {
    const lost = await (await navigator.gpu.requestAdapter())!.requestDevice();
    const tensors = await Promise.all([1, 2, 3].map(() => context.createExportableTensor(IN_OUT, lost)));
    for (const tensor of tensors) context.writeTensor(tensor, new Float32Array([1, 2, 3, 4]));
    const [exported, returned, unexported] = tensors as [MLTensor, MLTensor, MLTensor];
    const buffer = await context.exportToGPU(exported);
    (await context.exportToGPU(returned)).destroy();
    lost.destroy();
    const error = assertThrows(() => context.exportToGPU(unexported), DOMException, "the GPUDevice is lost");
    assertEquals(error.name, "InvalidStateError");
    buffer.destroy();
    for (const tensor of tensors) assertEquals(await read(context, tensor), [1, 2, 3, 4]);
    const refused = await assertRejects(() => context.createExportableTensor(IN, lost), DOMException, "is lost");
    assertEquals(refused.name, "InvalidStateError");
  });

  testIn("tensors that cannot be exported are errors", async (context) => {
    const [plain, constant, tensor] = await Promise.all([
      context.createTensor(IN),
      context.createConstantTensor(FLOATS, new Float32Array(4)),
      context.createExportableTensor(IN, device),
    ]);
    for (const other of [plain, constant]) assertThrows(() => context.exportToGPU(other), TypeError, "not made by");
    assertThrows(() => context.exportToGPU({} as MLTensor), TypeError, "is not an MLTensor");
    await using foreign = await createContext({ device: "cpu" });
    assertThrows(() => foreign.exportToGPU(tensor), TypeError, "another context");
    tensor.destroy();
    const error = assertThrows(() => context.exportToGPU(tensor), DOMException, "the tensor is destroyed");
    assertEquals(error.name, "InvalidStateError");
    const tooLarge = { dataType: "uint8", shape: [device.limits.maxBufferSize + 1] } as const;
    await assertRejects(() => context.createExportableTensor(tooLarge, device), TypeError, "maxBufferSize");
    context.destroy();
    const late = await assertRejects(() => context.createExportableTensor(IN, device), DOMException, "lost");
    assertEquals(late.name, "InvalidStateError");
  });
}

Deno.test("CPU: exportToGPU returns the buffer itself, or a promise if work is pending", async () => {
  await using context = await createContext({ device: "cpu" });
  const size = 512;
  const matrix = { dataType: "float32", shape: [size, size] } as const;
  const builder = new MLGraphBuilder(context);
  const operand = builder.input("x", matrix);
  const graph = await builder.build({ y: builder.matmul(builder.matmul(operand, operand), operand) });
  const x = await context.createTensor({ ...matrix, writable: true });
  const y = await context.createExportableTensor(matrix, device);
  const atOnce = context.exportToGPU(y);
  assert(atOnce instanceof GPUBuffer);
  atOnce.destroy();
  context.writeTensor(x, new Float32Array(size * size).fill(1));
  context.dispatch(graph, { x }, { y });
  const pending = context.exportToGPU(y);
  assert(pending instanceof Promise);
  assertStrictEquals(context.exportToGPU(y), pending);
  const buffer = await pending;
  assertEquals(new Set(await readBuffer(buffer)), new Set([size * size]));
  buffer.destroy();
  context.dispatch(graph, { x }, { y });
  const rejection = assertRejects(async () => await context.exportToGPU(y), DOMException, "destroyed");
  y.destroy();
  assertEquals((await rejection).name, "InvalidStateError");
});

Deno.test("createContext(gpuDevice) runs graphs on that GPU", async () => {
  const own = await (await navigator.gpu.requestAdapter())!.requestDevice();
  await using context = await ml.createContext(own);
  const { device: kind, provider } = contextInfo(context);
  assertEquals([kind, provider], ["gpu", "webgpu"]);
  own.destroy();
  await own.lost;
  const graph = await increment(context);
  assertEquals(graphInfo(graph).devices, ["gpu"]);
  const [x, y] = await Promise.all([context.createTensor(IN), context.createTensor(OUT)]);
  context.writeTensor(x, new Float32Array([1, 2, 3, 4]));
  context.dispatch(graph, { x }, { y });
  assertEquals(await read(context, y), [2, 3, 4, 5]);
  const error = await assertRejects(() => ml.createContext(own), DOMException, "gpuDevice is lost");
  assertEquals(error.name, "NotSupportedError");
});

Deno.test("an object that only looks like a GPUDevice is a dictionary for createContext, and an error elsewhere", async () => {
  for (const lookalike of [new Proxy(device, {}), Object.create(device), { __proto__: GPUDevice.prototype }]) {
    await using context = await ml.createContext(lookalike);
    assertEquals(contextInfo(context).device, "cpu");
    await assertRejects(() => context.createExportableTensor(IN, lookalike), TypeError, "is not a GPUDevice");
  }
});

/* -- Support ------------------------------------------------------------------------------------------------------- */

/** A graph that adds 1. */
async function increment(context: MLContext) {
  const builder = new MLGraphBuilder(context);
  const one = builder.constant(FLOATS, new Float32Array(4).fill(1));
  return await builder.build({ y: builder.add(builder.input("x", FLOATS), one) });
}

async function read(context: MLContext, tensor: MLTensor): Promise<number[]> {
  return [...new Float32Array(await context.readTensor(tensor))];
}

/** Doubles the elements on the GPU. */
function double(buffer: GPUBuffer): void {
  const bindGroup = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer } }],
  });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, bindGroup);
  pass.dispatchWorkgroups(buffer.size / 4);
  pass.end();
  device.queue.submit([encoder.finish()]);
}

/** Reads a buffer through a mapped copy. */
async function readBuffer(buffer: GPUBuffer): Promise<number[]> {
  const staging = device.createBuffer({ size: buffer.size, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, buffer.size);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const values = [...new Float32Array(staging.getMappedRange())];
  staging.destroy();
  return values;
}
