/**
 * One device made of two: a graph goes to the preferred one if that can take the whole of it, else to the other one.
 * Tensors follow the graphs that use them: their contents move when a graph of the other device needs them.
 *
 * @module
 */

import type { Graph } from "../graph/graph.ts";
import { whyNot } from "../graph/limits.ts";
import type { Descriptor } from "../shape.ts";
import type { Block, Device, DeviceTensor, Executable } from "./backend.ts";

/** Opens both as one. Whatever the preferred one can take, the fallback can take too: its limits are those of both. */
export function openEither(preferred: Device, fallback: Device): Device {
  return {
    info: preferred.info,
    accelerated: preferred.accelerated,
    limits: { ...fallback.limits, preferredInputLayout: preferred.limits.preferredInputLayout },
    lost: Promise.race([preferred.lost, fallback.lost]),
    createTensor: (descriptor) => createTensor(preferred, fallback, descriptor),
    store: (bytes) => new EitherBlock(bytes.slice()),
    compile: (graph) => compile(preferred, fallback, graph as Graph<EitherBlock>),
    abort() {
      preferred.abort();
      fallback.abort();
    },
    close() {
      preferred.close();
      fallback.close();
    },
  };
}

/** The preferred device may still find, while it compiles, that it cannot: what it says then is lost, `devices` tells. */
async function compile(preferred: Device, fallback: Device, graph: Graph<EitherBlock>): Promise<Executable> {
  try {
    if (whyNot(graph, preferred.limits) === undefined) {
      try {
        return await compileOn(preferred, graph);
      } catch {
        // The other one has a say.
      }
    }
    return await compileOn(fallback, graph);
  } finally {
    for (const { block, shared } of graph.constants) if (!shared) block.release();
  }
}

async function compileOn(device: Device, graph: Graph<EitherBlock>): Promise<Executable> {
  const constants = graph.constants.map((constant) => ({
    ...constant,
    block: constant.block.on(device, constant.shared),
  }));
  const executable = await device.compile({ ...graph, constants });
  return {
    devices: executable.devices,
    run: (inputs, outputs) => run(device, executable, inputs as EitherTensor[], outputs as EitherTensor[]),
    release: () => executable.release(),
  };
}

function run(
  device: Device,
  executable: Executable,
  inputs: readonly EitherTensor[],
  outputs: readonly EitherTensor[],
): void | Promise<void> {
  const areHere = inputs.every((input) => input.isCurrentOn(device)) && outputs.every((output) => output.isOn(device));
  return areHere ? runHere(device, executable, inputs, outputs) : moveAndRun(device, executable, inputs, outputs);
}

async function moveAndRun(
  device: Device,
  executable: Executable,
  inputs: readonly EitherTensor[],
  outputs: readonly EitherTensor[],
): Promise<void> {
  for (const input of inputs) await input.moveTo(device);
  for (const output of outputs) await output.allocateOn(device);
  await runHere(device, executable, inputs, outputs);
}

function runHere(
  device: Device,
  executable: Executable,
  inputs: readonly EitherTensor[],
  outputs: readonly EitherTensor[],
): void | Promise<void> {
  const pending = executable.run(inputs.map((input) => input.on(device)), outputs.map((output) => output.on(device)));
  // What a run has touched before it failed is undefined anyway.
  for (const output of outputs) output.isNowOn(device);
  return pending;
}

async function createTensor(preferred: Device, fallback: Device, descriptor: Descriptor): Promise<EitherTensor> {
  const { dataTypes, maxRank } = preferred.limits;
  const fits = dataTypes.includes(descriptor.dataType) && descriptor.shape.length <= maxRank;
  const tensor = new EitherTensor(descriptor, fits ? preferred : fallback);
  await tensor.allocateOn(fits ? preferred : fallback);
  return tensor;
}

/** A tensor with memory on one device or on both, of which one holds the contents. */
class EitherTensor implements DeviceTensor {
  readonly #natives = new Map<Device, DeviceTensor>();

  constructor(readonly descriptor: Descriptor, private current: Device) {}

  isOn(device: Device): boolean {
    return this.#natives.has(device);
  }

  isCurrentOn(device: Device): boolean {
    return this.current === device;
  }

  isNowOn(device: Device): void {
    this.current = device;
  }

  on(device: Device): DeviceTensor {
    return this.#natives.get(device)!;
  }

  async allocateOn(device: Device): Promise<void> {
    if (!this.isOn(device)) this.#natives.set(device, await device.createTensor(this.descriptor));
  }

  async moveTo(device: Device): Promise<void> {
    if (this.current === device) return;
    await this.allocateOn(device);
    const bytes = await this.read();
    await this.on(device).write(bytes);
    this.current = device;
  }

  write(bytes: Uint8Array): void | Promise<void> {
    return this.on(this.current).write(bytes);
  }

  read(): Uint8Array | Promise<Uint8Array> {
    return this.on(this.current).read();
  }

  release(): void {
    for (const native of this.#natives.values()) native.release();
    this.#natives.clear();
  }
}

/** The bytes of a constant until it is known which device needs them; those of a constant tensor also afterwards. */
class EitherBlock implements Block {
  readonly #natives = new Map<Device, Block>();

  constructor(private bytes: Uint8Array<ArrayBuffer>) {}

  /** The block of a device: a new one, which will belong to the device; or, if it is shared, the one that is kept here. */
  on(device: Device, shared: boolean): Block {
    if (!shared) return device.store(this.bytes);
    const native = this.#natives.get(device) ?? device.store(this.bytes);
    this.#natives.set(device, native);
    return native;
  }

  release(): void {
    for (const native of this.#natives.values()) native.release();
    this.#natives.clear();
    this.bytes = new Uint8Array();
  }
}
