/**
 * Between tensors and WebGPU: an exportable tensor is rented out to a GPUDevice as a GPUBuffer, and comes back when that
 * is destroyed.
 *
 * Deno's WebGPU (wgpu) and the engines' GPU code (ONNX Runtime's is Dawn) cannot share memory, so contents are copied by
 * way of the CPU: to the GPU by each export, and back as soon as WebNN needs them, if it does.
 *
 * The text of June 2026 has `createContext(gpuDevice)` only. All else follows the web platform tests of that month, and
 * Chromium where they leave something open.
 *
 * @see https://github.com/webmachinelearning/webnn/blob/main/mltensor-explainer.md#exporting-an-mltensor-to-webgpu
 * @module
 */

import type { GpuAdapter } from "../backends/backend.ts";
import { invalidStateError, messageOf, operationError } from "../errors.ts";
import { byteLength, type Descriptor } from "../shape.ts";
import type { TimelineTensor } from "../timeline/timeline.ts";
import type { Converter } from "../webidl/converters.ts";

/** The GPUDevice of an exportable tensor, and where the contents are: in the tensor, but for these two. */
export interface Rental {
  readonly device: GPUDevice;
  readonly tensor: TimelineTensor;
  /** The buffer that the program has, or is waiting for; it has not destroyed it yet. */
  rented: GPUBuffer | Promise<GPUBuffer> | undefined;
  /** A copy of the last one, which the program has destroyed, while WebNN has not needed the contents. */
  returned: GPUBuffer | undefined;
}

/** Refuses a tensor that a GPUDevice could not have as a buffer. */
export function checkExportable(device: GPUDevice, descriptor: Descriptor, where: string): void {
  if (isLost(device)) throw invalidStateError(`${where}: the GPUDevice is lost`);
  const [size, limit] = [bufferSize(byteLength(descriptor)), device.limits.maxBufferSize];
  if (size > limit) {
    throw new TypeError(`${where}: descriptor needs ${size} bytes; the GPUDevice's limit maxBufferSize is ${limit}`);
  }
}

/** Makes an exportable tensor of a tensor. */
export function createRental(device: GPUDevice, tensor: TimelineTensor): Rental {
  return { device, tensor, rented: undefined, returned: undefined };
}

/* -- GPUDevice ----------------------------------------------------------------------------------------------------- */

/**
 * Whether a value is a GPUDevice of this realm. What only looks like one, or has its prototype, is not: WebIDL's overload
 * resolution takes it for a dictionary.
 */
export function isGpuDevice(value: unknown): value is GPUDevice {
  if (typeof GPUDevice !== "function" || !(value instanceof GPUDevice)) return false;
  try {
    Object.getOwnPropertyDescriptor(GPUDevice.prototype, "label")!.get!.call(value);
    return true;
  } catch {
    return false; // The getter looks for the internal slots.
  }
}

/** `GPUDevice`, as an argument. */
export const gpuDevice: Converter<GPUDevice> = (value, context) => {
  if (!isGpuDevice(value)) throw new TypeError(`${context} is not a GPUDevice.`);
  return value;
};

/** Whether a device is lost. Its promise tells too late; what can be told at once is that it maps no buffers any more. */
export function isLost(device: GPUDevice): boolean {
  const buffer = device.createBuffer({ size: 4, usage: GPUBufferUsage.COPY_SRC, mappedAtCreation: true });
  try {
    buffer.getMappedRange();
    return false;
  } catch {
    return true;
  } finally {
    buffer.destroy();
  }
}

/** The GPU of a device. Deno gives the numbers of vendor and device as decimal strings, and 0 where it knows none. */
export function adapterOf({ adapterInfo }: GPUDevice): GpuAdapter {
  const { description, device, isFallbackAdapter, vendor } = adapterInfo;
  const [vendorId, deviceId] = [Number.parseInt(vendor) || NaN, Number.parseInt(device)];
  return { description, vendorId, deviceId, isSoftware: isFallbackAdapter };
}

/* -- Export -------------------------------------------------------------------------------------------------------- */

/** Whether WebNN must leave a tensor alone. */
export function isExported(rental: Rental | undefined): boolean {
  return rental?.rented !== undefined;
}

/**
 * Rents a tensor out, with all earlier work done: WPT uses the result at once, the explainer and Chromium's first form
 * give a promise. `await` takes either, and either comes: the buffer if there is nothing to wait for, else a promise.
 */
export function exportTensor(rental: Rental, where: string): GPUBuffer | Promise<GPUBuffer> {
  if (rental.rented) return rental.rented;
  const { device, returned, tensor } = rental;
  if (isLost(device)) throw invalidStateError(`${where}: the GPUDevice is lost`);
  if (returned) {
    rental.returned = undefined;
    return rentOut(rental, returned);
  }
  const exported = tensor.timeline.readSoonest(tensor, (bytes) => rentOut(rental, upload(device, bytes, where)));
  if (exported instanceof Promise) return rental.rented = exported.catch((error) => takeBack(rental, error));
  return exported;
}

/** The contents belong to the GPU until `destroy()` is called on the buffer. */
function rentOut(rental: Rental, buffer: GPUBuffer): GPUBuffer {
  rental.rented = buffer;
  const destroy = () => {
    Reflect.deleteProperty(buffer, "destroy"); // The prototype's again.
    giveBack(rental, buffer);
    buffer.destroy();
  };
  return Object.defineProperty(buffer, "destroy", { value: destroy, configurable: true, writable: true });
}

/** The export failed. */
function takeBack(rental: Rental, error: unknown): never {
  rental.rented = undefined;
  throw error;
}

/** Keeps what the GPU has left in a buffer. */
function giveBack(rental: Rental, buffer: GPUBuffer): void {
  const { device, tensor } = rental;
  rental.rented = undefined;
  if (tensor.destroyed || tensor.timeline.isLost) return;
  rental.returned = device.createBuffer({ size: buffer.size, usage: buffer.usage });
  copyBuffer(device, buffer, rental.returned);
}

/** Has the contents in the tensor again, for work of WebNN that is about to be queued. */
export function bringBack(rental: Rental | undefined): void {
  const returned = rental?.returned;
  if (!returned) return;
  const { device, tensor } = rental;
  rental.returned = undefined;
  tensor.timeline.fill(tensor, (write) => download(device, returned, byteLength(tensor.descriptor), write));
}

/** Forgets contents on the GPU that are about to be overwritten, or that nobody can ask for any more. */
export function discard(rental: Rental | undefined): void {
  if (!rental?.returned) return;
  rental.returned.destroy();
  rental.returned = undefined;
}

/* -- Copies -------------------------------------------------------------------------------------------------------- */

/** Buffers that are bound or copied have whole words, tensors need not. */
function bufferSize(length: number): number {
  return Math.ceil(length / 4) * 4;
}

/** A buffer with the bytes. */
function upload(device: GPUDevice, bytes: Uint8Array, where: string): GPUBuffer {
  const size = bufferSize(bytes.byteLength);
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const buffer = device.createBuffer({ size, usage, mappedAtCreation: true });
  try {
    new Uint8Array(buffer.getMappedRange()).set(bytes);
  } catch (error) {
    if (isLost(device)) throw invalidStateError(`${where}: the GPUDevice is lost`);
    throw operationError(`${where}: the GPUDevice has no buffer of ${size} bytes: ${messageOf(error)}`, error);
  }
  buffer.unmap();
  return buffer;
}

/** Writes what is in a buffer, which is not needed any more. If it went with the device, the tensor keeps what it had. */
async function download(
  device: GPUDevice,
  buffer: GPUBuffer,
  length: number,
  write: (bytes: Uint8Array) => void | Promise<void>,
): Promise<void> {
  device.pushErrorScope("validation");
  const staging = device.createBuffer({ size: buffer.size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  copyBuffer(device, buffer, staging);
  buffer.destroy();
  const problem = device.popErrorScope();
  try {
    await staging.mapAsync(GPUMapMode.READ);
    const error = await problem;
    if (error) throw new Error(error.message);
  } catch (error) {
    if (isLost(device)) return;
    throw new Error(`The contents could not be copied back from the GPUDevice: ${messageOf(error)}`);
  }
  await write(new Uint8Array(staging.getMappedRange(), 0, length));
  staging.destroy();
}

function copyBuffer(device: GPUDevice, from: GPUBuffer, to: GPUBuffer): void {
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(from, 0, to, 0, from.size);
  device.queue.submit([encoder.finish()]);
}
