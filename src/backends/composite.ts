/**
 * A device made of several devices. The first device that supports a graph runs the whole graph. Tensors are copied
 * between devices when a graph needs them.
 *
 * @module
 */

import { messageOf } from "../errors.ts";
import type { Constant, Graph } from "../graph/graph.ts";
import { whyUnsupported } from "../graph/limits.ts";
import type { Descriptor } from "../shape.ts";
import type { Block, Device, DeviceTensor, Engine, EngineRefusal, Executable } from "./backend.ts";

/** A device to try after the preferred one. */
export type Member = OpenDevice | LateDevice;

/** A device that is already open. */
export interface OpenDevice {
  readonly kind: "open";
  readonly device: Device;
}

/** A device that is opened when a graph first needs it. */
export interface LateDevice {
  readonly kind: "late";
  readonly engine: Engine;
  /** Opens it. Rejects with the reason if that fails. */
  open(): Promise<Device>;
}

/**
 * Combines devices. For each graph they are tried in order. The last open device must support everything that any of
 * them supports: its limits become those of the combined device.
 */
export function openComposite(preferred: Device, ...others: readonly Member[]): Device {
  const chain = new DeviceChain(preferred, others);
  return {
    info: preferred.info,
    accelerated: preferred.accelerated,
    limits: { ...chain.last.limits, preferredInputLayout: preferred.limits.preferredInputLayout },
    lost: chain.lost.promise,
    checkMemory: (bytes) => preferred.checkMemory(bytes),
    createTensor: (descriptor) => createTensor(preferred, chain.last, descriptor),
    store: (contents) => new CompositeBlock(preferred, preferred.store(contents)),
    startReading: () => preferred.startReading?.(),
    compile: (graph) => compile(chain, graph as Graph<CompositeBlock>),
    abort: () => chain.abort(),
    close: () => chain.close(),
  };
}

/** A device and its engine, whether open already or not. */
type Opener = Omit<LateDevice, "kind">;

/** The devices, in the order in which they are tried. */
class DeviceChain {
  readonly lost: PromiseWithResolvers<string> = Promise.withResolvers();
  readonly members: readonly Opener[];
  readonly last: Device;
  readonly #open: Device[] = [];
  #aborted = false;

  constructor(preferred: Device, others: readonly Member[]) {
    const members: readonly Member[] = [{ kind: "open", device: preferred }, ...others];
    this.members = members.map((member) => member.kind === "late" ? this.#once(member) : this.#opened(member.device));
    this.last = this.#open.at(-1)!;
  }

  get aborted(): boolean {
    return this.#aborted;
  }

  abort(): void {
    this.#aborted = true;
    for (const device of this.#open) device.abort();
  }

  close(): void {
    for (const device of this.#open) device.close();
  }

  #opened(device: Device): Opener {
    this.#add(device);
    return { engine: device.info, open: () => Promise.resolve(device) };
  }

  #once({ engine, open }: LateDevice): Opener {
    let opened: Promise<Device> | undefined;
    return { engine, open: () => opened ??= open().then((device) => this.#add(device)) };
  }

  #add(device: Device): Device {
    this.#open.push(device);
    device.lost.then(this.lost.resolve);
    return device;
  }
}

/** Compiles a graph on the first device that supports it. A device may also fail while it compiles. */
async function compile(chain: DeviceChain, graph: Graph<CompositeBlock>): Promise<Executable> {
  const refusals: EngineRefusal[] = [];
  try {
    for (const { engine, open } of chain.members) {
      if (chain.aborted) throw new Error("The context is lost");
      try {
        const device = await open();
        const problem = whyUnsupported(graph, device.limits);
        if (problem !== undefined) throw new Error(problem);
        return await compileOn(device, graph, refusals);
      } catch (error) {
        refusals.push({ backend: engine.backend, provider: engine.provider, reason: messageOf(error) });
      }
    }
    throw new Error(describe(refusals));
  } finally {
    for (const { block, shared } of graph.constants) if (!shared) block.release();
  }
}

function describe(refusals: readonly EngineRefusal[]): string {
  const nameOf = ({ backend, provider }: Engine) => backend === provider ? backend : `${backend} (${provider})`;
  return refusals.map((refusal) => `${nameOf(refusal)}: ${refusal.reason}`).join("; ");
}

async function compileOn(
  device: Device,
  graph: Graph<CompositeBlock>,
  refusals: readonly EngineRefusal[],
): Promise<Executable> {
  const executable = await device.compile({ ...graph, constants: store(device, graph) });
  const { devices, elsewhere = [], nodesElsewhere = new Set() } = executable;
  return {
    devices,
    elsewhere,
    nodesElsewhere,
    engine: device.info,
    refusals,
    get blockingTime() {
      return executable.blockingTime ?? 0;
    },
    run: (inputs, outputs) => run(device, executable, inputs as CompositeTensor[], outputs as CompositeTensor[]),
    release: () => executable.release(),
  };
}

/** Copies the constants of a graph to the memory of a device. */
function store(device: Device, { constants }: Graph<CompositeBlock>): Constant<Block>[] {
  const stored: Constant<Block>[] = [];
  try {
    for (const { value, block, shared } of constants) stored.push({ value, ...block.on(device, shared) });
    return stored;
  } catch (error) {
    for (const { block, shared } of stored) if (!shared) block.release();
    throw error;
  }
}

function run(
  device: Device,
  executable: Executable,
  inputs: readonly CompositeTensor[],
  outputs: readonly CompositeTensor[],
): void | Promise<void> {
  const areHere = inputs.every((input) => input.isCurrentOn(device)) && outputs.every((output) => output.isOn(device));
  return areHere ? runHere(device, executable, inputs, outputs) : moveAndRun(device, executable, inputs, outputs);
}

async function moveAndRun(
  device: Device,
  executable: Executable,
  inputs: readonly CompositeTensor[],
  outputs: readonly CompositeTensor[],
): Promise<void> {
  for (const input of inputs) await input.moveTo(device);
  for (const output of outputs) await output.allocateOn(device);
  await runHere(device, executable, inputs, outputs);
}

function runHere(
  device: Device,
  executable: Executable,
  inputs: readonly CompositeTensor[],
  outputs: readonly CompositeTensor[],
): void | Promise<void> {
  const pending = executable.run(inputs.map((input) => input.on(device)), outputs.map((output) => output.on(device)));
  // Also if the run fails: the contents are undefined then.
  for (const output of outputs) output.setCurrent(device);
  return pending;
}

async function createTensor(preferred: Device, last: Device, descriptor: Descriptor): Promise<CompositeTensor> {
  const { dataTypes, maxRank } = preferred.limits;
  const device = dataTypes.includes(descriptor.dataType) && descriptor.shape.length <= maxRank ? preferred : last;
  const tensor = new CompositeTensor(descriptor, device);
  await tensor.allocateOn(device);
  return tensor;
}

/** A tensor with memory on one or several devices; `current` has the valid contents. */
class CompositeTensor implements DeviceTensor {
  readonly #natives = new Map<Device, DeviceTensor>();

  constructor(readonly descriptor: Descriptor, private current: Device) {}

  isOn(device: Device): boolean {
    return this.#natives.has(device);
  }

  isCurrentOn(device: Device): boolean {
    return this.current === device;
  }

  setCurrent(device: Device): void {
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

/**
 * A constant in the memory of the preferred device, which only borrows it: if that device does not support the graph,
 * the bytes are copied to another one.
 */
class CompositeBlock implements Block {
  /** Copies of a constant tensor's block on other devices, kept for other graphs. */
  readonly #others = new Map<Device, Block>();

  constructor(readonly preferred: Device, readonly block: Block) {}

  get bytes(): Uint8Array {
    return this.block.bytes;
  }

  /** The block on a device, and whether it is shared; if it is not, the device takes it over. */
  on(device: Device, shared: boolean): { block: Block; shared: boolean } {
    if (device === this.preferred) return { block: this.block, shared: true };
    if (!shared) return { block: device.store(this.block.bytes), shared };
    const block = this.#others.get(device) ?? device.store(this.block.bytes);
    this.#others.set(device, block);
    return { block, shared };
  }

  release(): void {
    for (const block of [this.block, ...this.#others.values()]) block.release();
    this.#others.clear();
  }
}
