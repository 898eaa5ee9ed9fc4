/** Tensors and contexts with WebGPU. Tests that need Deno's GPU adapter are in programs/webgpu.ts. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { fileURLToPath } from "node:url";
import { createContext, ml } from "@webnn/deno";
import type { GpuAdapter } from "../../src/backends/backend.ts";
import { describeMismatch } from "../../src/backends/onnxruntime/providers/adapter.ts";
import type { EpDevice } from "../../src/backends/onnxruntime/providers/ep_devices.ts";
import { openDevice } from "../../src/backends/select.ts";
import { Timeline } from "../../src/timeline/timeline.ts";
import { testOn, webgpu } from "../support/devices.ts";
import { openSimulatedDevice } from "../support/simulated_device.ts";
import { DEFAULTS } from "../../src/options.ts";

const FLOATS = { dataType: "float32", shape: [2] } as const;
const RTX: GpuAdapter = { description: "RTX 4090", vendorId: 0x10de, deviceId: 0x2684, isSoftware: false };
const SOFTWARE: GpuAdapter = { description: "llvmpipe", vendorId: 0x10005, deviceId: 0, isSoftware: true };

testOn(webgpu, "tensors and contexts with Deno's own WebGPU", async () => {
  const folder = await Deno.makeTempDir();
  const program = fileURLToPath(new URL("programs/webgpu.ts", import.meta.url));
  const config = fileURLToPath(new URL("../deno.json", import.meta.url));
  const flags = ["--config", config, "--allow-all", "--no-check", "--sanitize-ops", "--sanitize-resources"];
  try {
    // Wayland prints a message if this folder, for the display's sockets, does not exist.
    const env = { XDG_RUNTIME_DIR: folder, NO_COLOR: "1" };
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args: ["test", ...flags, program], env })
      .output();
    const decoder = new TextDecoder();
    assertEquals(code, 0, decoder.decode(stdout) + decoder.decode(stderr));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("createExportableTensor needs a GPUDevice, exportToGPU an exportable tensor", async () => {
  await using context = await ml.createContext();
  for (const value of [undefined, null, {}, Object.create(GPUDevice.prototype) as GPUDevice]) {
    await assertRejects(
      () => context.createExportableTensor(FLOATS, value as GPUDevice),
      TypeError,
      "MLContext.createExportableTensor: gpuDevice is not a GPUDevice",
    );
  }
  const tensor = await context.createTensor(FLOATS);
  assertThrows(() => context.exportToGPU(tensor), TypeError, "not made by createExportableTensor()");
  const foreign = Object.create(Object.getPrototypeOf(context)) as typeof context;
  await assertRejects(() => foreign.createExportableTensor(FLOATS, {} as GPUDevice), TypeError, "Illegal invocation");
  assertThrows(() => foreign.exportToGPU(tensor), TypeError, "Illegal invocation");
});

/* -- createContext(gpuDevice) -------------------------------------------------------------------------------------- */

Deno.test("a GPU counts as the same if the provider can only pick that one", () => {
  const gpu = (hardware: string, vendorId: number, deviceId: number) =>
    ({ engineName: "WebGpuExecutionProvider", hardware, vendorId, deviceId }) as EpDevice;
  const rtx = gpu("NVIDIA RTX 4090", 0x10de, 0x2684);
  const iris = gpu("Intel Iris", 0x8086, 0xa7a0);
  const other = { ...iris, engineName: "CUDAExecutionProvider" };
  const provider = { name: "webgpu", engineName: "WebGpuExecutionProvider", hardware: rtx.hardware, isHardware: true };
  const software = { ...provider, hardware: "", isHardware: false };
  assertEquals(describeMismatch(provider, [rtx, other], RTX), undefined);
  assertEquals(describeMismatch(provider, [rtx, rtx], RTX), undefined);
  assertEquals(describeMismatch(software, [], SOFTWARE), undefined);
  assertEquals(describeMismatch(provider, [iris], RTX), "webgpu runs on Intel Iris, not on RTX 4090");
  assertEquals(
    describeMismatch(provider, [iris, rtx], RTX),
    "webgpu may run on another of the machine's GPUs than RTX 4090",
  );
  assertEquals(describeMismatch(provider, [rtx], SOFTWARE), "webgpu runs on NVIDIA RTX 4090, not on llvmpipe");
  assertEquals(describeMismatch(software, [], RTX), "webgpu runs in software, not on RTX 4090");
  const untold = { ...RTX, description: "", vendorId: NaN };
  assertEquals(
    describeMismatch(provider, [rtx], untold),
    "webgpu runs on NVIDIA RTX 4090, and WebGPU does not reveal whether the GPUDevice's adapter is the same GPU",
  );
});

testOn(webgpu, "a context on another GPU than the GPUDevice's is an error", async () => {
  const adapter = { ...RTX, deviceId: 0 }; // No such GPU exists.
  const selection = { ...DEFAULTS, device: "gpu", provider: "webgpu" } as const;
  const error = await assertRejects(() => openDevice(selection, adapter), DOMException, "not on RTX 4090");
  assertEquals(error.name, "NotSupportedError");
  // The provider can still be used.
  await using context = await createContext({ provider: "webgpu" });
  await context.createTensor(FLOATS);
});

/* -- The timeline -------------------------------------------------------------------------------------------------- */

Deno.test("an export waits for earlier work, and reports its failure", async () => {
  const device = openSimulatedDevice();
  const timeline = new Timeline(device);
  const tensor = await timeline.createTensor(FLOATS);
  timeline.write(tensor, bytesOf(1, 2), "test");
  assertEquals(await timeline.readSoonest(tensor, valuesOf), [1, 2]);
  device.fail("write", "the bus is gone");
  timeline.write(tensor, bytesOf(3, 4), "test");
  const error = await assertRejects(async () => await timeline.readSoonest(tensor, valuesOf), DOMException, "bus");
  assertEquals(error.name, "OperationError");
  timeline.lose("test");
  await timeline.settled;
});

Deno.test("an export is synchronous, even after work that blocked the thread for long", async () => {
  const bytes = bytesOf(1, 2);
  const timeline = new Timeline({
    ...openSimulatedDevice(),
    createTensor: () => ({ write() {}, read: () => bytes, release() {} }),
    compile: () => ({ devices: ["cpu"], blockingTime: 1000, run() {}, release() {} }),
  });
  const tensor = await timeline.createTensor(FLOATS);
  const graph = await timeline.compile({ inputs: [], outputs: [], nodes: [], constants: [] });
  timeline.dispatch(graph, [], [tensor]);
  assertEquals(timeline.readSoonest(tensor, valuesOf), [1, 2]);
  timeline.dispatch(graph, [], [tensor]); // This one has to wait for a turn of the event loop.
  const pending = timeline.readSoonest(tensor, valuesOf);
  assert(pending instanceof Promise);
  assertEquals(await pending, [1, 2]);
  timeline.lose("test");
  await timeline.settled;
});

Deno.test("later work sees contents that are copied back late, or their failure", async () => {
  const timeline = new Timeline(openSimulatedDevice());
  const tensor = await timeline.createTensor(FLOATS);
  timeline.fill(tensor, async (write) => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    await write(bytesOf(5, 6));
  });
  assertEquals(await timeline.read(tensor, valuesOf), [5, 6]);
  timeline.fill(tensor, () => Promise.reject(new Error("the GPU has no memory")));
  const error = await assertRejects(() => timeline.read(tensor, valuesOf), DOMException, "the GPU has no memory");
  assertEquals(error.name, "OperationError");
  timeline.lose("test");
  await timeline.settled;
});

function bytesOf(...values: number[]): Uint8Array {
  return new Uint8Array(new Float32Array(values).buffer);
}

function valuesOf(bytes: Uint8Array): number[] {
  return [...new Float32Array(bytes.slice().buffer)];
}
