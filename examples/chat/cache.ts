/**
 * The keys and values of a conversation, in tensors on the device: a history of fixed length for each layer, and a block of
 * recent positions. A token's dispatch reads the history and writes the block, in another tensor than it reads. When the
 * block is full it is put into the history, layer by layer, each into the tensor that the layer before has left.
 *
 * @module
 */
import type { Architecture } from "./architecture.ts";
import { type CacheKind, cacheShape, type Graphs } from "./graphs.ts";

/** How many recent positions a block holds: a token copies a block, and its share of the history. */
export const BLOCK = 32;
/** How many tokens of a prompt go in together. */
export const CHUNKS: readonly number[] = [128, 32];
const KINDS: readonly CacheKind[] = ["key", "value"];
const FIRST_HISTORY = 256;

/** The caches of a conversation. */
export interface Cache {
  /** Positions that are held. */
  readonly length: number;
  /** Of them, those in the history. */
  readonly settled: number;
  /** Positions for which the history has room. */
  readonly history: number;
  /** Inputs and outputs of the dispatch of one token, which goes to the place `length - settled` of the block. */
  tokenTensors(): { inputs: Record<string, MLTensor>; outputs: Record<string, MLTensor> };
  /** Inputs and outputs of the dispatch of a chunk. The block must be settled. */
  chunkTensors(count: number): Promise<{ inputs: Record<string, MLTensor>; outputs: Record<string, MLTensor> }>;
  /** Makes room for a token, which may settle the block. */
  prepareToken(): Promise<void>;
  /** Makes room for a chunk, with the block settled. */
  prepareChunk(count: number): Promise<void>;
  /** The dispatch of a token is on its way. */
  addToken(): void;
  /** The dispatch of a chunk is on its way, of which the first `used` tokens count. */
  addChunk(count: number, used: number): Promise<void>;
  /** Forgets what stands behind a number of positions. */
  rewind(length: number): void;
  destroy(): void;
}

/** A layer's tensors of keys or of values. */
interface Slot {
  readonly name: string;
  readonly kind: CacheKind;
  history: MLTensor;
  /** What the next token reads. */
  recent: MLTensor;
  /** What it writes. */
  next: MLTensor;
}

/**
 * Caches of zeros.
 * @param capacity positions at most
 */
export async function createCache(
  context: MLContext,
  graphs: Graphs,
  architecture: Architecture,
  capacity: number,
): Promise<Cache> {
  const cache = new DeviceCache(context, graphs, architecture, capacity);
  await cache.allocate();
  return cache;
}

class DeviceCache implements Cache {
  readonly #slots: Slot[] = [];
  readonly #chunks = new Map<number, Record<string, MLTensor>>();
  readonly #places = new Map<string, MLTensor>();
  /** A history that no layer uses at the moment. */
  readonly #spares = new Map<CacheKind, MLTensor>();
  readonly #histories: readonly number[];
  #length = 0;
  #settled = 0;
  #history: number;

  constructor(
    readonly context: MLContext,
    readonly graphs: Graphs,
    readonly architecture: Architecture,
    capacity: number,
  ) {
    this.#histories = historiesUpTo(capacity);
    this.#history = this.#histories[0]!;
  }

  get length(): number {
    return this.#length;
  }

  get settled(): number {
    return this.#settled;
  }

  get history(): number {
    return this.#history;
  }

  async allocate(): Promise<void> {
    for (const kind of KINDS) {
      this.#spares.set(kind, await this.#tensor(kind, this.#history));
      for (let layer = 0; layer < this.architecture.layers; layer++) {
        this.#slots.push({
          name: `${kind}_${layer}`,
          kind,
          history: await this.#tensor(kind, this.#history),
          recent: await this.#tensor(kind, BLOCK),
          next: await this.#tensor(kind, BLOCK),
        });
      }
    }
  }

  tokenTensors(): { inputs: Record<string, MLTensor>; outputs: Record<string, MLTensor> } {
    const inputs: Record<string, MLTensor> = {};
    const outputs: Record<string, MLTensor> = {};
    for (const { history, name, next, recent } of this.#slots) {
      inputs[name] = history;
      inputs[`recent_${name}`] = recent;
      outputs[`new_${name}`] = next;
    }
    return { inputs, outputs };
  }

  async chunkTensors(count: number): Promise<{ inputs: Record<string, MLTensor>; outputs: Record<string, MLTensor> }> {
    const inputs = Object.fromEntries(this.#slots.map(({ history, name }) => [name, history]));
    return { inputs, outputs: await this.#chunk(count) };
  }

  async prepareToken(): Promise<void> {
    if (this.#length - this.#settled === BLOCK) await this.#settle();
  }

  async prepareChunk(count: number): Promise<void> {
    await this.#settle();
    await this.#reserve(this.#settled + count);
  }

  addToken(): void {
    for (const slot of this.#slots) [slot.recent, slot.next] = [slot.next, slot.recent];
    this.#length++;
  }

  async addChunk(count: number, used: number): Promise<void> {
    const chunk = await this.#chunk(count);
    await this.#put(count, ({ name }) => chunk[`new_${name}`]!);
    this.#length = this.#settled += used;
  }

  rewind(length: number): void {
    this.#length = Math.min(length, this.#length);
    this.#settled = Math.min(length, this.#settled);
  }

  destroy(): void {
    const ofSlots = this.#slots.flatMap(({ history, next, recent }) => [history, next, recent]);
    const ofChunks = [...this.#chunks.values()].flatMap((tensors) => Object.values(tensors));
    for (const tensor of [...ofSlots, ...ofChunks, ...this.#spares.values(), ...this.#places.values()]) {
      tensor.destroy();
    }
  }

  /** Puts the block into the history. */
  async #settle(): Promise<void> {
    if (this.#length === this.#settled) return;
    await this.#reserve(this.#settled + BLOCK);
    await this.#put(BLOCK, ({ recent }) => recent);
    this.#settled = this.#length;
  }

  /** Puts keys and values of `count` positions behind those that are settled. */
  async #put(count: number, recentOf: (slot: Slot) => MLTensor): Promise<void> {
    for (const kind of KINDS) {
      const graph = await this.graphs.put(kind, this.#history, count);
      const places = await this.#writePlaces(kind, count);
      for (const slot of this.#slots.filter((slot) => slot.kind === kind)) {
        const spare = this.#spares.get(kind)!;
        const inputs = { history: slot.history, recent: recentOf(slot), places };
        this.context.dispatch(graph, inputs, { output: spare });
        this.#spares.set(kind, slot.history);
        slot.history = spare;
      }
    }
  }

  async #writePlaces(kind: CacheKind, count: number): Promise<MLTensor> {
    const shape = cacheShape(this.architecture, kind, count);
    const key = `${kind} ${count}`;
    const tensor = this.#places.get(key) ??
      await this.context.createTensor({ dataType: "int32", shape, writable: true });
    this.#places.set(key, tensor);
    const inner = kind === "key" ? 1 : this.architecture.headSize;
    const places = Int32Array.from(
      { length: shape.reduce((product, size) => product * size) },
      (_, i) => this.#settled + Math.floor(i / inner) % count,
    );
    this.context.writeTensor(tensor, places);
    return tensor;
  }

  /** Makes the history long enough. */
  async #reserve(positions: number): Promise<void> {
    if (positions <= this.#history) return;
    const longer = this.#histories.find((history) => history >= positions);
    if (longer === undefined) throw new Error(`the context has no room for ${positions} tokens`);
    for (const kind of KINDS) {
      const graph = await this.graphs.grow(kind, this.#history, longer);
      for (const slot of this.#slots.filter((slot) => slot.kind === kind)) {
        const before = slot.history;
        slot.history = await this.#tensor(kind, longer);
        this.context.dispatch(graph, { history: before }, { output: slot.history });
        before.destroy();
      }
      this.#spares.get(kind)!.destroy();
      this.#spares.set(kind, await this.#tensor(kind, longer));
    }
    this.#history = longer;
  }

  async #chunk(count: number): Promise<Record<string, MLTensor>> {
    const known = this.#chunks.get(count);
    if (known) return known;
    const tensors: Record<string, MLTensor> = {};
    for (const { kind, name } of this.#slots) tensors[`new_${name}`] = await this.#tensor(kind, count);
    this.#chunks.set(count, tensors);
    return tensors;
  }

  #tensor(kind: CacheKind, positions: number): Promise<MLTensor> {
    return this.context.createTensor({ dataType: "float32", shape: cacheShape(this.architecture, kind, positions) });
  }
}

/** The lengths that a history goes through: each twice the one before, the last with room for a chunk behind the end. */
function historiesUpTo(capacity: number): number[] {
  const last = Math.ceil(capacity / BLOCK) * BLOCK + CHUNKS[0]!;
  const lengths: number[] = [];
  for (let length = FIRST_HISTORY; length < last; length *= 2) lengths.push(length);
  // One that is little shorter than the last is not worth its graphs.
  if (lengths.at(-1)! > 0.75 * last) lengths.pop();
  return [...lengths, last];
}
