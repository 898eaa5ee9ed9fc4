/**
 * The key-value cache of a conversation, in tensors on the device. Each layer has a history of fixed length, and a
 * block with the positions after it in its last rows. The dispatch of a token reads both, and writes the block, moved
 * by one row, with the token as its last row to a second tensor. A chunk of tokens, or a full block, is added to the
 * history, layer by layer. One spare history is enough for that: each layer writes its new history to the spare one,
 * and its old history becomes the spare one for the next layer.
 *
 * @module
 */
import type { Architecture } from "./architecture.ts";
import type { Graphs } from "./graphs.ts";
import { BLOCK, cacheShape, CHUNK, type History, placesShape } from "./network.ts";
import { startYielding } from "./yielding.ts";

/**
 * The length of a history is a multiple of this: each token reads the whole history, so little of it should be unused.
 */
const STEP = 128;
/** The factor by which a history grows. */
const GROWTH = 1.25;

/** The key-value cache of a conversation. */
export interface Cache {
  /** The number of positions in the cache. */
  readonly length: number;
  /** The number of those positions that are in the history. */
  readonly settled: number;
  /** The length of the history. */
  readonly history: number;
  /** The tensors of a layer for a token; the same object while they do not change. Call `prepareToken` first. */
  tokenTensors(layer: number): Bindings;
  /** The tensors of a layer for a chunk. Call `prepareChunks` first, and `swap` after the dispatch. */
  chunkTensors(layer: number): Bindings;
  /** The new history of a layer becomes its history. */
  swap(layer: number): void;
  /** Makes room for a token; a full block is moved to the history. */
  prepareToken(): Promise<void>;
  /** Makes room for chunks with `count` tokens in total; the block is moved to the history. */
  prepareChunks(count: number): Promise<void>;
  /** A tensor with the coordinates of the next `count` rows of the history. */
  writePlaces(count: number): Promise<MLTensor>;
  /** Records that a token was dispatched. */
  addToken(): void;
  /** Records that a chunk was dispatched, of which the first `used` tokens are real and the others padding. */
  addChunk(used: number): void;
  /** Removes all positions after the first `length`. */
  rewind(length: number): void;
  destroy(): void;
}

/** The tensors of a dispatch, by their names in the graph. */
export interface Bindings {
  readonly inputs: Readonly<Record<string, MLTensor>>;
  readonly outputs: Readonly<Record<string, MLTensor>>;
}

/** The keys and values of some positions. */
interface KeysValues {
  readonly keys: MLTensor;
  readonly values: MLTensor;
}

/** The tensors of a layer. */
interface Slot {
  history: KeysValues;
  /** Two blocks: the dispatch of a token reads one and writes the other. */
  readonly blocks: readonly [KeysValues, KeysValues];
  /**
   * The tensors for a token that reads the first block, and for one that reads the second; until the history changes.
   */
  bindings: (Bindings | undefined)[];
}

/**
 * Creates an empty cache.
 * @param capacity the maximum number of positions
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
  /** The tensors with the coordinates of rows in the history, by the number of rows. */
  readonly #places = new Map<number, MLTensor>();
  #spare!: KeysValues;
  readonly #histories: readonly number[];
  /** The index of the blocks that the next token reads. */
  #current: 0 | 1 = 0;
  #length = 0;
  #settled = 0;
  /** The number of rows of the block that are in use; after a rewind, the last ones of them may be obsolete. */
  #rows = 0;
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
    this.#spare = await this.#createHistory(this.#history);
    for (let layer = 0; layer < this.architecture.layers; layer++) {
      this.#slots.push({
        history: await this.#createHistory(this.#history),
        blocks: [await this.#createBlock(), await this.#createBlock()],
        bindings: [],
      });
    }
    this.graphs.enter(this.#history);
    this.graphs.prepare(this.#history);
  }

  tokenTensors(layer: number): Bindings {
    const current = this.#current;
    const { bindings, blocks, history } = this.#slots[layer]!;
    const [now, next] = [blocks[current], blocks[current === 0 ? 1 : 0]];
    return bindings[current] ??= {
      inputs: { ...history, recent_keys: now.keys, recent_values: now.values },
      outputs: { new_recent_keys: next.keys, new_recent_values: next.values },
    };
  }

  chunkTensors(layer: number): Bindings {
    const { keys, values } = this.#spare;
    return { inputs: { ...this.#slots[layer]!.history }, outputs: { new_keys: keys, new_values: values } };
  }

  swap(layer: number): void {
    const slot = this.#slots[layer]!;
    [slot.history, this.#spare] = [this.#spare, slot.history];
    slot.bindings = [];
  }

  async prepareToken(): Promise<void> {
    if (this.#rows === BLOCK || this.#rows > this.#length - this.#settled) await this.#settle();
  }

  async prepareChunks(count: number): Promise<void> {
    await this.#settle();
    await this.#reserve(this.#settled + count);
  }

  async writePlaces(count: number): Promise<MLTensor> {
    const shape = placesShape(this.architecture, count);
    const tensor = this.#places.get(count) ??
      await this.context.createTensor({ dataType: "int32", shape, writable: true });
    this.#places.set(count, tensor);
    this.context.writeTensor(tensor, coordinatesOf(this.architecture, this.#settled, count, this.#rows));
    return tensor;
  }

  addToken(): void {
    this.#current = this.#current === 0 ? 1 : 0;
    this.#length++;
    this.#rows++;
  }

  addChunk(used: number): void {
    this.#length = this.#settled = this.#settled + used;
  }

  rewind(length: number): void {
    this.#length = Math.min(length, this.#length);
    this.#settled = Math.min(length, this.#settled);
    if (this.#length === this.#settled) this.#rows = 0;
  }

  destroy(): void {
    for (const { blocks, history } of this.#slots) {
      destroyBoth(history);
      blocks.forEach(destroyBoth);
    }
    destroyBoth(this.#spare);
    for (const tensor of this.#places.values()) tensor.destroy();
    this.graphs.leave(this.#history);
  }

  /** Copies the block to the history. Its unused rows go behind the end, where later rows overwrite them. */
  async #settle(): Promise<void> {
    if (this.#length > this.#settled) {
      await this.#reserve(this.#settled + BLOCK);
      const graph = await this.graphs.put(this.#history);
      const places = await this.writePlaces(BLOCK);
      const yieldIfDue = startYielding();
      for (const [layer, { blocks }] of this.#slots.entries()) {
        await yieldIfDue();
        const { inputs, outputs } = this.chunkTensors(layer);
        const { keys, values } = blocks[this.#current];
        this.context.dispatch(graph, { ...inputs, recent_keys: keys, recent_values: values, places }, outputs);
        this.swap(layer);
      }
    }
    this.#settled = this.#length;
    this.#rows = 0;
    this.#prepareGrowth();
  }

  /** Builds the graphs for a longer history before the next block fills it, so that no token waits for them. */
  #prepareGrowth(): void {
    if (this.#settled + 2 * BLOCK <= this.#history) return;
    const longer = this.#longerThan(this.#history);
    if (longer !== undefined) this.graphs.prepare(longer, this.#history);
  }

  /** The shortest history that is longer. */
  #longerThan(positions: number): number | undefined {
    return this.#histories.find((history) => history > positions);
  }

  /** Makes the history long enough for a number of positions. */
  async #reserve(positions: number): Promise<void> {
    if (positions <= this.#history) return;
    const longer = this.#longerThan(positions - 1);
    if (longer === undefined) throw new Error(`${positions} tokens exceed the length of the context`);
    const graph = await this.graphs.grow(this.#history, longer);
    const yieldIfDue = startYielding();
    for (const slot of this.#slots) {
      await yieldIfDue();
      const { keys, values } = slot.history;
      const history = await this.#createHistory(longer);
      this.context.dispatch(graph, { keys, values }, { new_keys: history.keys, new_values: history.values });
      destroyBoth(slot.history);
      slot.history = history;
      slot.bindings = [];
    }
    destroyBoth(this.#spare);
    this.#spare = await this.#createHistory(longer);
    this.graphs.enter(longer);
    this.graphs.leave(this.#history);
    this.#history = longer;
  }

  #createHistory(length: number): Promise<KeysValues> {
    return this.#createKeysValues({ length, dataType: this.graphs.historyType(length) });
  }

  #createBlock(): Promise<KeysValues> {
    return this.#createKeysValues({ length: BLOCK, dataType: "float32" });
  }

  async #createKeysValues({ dataType, length }: History): Promise<KeysValues> {
    const descriptor = { dataType, shape: cacheShape(this.architecture, length) };
    return { keys: await this.context.createTensor(descriptor), values: await this.context.createTensor(descriptor) };
  }
}

function destroyBoth({ keys, values }: KeysValues): void {
  keys.destroy();
  values.destroy();
}

/**
 * The coordinates in the history of `count` rows of all heads, starting at a row. Of a block, the last `used` rows go to
 * the first places.
 */
function coordinatesOf(
  { keyValueHeads }: Architecture,
  first: number,
  count: number,
  used: number,
): Int32Array<ArrayBuffer> {
  const coordinates = new Int32Array(keyValueHeads * count * 3);
  for (let i = 0; i < keyValueHeads * count; i++) {
    coordinates[3 * i] = Math.floor(i / count);
    coordinates[3 * i + 2] = first + (i + used) % count;
  }
  return coordinates;
}

/** The lengths of a growing history. The last one has room for a chunk after the capacity. */
function historiesUpTo(capacity: number): number[] {
  const last = Math.ceil(capacity / BLOCK) * BLOCK + CHUNK;
  const lengths: number[] = [];
  for (let length = STEP; length < last; length = Math.ceil(length * GROWTH / STEP) * STEP) lengths.push(length);
  return [...lengths, last];
}
