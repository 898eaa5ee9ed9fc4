/**
 * One device made of several: a graph goes, as a whole, to the first that takes it. Tensors follow the graphs that use
 * them: their contents move when a graph of another device needs them.
 *
 * @module
 */

import { messageOf } from "../errors.ts";
import type { Constant, Graph } from "../graph/graph.ts";
import { whyNot } from "../graph/limits.ts";
import type { Descriptor } from "../shape.ts";
import type { Block, Device, DeviceTensor, Engine, Executable, Refusal } from "./backend.ts";

/** A device beside the preferred one. */
export type Member = OpenDevice | LateDevice;

/** A device that is open. */
export interface OpenDevice {
  readonly kind: "open";
  readonly device: Device;
}

/** A device that is opened when the first graph comes to it; from then on it is open, or absent for a reason. */
export interface LateDevice {
  readonly kind: "late";
  readonly engine: Engine;
  /** Rejects with the reason if there is none. */
  open(): Promise<Device>;
}

/**
 * Opens several as one, which are asked for each graph in their order. The last device that is open takes whatever any of
 * them takes: its limits are those of all.
 */
export function openEither(preferred: Device, ...others: readonly Member[]): Device {
  const team = new Team(preferred, others);
  return {
    info: preferred.info,
    accelerated: preferred.accelerated,
    limits: { ...team.last.limits, preferredInputLayout: preferred.limits.preferredInputLayout },
    lost: team.lost.promise,
    checkMemory: (bytes) => preferred.checkMemory(bytes),
    createTensor: (descriptor) => createTensor(preferred, team.last, descriptor),
    store: (bytes) => new EitherBlock(preferred, preferred.store(bytes)),
    compile: (graph) => compile(team, graph as Graph<EitherBlock>),
    abort: () => team.abort(),
    close: () => team.close(),
  };
}

/** A device by the engine that it is of, however it is opened. */
type Opener = Omit<LateDevice, "kind">;

/** The devices in the order in which they are asked. */
class Team {
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

/** A device may still find, while it compiles, that it cannot take the graph. */
async function compile(team: Team, graph: Graph<EitherBlock>): Promise<Executable> {
  const refusals: Refusal[] = [];
  try {
    for (const { engine, open } of team.members) {
      if (team.aborted) throw new Error("The context is lost");
      try {
        const device = await open();
        const problem = whyNot(graph, device.limits);
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

function describe(refusals: readonly Refusal[]): string {
  const nameOf = ({ backend, provider }: Engine) => backend === provider ? backend : `${backend} (${provider})`;
  return refusals.map((refusal) => `${nameOf(refusal)}: ${refusal.reason}`).join("; ");
}

async function compileOn(
  device: Device,
  graph: Graph<EitherBlock>,
  refusals: readonly Refusal[],
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
    run: (inputs, outputs) => run(device, executable, inputs as EitherTensor[], outputs as EitherTensor[]),
    release: () => executable.release(),
  };
}

/** The constants of a graph in memory of a device. */
function store(device: Device, { constants }: Graph<EitherBlock>): Constant<Block>[] {
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

async function createTensor(preferred: Device, last: Device, descriptor: Descriptor): Promise<EitherTensor> {
  const { dataTypes, maxRank } = preferred.limits;
  const device = dataTypes.includes(descriptor.dataType) && descriptor.shape.length <= maxRank ? preferred : last;
  const tensor = new EitherTensor(descriptor, device);
  await tensor.allocateOn(device);
  return tensor;
}

/** A tensor with memory on one device or on several, of which one holds the contents. */
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

/**
 * A constant in memory of the preferred device, which only borrows it: if it does not take the graph, the others are given
 * the bytes.
 */
class EitherBlock implements Block {
  /** Blocks of a constant tensor, which other graphs will want too. */
  readonly #others = new Map<Device, Block>();

  constructor(readonly preferred: Device, readonly block: Block) {}

  get bytes(): Uint8Array {
    return this.block.bytes;
  }

  /** The block for a device, and whether it stays here: else it will belong to the device. */
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
