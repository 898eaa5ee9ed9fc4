/**
 * Exchange of tensors with WebGPU: an exportable tensor is lent to a GPUDevice as a GPUBuffer, until that is destroyed.
 *
 * Deno's WebGPU (wgpu) and the engines' GPU code (Dawn in ONNX Runtime) cannot share memory, so the contents are copied
 * through the CPU: to the GPU on each export, and back when WebNN next needs them.
 *
 * The standard of June 2026 has only `createContext(gpuDevice)`. The rest follows the web platform tests of that month,
 * and Chromium where the tests leave something open.
 *
 * @see https://github.com/webmachinelearning/webnn/blob/main/mltensor-explainer.md#exporting-an-mltensor-to-webgpu
 * @module
 */

import type { GpuAdapter } from "../backends/backend.ts";
import { invalidStateError, messageOf, operationError } from "../errors.ts";
import { byteLength, type Descriptor } from "../shape.ts";
import type { TimelineTensor } from "../timeline/timeline.ts";
import type { Converter } from "../webidl/converters.ts";

/**
 * An exportable tensor and its GPUDevice. If `rented` and `returned` are both undefined, the contents are in the
 * tensor.
 */
export interface Rental {
  readonly device: GPUDevice;
  readonly tensor: TimelineTensor;
  /** The buffer that the program uses or awaits; `undefined` after the program destroyed it. */
  rented: GPUBuffer | Promise<GPUBuffer> | undefined;
  /** A copy of the last destroyed buffer, until WebNN needs its contents. */
  returned: GPUBuffer | undefined;
}

/**
 * Checks that a GPUDevice can have a buffer for a tensor.
 * @throws {TypeError} if the tensor is too large
 * @throws {DOMException} InvalidStateError if the device is lost
 */
export function checkExportable(device: GPUDevice, descriptor: Descriptor, where: string): void {
  if (isLost(device)) throw invalidStateError(`${where}: the GPUDevice is lost`);
  const [size, limit] = [bufferSize(byteLength(descriptor)), device.limits.maxBufferSize];
  if (size > limit) {
    throw new TypeError(`${where}: descriptor needs ${size} bytes; the GPUDevice's limit maxBufferSize is ${limit}`);
  }
}

/** Makes a tensor exportable. */
export function createRental(device: GPUDevice, tensor: TimelineTensor): Rental {
  return { device, tensor, rented: undefined, returned: undefined };
}

/* -- GPUDevice ----------------------------------------------------------------------------------------------------- */

/**
 * Whether a value is a GPUDevice of this realm. An object that only has its members or its prototype is not: WebIDL's
 * overload resolution takes it for a dictionary.
 */
export function isGpuDevice(value: unknown): value is GPUDevice {
  if (typeof GPUDevice !== "function" || !(value instanceof GPUDevice)) return false;
  try {
    Object.getOwnPropertyDescriptor(GPUDevice.prototype, "label")!.get!.call(value);
    return true;
  } catch {
    return false; // The getter checks the internal slots.
  }
}

/** Converts an argument of type `GPUDevice`. */
export const gpuDevice: Converter<GPUDevice> = (value, context) => {
  if (!isGpuDevice(value)) throw new TypeError(`${context} is not a GPUDevice.`);
  return value;
};

/**
 * Whether a device is lost. Its promise `lost` settles later; a lost device can no longer map buffers, which shows now.
 */
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

/** The GPU of a device. In Deno, vendor and device numbers are decimal strings, and 0 if unknown. */
export function adapterOf({ adapterInfo }: GPUDevice): GpuAdapter {
  const { description, device, isFallbackAdapter, vendor } = adapterInfo;
  const [vendorId, deviceId] = [Number.parseInt(vendor) || NaN, Number.parseInt(device)];
  return { description, vendorId, deviceId, isSoftware: isFallbackAdapter };
}

/* -- Export -------------------------------------------------------------------------------------------------------- */

/** Whether a tensor is lent to WebGPU, so that WebNN may not use it. */
export function isExported(rental: Rental | undefined): boolean {
  return rental?.rented !== undefined;
}

/**
 * Lends a tensor to WebGPU after all earlier work. WPT uses the result at once, while the explainer and Chromium's
 * first version return a promise. So this returns the buffer if there is nothing to wait for, else a promise; `await`
 * works for both.
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
  if (!(exported instanceof Promise)) return exported;
  return rental.rented = exported.catch((error) => {
    rental.rented = undefined;
    throw error;
  });
}

/** Hands out the buffer. Its own `destroy` method, which ends the loan, hides that of the prototype. */
function rentOut(rental: Rental, buffer: GPUBuffer): GPUBuffer {
  rental.rented = buffer;
  const destroy = () => {
    Reflect.deleteProperty(buffer, "destroy");
    keepContents(rental, buffer);
    buffer.destroy();
  };
  return Object.defineProperty(buffer, "destroy", { value: destroy, configurable: true, writable: true });
}

/** Keeps a copy of a buffer that is about to be destroyed. */
function keepContents(rental: Rental, buffer: GPUBuffer): void {
  const { device, tensor } = rental;
  rental.rented = undefined;
  if (tensor.destroyed || tensor.timeline.isLost) return;
  rental.returned = device.createBuffer({ size: buffer.size, usage: buffer.usage });
  copyBuffer(device, buffer, rental.returned);
}

/** Copies the contents back to the tensor, before the next work of WebNN on it. */
export function restoreContents(rental: Rental | undefined): void {
  const returned = rental?.returned;
  if (!returned) return;
  const { device, tensor } = rental;
  rental.returned = undefined;
  tensor.timeline.fill(tensor, (write) => download(device, returned, byteLength(tensor.descriptor), write));
}

/** Drops the copy on the GPU, because the contents are about to be overwritten or the tensor is destroyed. */
export function discardReturned(rental: Rental | undefined): void {
  if (!rental?.returned) return;
  rental.returned.destroy();
  rental.returned = undefined;
}

/* -- Copies -------------------------------------------------------------------------------------------------------- */

/** The size of a buffer for `length` bytes: WebGPU binds and copies multiples of 4 bytes. */
function bufferSize(length: number): number {
  return Math.ceil(length / 4) * 4;
}

/** Creates a buffer with the bytes. */
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

/**
 * Passes the bytes of a buffer to `write`, and destroys it. If the device is lost, the tensor keeps its old contents.
 */
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
