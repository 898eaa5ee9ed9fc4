/**
 * The keys and values of a conversation, in tensors on the device: a history of fixed length for each layer, and a block of
 * recent positions, the last one at its end. A token's dispatch reads the history and writes the block, one row further, in
 * another tensor than it reads. When the block is full it is put into the history, layer by layer, each into the tensor that
 * the layer before has left.
 *
 * @module
 */
import type { Architecture } from "./architecture.ts";
import { cacheShape, type Graphs, placesShape } from "./graphs.ts";

/** How many recent positions a block holds: a token copies a block, and its share of the history. */
export const BLOCK = 32;
/** How many tokens of a prompt go in together. */
export const CHUNKS: readonly number[] = [128, 32];
const KINDS = ["key", "value"];
/** A shorter one would save a little of each token, and soon cost the building of longer graphs. */
const FIRST_HISTORY = 512;

/** The caches of a conversation. */
export interface Cache {
  /** Positions that are held. */
  readonly length: number;
  /** Of them, those in the history. */
  readonly settled: number;
  /** Positions for which the history has room. */
  readonly history: number;
  /** Inputs and outputs of the dispatch of one token. */
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
  /** The coordinates of rows that are put into histories, by their number. */
  readonly #places = new Map<number, MLTensor>();
  /** A history that no layer uses at the moment. */
  #spare!: MLTensor;
  readonly #histories: readonly number[];
  #length = 0;
  #settled = 0;
  /** The position behind the last row of the block. */
  #blockEnd = 0;
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
    this.#spare = await this.#tensor(this.#history);
    const layers = Array.from({ length: this.architecture.layers }, (_, layer) => layer);
    for (const name of KINDS.flatMap((kind) => layers.map((layer) => `${kind}_${layer}`))) {
      this.#slots.push({
        name,
        history: await this.#tensor(this.#history),
        recent: await this.#tensor(BLOCK),
        next: await this.#tensor(BLOCK),
      });
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
    if (this.#length - this.#settled === BLOCK || this.#blockEnd !== this.#length) await this.#settle();
  }

  async prepareChunk(count: number): Promise<void> {
    await this.#settle();
    await this.#reserve(this.#settled + count);
  }

  addToken(): void {
    for (const slot of this.#slots) [slot.recent, slot.next] = [slot.next, slot.recent];
    this.#blockEnd = ++this.#length;
  }

  async addChunk(count: number, used: number): Promise<void> {
    const chunk = await this.#chunk(count);
    const places = Array.from({ length: count }, (_, row) => this.#settled + row);
    await this.#put(places, ({ name }) => chunk[`new_${name}`]!);
    this.#length = this.#settled = this.#blockEnd = this.#settled + used;
  }

  rewind(length: number): void {
    this.#length = Math.min(length, this.#length);
    this.#settled = Math.min(length, this.#settled);
  }

  destroy(): void {
    const ofSlots = this.#slots.flatMap(({ history, next, recent }) => [history, next, recent]);
    const ofChunks = [...this.#chunks.values()].flatMap((tensors) => Object.values(tensors));
    for (const tensor of [...ofSlots, ...ofChunks, this.#spare, ...this.#places.values()]) {
      tensor.destroy();
    }
  }

  /** Puts the block into the history. */
  async #settle(): Promise<void> {
    if (this.#length > this.#settled) {
      await this.#reserve(this.#settled + BLOCK);
      await this.#put(this.#placesOfBlock(), ({ recent }) => recent);
    }
    this.#settled = this.#blockEnd = this.#length;
  }

  /** Where the rows of the block go. Those that do not count go behind the others, where they will be written over. */
  #placesOfBlock(): number[] {
    let free = this.#length;
    return Array.from({ length: BLOCK }, (_, row) => {
      const position = this.#blockEnd - BLOCK + row;
      return position >= this.#settled && position < this.#length ? position : free++;
    });
  }

  /** Puts the rows of keys and values at these positions of the history. */
  async #put(positions: readonly number[], recentOf: (slot: Slot) => MLTensor): Promise<void> {
    const graph = await this.graphs.put(this.#history, positions.length);
    const places = await this.#writePlaces(positions);
    for (const slot of this.#slots) {
      const [before, after] = [slot.history, this.#spare];
      this.context.dispatch(graph, { history: before, recent: recentOf(slot), places }, { output: after });
      [slot.history, this.#spare] = [after, before];
    }
  }

  async #writePlaces(positions: readonly number[]): Promise<MLTensor> {
    const count = positions.length;
    const shape = placesShape(this.architecture, count);
    const tensor = this.#places.get(count) ??
      await this.context.createTensor({ dataType: "int32", shape, writable: true });
    this.#places.set(count, tensor);
    const heads = Array.from({ length: this.architecture.sharedHeads }, (_, head) => head);
    const coordinates = heads.flatMap((head) => positions.flatMap((position) => [head, 0, position]));
    this.context.writeTensor(tensor, Int32Array.from(coordinates));
    return tensor;
  }

  /** Makes the history long enough. */
  async #reserve(positions: number): Promise<void> {
    if (positions <= this.#history) return;
    const longer = this.#histories.find((history) => history >= positions);
    if (longer === undefined) throw new Error(`the context has no room for ${positions} tokens`);
    const graph = await this.graphs.grow(this.#history, longer);
    for (const slot of this.#slots) {
      const before = slot.history;
      slot.history = await this.#tensor(longer);
      this.context.dispatch(graph, { history: before }, { output: slot.history });
      before.destroy();
    }
    this.#spare.destroy();
    this.#spare = await this.#tensor(longer);
    this.#history = longer;
  }

  async #chunk(count: number): Promise<Record<string, MLTensor>> {
    const known = this.#chunks.get(count);
    if (known) return known;
    const tensors: Record<string, MLTensor> = {};
    for (const { name } of this.#slots) tensors[`new_${name}`] = await this.#tensor(count);
    this.#chunks.set(count, tensors);
    return tensors;
  }

  #tensor(positions: number): Promise<MLTensor> {
    return this.context.createTensor({ dataType: "float32", shape: cacheShape(this.architecture, positions) });
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
