/**
 * The keys and values of a conversation, in tensors on the device: a history of fixed length for each layer, and a block of
 * the most recent positions, which begins where the history ends. A token's dispatch reads both, and writes the block with one
 * more row into another tensor than it reads. When the block is full it is put into the history, layer by layer, each into the tensor that
 * the layer before has left.
 *
 * @module
 */
import type { Architecture } from "./architecture.ts";
import type { Graphs } from "./graphs.ts";
import { cacheShape, placesShape } from "./network.ts";
import { turns } from "./turns.ts";

/** How many recent positions a block holds: a token copies a block, and its share of the history. */
export const BLOCK = 32;
/** How many tokens of a prompt go in together. */
export const CHUNKS: readonly number[] = [128, 32];
const KINDS = ["key", "value"];
/** All of a history is read for each token; but a conversation that outgrows it waits until longer graphs are built. */
const FIRST_HISTORY = 384;

/** The caches of a conversation. */
export interface Cache {
  /** Positions that are held. */
  readonly length: number;
  /** Of them, those in the history. */
  readonly settled: number;
  /** Positions for which the history has room. */
  readonly history: number;
  /** Tensors of the dispatch of one token; the same object as long as they are the same. There must be room for it. */
  tokenTensors(): Bindings;
  /** Tensors of the dispatch of a chunk. The block must be settled. */
  chunkTensors(count: number): Promise<Bindings>;
  /** Makes room for a token, which may settle the block. */
  prepareToken(): Promise<void>;
  /** Makes room for chunks of `count` tokens together, with the block settled. */
  prepareChunks(count: number): Promise<void>;
  /** The dispatch of a token is on its way. */
  addToken(): void;
  /** The dispatch of a chunk is on its way, of which the first `used` tokens count. */
  addChunk(count: number, used: number): Promise<void>;
  /** Forgets what stands behind a number of positions. */
  rewind(length: number): void;
  destroy(): void;
}

/** The tensors of a dispatch, by the names that they have in the graph. */
export interface Bindings {
  readonly inputs: Readonly<Record<string, MLTensor>>;
  readonly outputs: Readonly<Record<string, MLTensor>>;
}

/** A layer's tensors of keys or of values. */
interface Slot {
  readonly name: string;
  history: MLTensor;
  /** Two blocks of recent positions: a token reads one and writes the other. */
  readonly blocks: readonly [MLTensor, MLTensor];
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
  /** Of a token that reads the first blocks, and of one that reads the second, until the histories change. */
  #bindings: (Bindings | undefined)[] = [];
  /** Which of its blocks a slot reads next. */
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

  /** Puts the block into the history. Rows that are not filled go behind the end, where others will be written. */
  async #settle(): Promise<void> {
    if (this.#length > this.#settled) {
      await this.#reserve(this.#settled + BLOCK);
      await this.#put(BLOCK, ({ blocks }) => blocks[this.#current]);
    }
    this.#settled = this.#length;
  }

  /** Puts the next rows of keys and values into the history. */
  async #put(count: number, recentOf: (slot: Slot) => MLTensor): Promise<void> {
    const graph = await this.graphs.put(this.#history, count);
    const places = await this.#writePlaces(count);
    const turn = turns();
    for (const slot of this.#slots) {
      await turn();
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

  /** The coordinates of the next `count` rows of the history. */
  async #writePlaces(count: number): Promise<MLTensor> {
    const shape = placesShape(this.architecture, count);
    const tensor = this.#places.get(count) ??
      await this.context.createTensor({ dataType: "int32", shape, writable: true });
    this.#places.set(count, tensor);
    this.context.writeTensor(tensor, coordinatesOf(this.architecture, this.#settled, count));
    return tensor;
  }

  /** Makes the history long enough. */
  async #reserve(positions: number): Promise<void> {
    if (positions <= this.#history) return;
    const longer = this.#histories.find((history) => history >= positions);
    if (longer === undefined) throw new Error(`the context has no room for ${positions} tokens`);
    const graph = await this.graphs.grow(this.#history, longer);
    const turn = turns();
    for (const slot of this.#slots) {
      await turn();
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

/** The coordinates of `count` rows of all heads, from a row on. */
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

/** The lengths that a history goes through: each twice the one before, the last with room for a chunk behind the end. */
function historiesUpTo(capacity: number): number[] {
  const last = Math.ceil(capacity / BLOCK) * BLOCK + CHUNKS[0]!;
  const lengths: number[] = [];
  for (let length = FIRST_HISTORY; length < last; length *= 2) lengths.push(length);
  // One that is little shorter than the last is not worth its graphs.
  if (lengths.at(-1)! > 0.75 * last) lengths.pop();
  return [...lengths, last];
}
