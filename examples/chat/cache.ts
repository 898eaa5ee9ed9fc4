/**
 * The key-value cache of a conversation, in tensors on the device. Each layer has a history of fixed length, and a
 * block with the positions after it. The dispatch of a token reads both, and writes the block with one more row to a
 * second tensor. A full block is copied to the history, layer by layer. One spare history is enough for that: each
 * layer writes its new history to the spare one, and its old history becomes the spare one for the next layer.
 *
 * @module
 */
import type { Architecture } from "./architecture.ts";
import type { Graphs } from "./graphs.ts";
import { cacheShape, placesShape } from "./network.ts";
import { startYielding } from "./yielding.ts";

/**
 * The positions in a block. Each token copies a block, and a full block copies the histories: this balances the costs.
 */
export const BLOCK = 32;
/** The numbers of prompt tokens that one dispatch can take. */
export const CHUNKS: readonly number[] = [128, 32];
const KINDS = ["key", "value"];
/**
 * The first length of a history. Each token reads the whole history, so it is short; to grow it, graphs must be built.
 */
const FIRST_HISTORY = 384;

/** The key-value cache of a conversation. */
export interface Cache {
  /** The number of positions in the cache. */
  readonly length: number;
  /** The number of those positions that are in the history. */
  readonly settled: number;
  /** The length of the history. */
  readonly history: number;
  /** The tensors for the dispatch of one token; the same object while they do not change. Call `prepareToken` first. */
  tokenTensors(): Bindings;
  /** The tensors for the dispatch of a chunk. The block must be empty. */
  chunkTensors(count: number): Promise<Bindings>;
  /** Makes room for a token; a full block is moved to the history. */
  prepareToken(): Promise<void>;
  /** Makes room for chunks with `count` tokens in total; the block is moved to the history. */
  prepareChunks(count: number): Promise<void>;
  /** Records that a token was dispatched. */
  addToken(): void;
  /** Records that a chunk was dispatched, of which the first `used` tokens are real and the others padding. */
  addChunk(count: number, used: number): Promise<void>;
  /** Removes all positions after the first `length`. */
  rewind(length: number): void;
  destroy(): void;
}

/** The tensors of a dispatch, by their names in the graph. */
export interface Bindings {
  readonly inputs: Readonly<Record<string, MLTensor>>;
  readonly outputs: Readonly<Record<string, MLTensor>>;
}

/** The tensors for the keys or the values of a layer. */
interface Slot {
  readonly name: string;
  history: MLTensor;
  /** Two blocks: the dispatch of a token reads one and writes the other. */
  readonly blocks: readonly [MLTensor, MLTensor];
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
  readonly #chunks = new Map<number, Record<string, MLTensor>>();
  /** The tensors with the coordinates of rows in the history, by the number of rows. */
  readonly #places = new Map<number, MLTensor>();
  /** The spare history. */
  #spare!: MLTensor;
  readonly #histories: readonly number[];
  /**
   * The tensors for a token that reads the first blocks, and for one that reads the second; until the histories change.
   */
  #bindings: (Bindings | undefined)[] = [];
  /** The index of the blocks that the next token reads. */
  #current: 0 | 1 = 0;
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
    this.#spare = await this.#tensor(this.#history);
    const layers = Array.from({ length: this.architecture.layers }, (_, layer) => layer);
    for (const name of KINDS.flatMap((kind) => layers.map((layer) => `${kind}_${layer}`))) {
      this.#slots.push({
        name,
        history: await this.#tensor(this.#history),
        blocks: [await this.#tensor(BLOCK), await this.#tensor(BLOCK)],
      });
    }
  }

  tokenTensors(): Bindings {
    return this.#bindings[this.#current] ??= this.#bindToken(this.#current);
  }

  async chunkTensors(count: number): Promise<Bindings> {
    const inputs = Object.fromEntries(this.#slots.map(({ history, name }) => [name, history]));
    return { inputs, outputs: await this.#chunk(count) };
  }

  async prepareToken(): Promise<void> {
    if (this.#length - this.#settled === BLOCK) await this.#settle();
  }

  async prepareChunks(count: number): Promise<void> {
    await this.#settle();
    await this.#reserve(this.#settled + count);
  }

  addToken(): void {
    this.#current = this.#current === 0 ? 1 : 0;
    this.#length++;
  }

  async addChunk(count: number, used: number): Promise<void> {
    const chunk = await this.#chunk(count);
    await this.#put(count, ({ name }) => chunk[`new_${name}`]!);
    this.#length = this.#settled = this.#settled + used;
  }

  rewind(length: number): void {
    this.#length = Math.min(length, this.#length);
    this.#settled = Math.min(length, this.#settled);
  }

  destroy(): void {
    const ofSlots = this.#slots.flatMap(({ blocks, history }) => [history, ...blocks]);
    const ofChunks = [...this.#chunks.values()].flatMap((tensors) => Object.values(tensors));
    for (const tensor of [...ofSlots, ...ofChunks, this.#spare, ...this.#places.values()]) {
      tensor.destroy();
    }
  }

  /** Copies the block to the history. Its unused rows go behind the end, where later rows overwrite them. */
  async #settle(): Promise<void> {
    if (this.#length > this.#settled) {
      await this.#reserve(this.#settled + BLOCK);
      await this.#put(BLOCK, ({ blocks }) => blocks[this.#current]);
    }
    this.#settled = this.#length;
  }

  /** Appends rows of keys and values to the history. */
  async #put(count: number, recentOf: (slot: Slot) => MLTensor): Promise<void> {
    const graph = await this.graphs.put(this.#history, count);
    const places = await this.#writePlaces(count);
    const yieldIfDue = startYielding();
    for (const slot of this.#slots) {
      await yieldIfDue();
      const [before, after] = [slot.history, this.#spare];
      this.context.dispatch(graph, { history: before, recent: recentOf(slot), places }, { output: after });
      [slot.history, this.#spare] = [after, before];
    }
    this.#bindings = [];
  }

  #bindToken(current: 0 | 1): Bindings {
    const inputs: Record<string, MLTensor> = {};
    const outputs: Record<string, MLTensor> = {};
    for (const { blocks, history, name } of this.#slots) {
      inputs[name] = history;
      inputs[`recent_${name}`] = blocks[current];
      outputs[`new_${name}`] = blocks[1 - current]!;
    }
    return { inputs, outputs };
  }

  /** A tensor with the coordinates of the next `count` rows of the history. */
  async #writePlaces(count: number): Promise<MLTensor> {
    const shape = placesShape(this.architecture, count);
    const tensor = this.#places.get(count) ??
      await this.context.createTensor({ dataType: "int32", shape, writable: true });
    this.#places.set(count, tensor);
    this.context.writeTensor(tensor, coordinatesOf(this.architecture, this.#settled, count));
    return tensor;
  }

  /** Makes the history long enough for a number of positions. */
  async #reserve(positions: number): Promise<void> {
    if (positions <= this.#history) return;
    const longer = this.#histories.find((history) => history >= positions);
    if (longer === undefined) throw new Error(`${positions} tokens exceed the length of the context`);
    const graph = await this.graphs.grow(this.#history, longer);
    const yieldIfDue = startYielding();
    for (const slot of this.#slots) {
      await yieldIfDue();
      const before = slot.history;
      slot.history = await this.#tensor(longer);
      this.context.dispatch(graph, { history: before }, { output: slot.history });
      before.destroy();
    }
    this.#spare.destroy();
    this.#spare = await this.#tensor(longer);
    this.#history = longer;
    this.#bindings = [];
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

/** The coordinates of `count` rows of all heads, starting at a row. */
export function coordinatesOf(
  { sharedHeads }: Architecture,
  first: number,
  count: number,
): Int32Array<ArrayBuffer> {
  const coordinates = new Int32Array(sharedHeads * count * 3);
  for (let i = 0; i < sharedHeads * count; i++) {
    coordinates[3 * i] = Math.floor(i / count);
    coordinates[3 * i + 2] = first + i % count;
  }
  return coordinates;
}

/**
 * The lengths of a growing history: each doubles the previous one; the last has room for a chunk behind the capacity.
 */
function historiesUpTo(capacity: number): number[] {
  const last = Math.ceil(capacity / BLOCK) * BLOCK + CHUNKS[0]!;
  const lengths: number[] = [];
  for (let length = FIRST_HISTORY; length < last; length *= 2) lengths.push(length);
  // A length only slightly below the last is not worth building its graphs.
  if (lengths.at(-1)! > 0.75 * last) lengths.pop();
  return [...lengths, last];
}
