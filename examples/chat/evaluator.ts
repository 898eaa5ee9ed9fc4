/**
 * Evaluates tokens of a conversation, in chunks or one by one, after its earlier tokens.
 *
 * @module
 */
import type { Architecture } from "./architecture.ts";
import { type Bindings, BLOCK, type Cache, CHUNKS, coordinatesOf, createCache } from "./cache.ts";
import type { Engine, Graphs } from "./graphs.ts";
import { distinct, maskName, placesShape } from "./network.ts";
import type { Weights } from "./weights.ts";

/** The mask value for positions that a token does not attend to. */
const UNSEEN = -1e30;

/** The network's state for one conversation. */
export interface Evaluator {
  /** The evaluated tokens, in order. */
  readonly tokens: readonly number[];
  /** Evaluates more tokens. Then `likeliest` or `logits` returns the prediction for the next one. */
  append(ids: readonly number[]): Promise<void>;
  /** The most likely next token. */
  likeliest(): Promise<number>;
  /** The logits of the next token, one per token of the vocabulary. */
  logits(): Promise<Float32Array<ArrayBuffer>>;
  /** Removes all tokens after the first `length`. */
  rewind(length: number): void;
  destroy(): void;
}

/** The parts of a model that evaluators share. */
export interface Network {
  readonly engine: Engine;
  readonly architecture: Architecture;
  readonly weights: Weights;
  readonly graphs: Graphs;
}

/**
 * Creates an evaluator for a new conversation.
 * @param capacity the maximum number of tokens
 */
export async function createEvaluator(network: Network, capacity: number): Promise<Evaluator> {
  const { architecture, engine: { context }, graphs } = network;
  const cache = await createCache(context, graphs, architecture, capacity);
  const evaluator = new DeviceEvaluator(network, cache, capacity);
  await evaluator.allocate();
  return evaluator;
}

class DeviceEvaluator implements Evaluator {
  readonly #tokens: number[] = [];
  /** The input tensors by name and shape, created when first needed. */
  readonly #inputs = new Map<string, MLTensor>();
  /** All tensors for the dispatch of a token, by its cache tensors. */
  readonly #bindings = new WeakMap<Bindings, Bindings>();
  /** The last position tensors that were written, and their key. */
  #place: { readonly key: string; readonly inputs: Record<string, MLTensor> } | undefined;
  #logits!: MLTensor;
  #token!: MLTensor;

  constructor(readonly network: Network, readonly cache: Cache, readonly capacity: number) {}

  get tokens(): readonly number[] {
    return this.#tokens;
  }

  async allocate(): Promise<void> {
    const { architecture: { vocabulary }, engine: { context } } = this.network;
    this.#logits = await context.createTensor({ dataType: "float32", shape: [1, vocabulary], readable: true });
    this.#token = await context.createTensor({ dataType: "int32", shape: [1], readable: true });
  }

  async append(ids: readonly number[]): Promise<void> {
    if (ids.length === 0) throw new Error("there are no tokens to evaluate");
    if (this.#tokens.length + ids.length > this.capacity) {
      throw new Error(`the context has room for ${this.capacity} tokens, not ${this.#tokens.length + ids.length}`);
    }
    const chunks = chunksFor(ids.length);
    // Makes room for all chunks at once, so that no graphs are built for intermediate lengths.
    if (chunks.length > 0) await this.cache.prepareChunks(chunks.reduce((sum, size) => sum + size));
    let at = 0;
    for (const size of chunks) {
      const now = ids.slice(at, at + size);
      await this.#evaluateChunk(now, size);
      this.#tokens.push(...now);
      at += now.length;
    }
    if (at === ids.length) return;
    await this.#evaluateToken(ids[at]!);
    this.#tokens.push(ids[at]!);
  }

  async likeliest(): Promise<number> {
    return new Int32Array(await this.network.engine.context.readTensor(this.#token))[0]!;
  }

  async logits(): Promise<Float32Array<ArrayBuffer>> {
    return new Float32Array<ArrayBuffer>(await this.network.engine.context.readTensor(this.#logits));
  }

  rewind(length: number): void {
    this.cache.rewind(length);
    this.#tokens.length = Math.min(length, this.#tokens.length);
  }

  destroy(): void {
    this.cache.destroy();
    for (const tensor of [this.#logits, this.#token, ...this.#inputs.values()]) tensor.destroy();
  }

  async #evaluateToken(id: number): Promise<void> {
    const { cache, network: { engine: { context }, graphs } } = this;
    await cache.prepareToken();
    const graph = await graphs.network({ tokens: 1, history: cache.history, block: BLOCK });
    const embeddings = await this.#writeEmbeddings([id], 1);
    const { inputs, outputs } = await this.#bindToken(embeddings);
    context.dispatch(graph, inputs, outputs);
    cache.addToken();
    // Prepares the next token while the device works, after a full block was moved to the history.
    if (cache.length - cache.settled < BLOCK) await this.#writePlace();
  }

  async #evaluateChunk(ids: readonly number[], count: number): Promise<void> {
    const { cache, network: { engine: { context }, graphs } } = this;
    const graph = await graphs.network({ tokens: count, history: cache.history, block: undefined });
    const { inputs, outputs } = await cache.chunkTensors(count);
    const ofChunk = {
      embeddings: await this.#writeEmbeddings(ids, count),
      ...await this.#writePositions(count, count),
      last: await this.#write("last", "int32", [1], new Int32Array([ids.length - 1])),
    };
    context.dispatch(graph, { ...inputs, ...ofChunk }, { ...outputs, logits: this.#logits, token: this.#token });
    await cache.addChunk(count, ids.length);
  }

  /** All tensors for the dispatch of the next token; writes those that depend on its position. */
  async #bindToken(embeddings: MLTensor): Promise<Bindings> {
    const ofCache = this.cache.tokenTensors();
    const ofPlace = await this.#writePlace();
    const known = this.#bindings.get(ofCache);
    if (known) return known;
    const inputs = { ...ofCache.inputs, ...ofPlace, embeddings };
    const bindings = { inputs, outputs: { ...ofCache.outputs, logits: this.#logits, token: this.#token } };
    this.#bindings.set(ofCache, bindings);
    return bindings;
  }

  /** Writes the tensors that depend on the next token's position, if they are not written yet. */
  async #writePlace(): Promise<Record<string, MLTensor>> {
    const { history, length, settled } = this.cache;
    const { architecture } = this.network;
    const key = `${history} ${length} ${settled}`;
    if (this.#place?.key === key) return this.#place.inputs;
    const place = coordinatesOf(architecture, length - settled, 1);
    const inputs = {
      place: await this.#write("place", "int32", placesShape(architecture, 1), place),
      ...await this.#writePositions(1, BLOCK),
    };
    this.#place = { key, inputs };
    return inputs;
  }

  /** The embeddings of `count` tokens; `ids` may have fewer, the rest is padding. */
  async #writeEmbeddings(ids: readonly number[], count: number): Promise<MLTensor> {
    const { architecture: { width }, weights } = this.network;
    const embeddings = new Float32Array(count * width);
    embeddings.set(await weights.embed(ids));
    return this.#write("embeddings", "float32", [count, width], embeddings);
  }

  /** Writes the rotations and masks of the next `count` tokens. */
  async #writePositions(count: number, recent: number): Promise<Record<string, MLTensor>> {
    const { cache, network: { architecture } } = this;
    const { headSize, heads, rotaryBases, sharedHeads, windows } = architecture;
    const inputs: Record<string, MLTensor> = {};
    for (const base of distinct(rotaryBases)) {
      const { cos, sin } = rotations(architecture, base, cache.length, count);
      const shape = [count, heads + 2 * sharedHeads, 2, headSize / 2];
      inputs[`cos_${base}`] = await this.#write(`cos_${base}`, "float32", shape, cos);
      inputs[`sin_${base}`] = await this.#write(`sin_${base}`, "float32", shape, sin);
    }
    for (const window of distinct(windows)) {
      const mask = maskOf(cache, count, recent, window);
      inputs[maskName(window)] = await this.#write(maskName(window), "float32", [count, cache.history + recent], mask);
    }
    return inputs;
  }

  async #write(
    name: string,
    dataType: MLOperandDataType,
    shape: number[],
    data: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>,
  ): Promise<MLTensor> {
    const { context } = this.network.engine;
    const key = `${name} ${shape}`;
    const tensor = this.#inputs.get(key) ?? await context.createTensor({ dataType, shape, writable: true });
    this.#inputs.set(key, tensor);
    context.writeTensor(tensor, data);
    return tensor;
  }
}

/**
 * The chunk sizes for a number of tokens: the largest size, then the smallest for the rest. A single token gets none.
 */
function chunksFor(count: number): number[] {
  const chunks: number[] = [];
  for (let rest = count; rest > 1; rest -= chunks.at(-1)!) {
    const fitting = CHUNKS.filter((size) => size >= rest);
    chunks.push(fitting.length > 0 ? Math.min(...fitting) : Math.max(...CHUNKS));
  }
  return chunks;
}

/**
 * The cosines and sines of the rotary embedding for all heads of queries, keys and values. Sines of first halves are
 * negative. Those of queries include the scale of the attention scores; those of values are 1 and 0.
 */
function rotations(
  { headSize, heads, sharedHeads }: Architecture,
  base: number,
  start: number,
  count: number,
): { cos: Float32Array<ArrayBuffer>; sin: Float32Array<ArrayBuffer> } {
  const half = headSize / 2;
  const width = (heads + 2 * sharedHeads) * headSize;
  const [cos, sin] = [new Float32Array(count * width).fill(1), new Float32Array(count * width)];
  const factors = [...Array(heads).fill(1 / Math.sqrt(headSize)), ...Array(sharedHeads).fill(1)] as number[];
  for (let token = 0; token < count; token++) {
    for (let i = 0; i < half; i++) {
      const angle = (start + token) * base ** (-i / half);
      const [c, s] = [Math.cos(angle), Math.sin(angle)];
      factors.forEach((factor, head) => {
        const at = token * width + head * headSize + i;
        cos[at] = cos[at + half] = factor * c;
        sin[at + half] = factor * s;
        sin[at] = -factor * s;
      });
    }
  }
  return { cos, sin };
}

/** The mask: 0 for the token itself and for earlier ones within the window. */
function maskOf(
  { history, length, settled }: Cache,
  count: number,
  recent: number,
  window = Infinity,
): Float32Array<ArrayBuffer> {
  const width = history + recent;
  const mask = new Float32Array(count * width).fill(UNSEEN);
  for (let token = 0; token < count; token++) {
    const position = length + token;
    const first = Math.max(0, position - window + 1);
    const row = mask.subarray(token * width, (token + 1) * width);
    row.fill(0, Math.min(first, settled), settled);
    row.fill(0, history + Math.max(first - settled, 0), history + position - settled + 1);
  }
  return mask;
}
