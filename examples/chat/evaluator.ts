/**
 * Evaluates tokens of a conversation, in chunks or one by one, after its earlier tokens.
 *
 * @module
 */
import type { Architecture } from "./architecture.ts";
import { type Bindings, type Cache, createCache } from "./cache.ts";
import type { Engine, Graphs } from "./graphs.ts";
import { BLOCK, CHUNK, distinct, qkvShape, rotationShape } from "./network.ts";
import type { Embed } from "./weights.ts";

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
  readonly embed: Embed;
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

/** The tensors that depend on the positions of tokens, by layer: `cos`, `sin` and `mask`. */
type Positions = (layer: number) => Readonly<Record<string, MLTensor>>;

/** An input that the program writes: its tensor, and an array that is reused, because many tokens need many of them. */
interface Input<Data> {
  readonly tensor: MLTensor;
  readonly data: Data;
}

/** The tensors between the graphs of a number of tokens. */
interface Work {
  /** The sums after the stages; a stage reads one and writes the other. */
  readonly sums: readonly [MLTensor, MLTensor];
  readonly qkv: MLTensor;
  readonly mixed: MLTensor;
}

class DeviceEvaluator implements Evaluator {
  readonly #tokens: number[] = [];
  /** The inputs of floats by name and shape, created when first needed. */
  readonly #inputs = new Map<string, Input<Float32Array<ArrayBuffer>>>();
  /** The index of the last token of a chunk. */
  #last!: Input<Int32Array<ArrayBuffer>>;
  /** The tensors between the graphs, by the number of tokens. */
  readonly #work = new Map<number, Work>();
  /** All tensors for the attention to a token, by its cache tensors. */
  readonly #bindings = new WeakMap<Bindings, Bindings>();
  /** The tensors for the last position that was written, and its key. */
  #written: { readonly key: string; readonly ofLayer: Positions } | undefined;
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
    const last = await context.createTensor({ dataType: "int32", shape: [1], writable: true });
    this.#last = { tensor: last, data: new Int32Array(1) };
  }

  async append(ids: readonly number[]): Promise<void> {
    if (ids.length === 0) throw new Error("there are no tokens to evaluate");
    if (this.#tokens.length + ids.length > this.capacity) {
      throw new Error(`the context has room for ${this.capacity} tokens, not ${this.#tokens.length + ids.length}`);
    }
    // A single token, or one that is left after full chunks, needs no chunk.
    const chunks = Math.ceil((ids.length - 1) / CHUNK);
    // Makes room for all chunks at once, so that no graphs are built for intermediate lengths.
    if (chunks > 0) await this.cache.prepareChunks(chunks * CHUNK);
    let at = 0;
    for (let chunk = 0; chunk < chunks; chunk++) {
      // Waits for the last chunk, otherwise the inputs of a long prompt would wait in memory.
      if (chunk > 0) await this.likeliest();
      const now = ids.slice(at, at + CHUNK);
      await this.#evaluateChunk(now);
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
    const work = [...this.#work.values()].flatMap(({ mixed, qkv, sums }) => [mixed, qkv, ...sums]);
    const inputs = [this.#last, ...this.#inputs.values()].map(({ tensor }) => tensor);
    for (const tensor of [this.#logits, this.#token, ...inputs, ...work]) tensor.destroy();
  }

  async #evaluateToken(id: number): Promise<void> {
    const { cache, network: { graphs } } = this;
    await cache.prepareToken();
    const graph = await graphs.attention(cache.history, 1);
    const work = await this.#workOf(1);
    const embeddings = await this.#writeEmbeddings([id], 1);
    const ofLayer = await this.#writePlace();
    this.#run(1, work, embeddings, {}, graph, (layer) => this.#bindToken(layer, work, ofLayer));
    cache.addToken();
    // Prepares the next token while the device works, after a full block was moved to the history.
    if (cache.length - cache.settled < BLOCK) await this.#writePlace();
  }

  async #evaluateChunk(ids: readonly number[]): Promise<void> {
    const { cache, network: { graphs } } = this;
    const graph = await graphs.attention(cache.history, CHUNK);
    const work = await this.#workOf(CHUNK);
    const embeddings = await this.#writeEmbeddings(ids, CHUNK);
    this.#last.data[0] = ids.length - 1;
    const last = this.#write(this.#last);
    const places = await cache.writePlaces(CHUNK);
    const ofLayer = await this.#writePositions(CHUNK, 0);
    this.#run(CHUNK, work, embeddings, { last }, graph, (layer) => {
      const { inputs, outputs } = cache.chunkTensors(layer);
      cache.swap(layer);
      const { mixed, qkv } = work;
      return { inputs: { qkv, ...ofLayer(layer), ...inputs, places }, outputs: { mixed, ...outputs } };
    });
    cache.addChunk(ids.length);
  }

  /** Dispatches the stages, and the attention between them. */
  #run(
    count: number,
    { mixed, qkv, sums }: Work,
    embeddings: MLTensor,
    last: Readonly<Record<string, MLTensor>>,
    attention: MLGraph,
    tensorsOf: (layer: number) => Bindings,
  ): void {
    const { architecture: { layers }, engine: { context }, graphs } = this.network;
    const stages = graphs.stages(count);
    let x = embeddings;
    context.dispatch(stages[0]!, { x }, { qkv });
    for (let layer = 0; layer < layers; layer++) {
      const { inputs, outputs } = tensorsOf(layer);
      context.dispatch(attention, inputs, outputs);
      const stage = stages[layer + 1]!;
      const sum = sums[layer % 2]!;
      if (layer < layers - 1) context.dispatch(stage, { x, mixed }, { sum, qkv });
      else context.dispatch(stage, { x, mixed, ...last }, { logits: this.#logits, token: this.#token });
      x = sum;
    }
  }

  /** All tensors for the attention to a token. */
  #bindToken(layer: number, { mixed, qkv }: Work, ofLayer: Positions): Bindings {
    const ofCache = this.cache.tokenTensors(layer);
    const known = this.#bindings.get(ofCache);
    if (known) return known;
    const bindings = {
      inputs: { qkv, ...ofLayer(layer), ...ofCache.inputs },
      outputs: { mixed, ...ofCache.outputs },
    };
    this.#bindings.set(ofCache, bindings);
    return bindings;
  }

  async #workOf(count: number): Promise<Work> {
    const { architecture } = this.network;
    const { headSize, heads, width } = architecture;
    const create = (shape: number[]) => this.network.engine.context.createTensor({ dataType: "float32", shape });
    const work = this.#work.get(count) ?? {
      sums: [await create([count, width]), await create([count, width])] as const,
      qkv: await create(qkvShape(architecture, count)),
      mixed: await create([count, heads * headSize]),
    };
    this.#work.set(count, work);
    return work;
  }

  /** Writes the tensors that depend on the next token's position, if they are not written yet. */
  async #writePlace(): Promise<Positions> {
    const { history, length, settled } = this.cache;
    const key = `${history} ${length} ${settled}`;
    if (this.#written?.key === key) return this.#written.ofLayer;
    const ofLayer = await this.#writePositions(1, BLOCK);
    this.#written = { key, ofLayer };
    return ofLayer;
  }

  /** The embeddings of `count` tokens; `ids` may have fewer, the rest is padding. */
  async #writeEmbeddings(ids: readonly number[], count: number): Promise<MLTensor> {
    const { architecture: { width }, embed } = this.network;
    const embeddings = await embed(ids);
    const input = await this.#input("embeddings", [count, width]);
    input.data.fill(0, embeddings.length).set(embeddings);
    return this.#write(input);
  }

  /** Writes the rotations and masks of the next `count` tokens, for `recent` positions and the history. */
  async #writePositions(count: number, recent: number): Promise<Positions> {
    const { cache, network: { architecture } } = this;
    const { rotaryBases, windows } = architecture;
    const ofBase = new Map<number, Record<string, MLTensor>>();
    for (const base of distinct(rotaryBases)) {
      const shape = rotationShape(architecture, count);
      const cos = await this.#input(`cos ${base}`, shape);
      const sin = await this.#input(`sin ${base}`, shape);
      fillRotations(cos.data, sin.data, architecture, base, cache.length, count);
      ofBase.set(base, { cos: this.#write(cos), sin: this.#write(sin) });
    }
    const ofWindow = new Map<number | undefined, MLTensor>();
    for (const window of distinct(windows)) {
      const mask = await this.#input(`mask ${window}`, [count, cache.history + recent]);
      fillMask(mask.data, cache, count, recent, window);
      ofWindow.set(window, this.#write(mask));
    }
    return (layer) => ({ ...ofBase.get(rotaryBases[layer]!), mask: ofWindow.get(windows[layer])! });
  }

  async #input(name: string, shape: number[]): Promise<Input<Float32Array<ArrayBuffer>>> {
    const key = `${name} ${shape}`;
    const known = this.#inputs.get(key);
    if (known) return known;
    const tensor = await this.network.engine.context.createTensor({ dataType: "float32", shape, writable: true });
    const input = { tensor, data: new Float32Array(shape.reduce((product, size) => product * size)) };
    this.#inputs.set(key, input);
    return input;
  }

  #write({ data, tensor }: Input<Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>>): MLTensor {
    this.network.engine.context.writeTensor(tensor, data);
    return tensor;
  }
}

/**
 * Fills in the cosines and sines of the rotary embedding for all heads of queries, keys and values. Sines of first
 * halves are negative. Those of queries include the scale of the attention scores; those of values are 1 and 0.
 */
function fillRotations(
  cos: Float32Array,
  sin: Float32Array,
  { headSize, heads, keyValueHeads }: Architecture,
  base: number,
  start: number,
  count: number,
): void {
  const half = headSize / 2;
  const width = (heads + 2 * keyValueHeads) * headSize;
  cos.fill(1);
  sin.fill(0);
  const factors = [...Array(heads).fill(1 / Math.sqrt(headSize)), ...Array(keyValueHeads).fill(1)] as number[];
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
}

/**
 * Fills in the mask: 0 for a token itself and for earlier ones within the window. With `recent` positions before the
 * history, those that are not in the history are the last ones there; otherwise all are in the history.
 */
function fillMask(
  mask: Float32Array,
  { history, length, settled }: Cache,
  count: number,
  recent: number,
  window = Infinity,
): void {
  const width = history + recent;
  const start = recent > 0 ? recent - (length + count - settled) : settled;
  mask.fill(UNSEEN);
  for (let token = 0; token < count; token++) {
    const position = length + token;
    const first = Math.max(0, position - window + 1);
    const row = mask.subarray(token * width, (token + 1) * width);
    row.fill(0, recent + Math.min(first, settled), recent + settled);
    row.fill(0, start + Math.max(first - settled, 0), start + position - settled + 1);
  }
}
