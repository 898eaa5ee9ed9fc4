/**
 * The graphs of a model: the stages of its network for each number of tokens, and the attention for each length of the
 * history, with the graphs that copy it.
 *
 * @module
 */
import type { Architecture } from "./architecture.ts";
import {
  buildChunkAttention,
  buildGrow,
  buildPut,
  buildStage,
  buildTokenAttention,
  CHUNK,
  type History,
} from "./network.ts";
import type { WeightLoader } from "./weights.ts";

/** A context, and a function that creates its builders. */
export interface Engine {
  readonly context: MLContext;
  createBuilder(): MLGraphBuilder;
  /** Whether products and the cache may round to fewer bits than float32. */
  readonly allowReducedPrecision?: boolean;
}

/**
 * With reduced precision, longer histories are in float16: they take half of the memory, and a token reads them faster.
 * For shorter ones, the conversions take longer than they save; and the engine keeps no memory between runs for them, so
 * that allocating the converted keys and values each time would fragment the heap.
 */
const MAX_FLOAT32_HISTORY = 640;

/** The graphs of a model on a context. Graphs without weights are built when they are first needed. */
export interface Graphs {
  /** The stages for a number of tokens, in order; the attention runs between them. */
  stages(tokens: number): readonly MLGraph[];
  /** The data type of histories of this length. */
  historyType(history: number): History["dataType"];
  attention(history: number, tokens: number): Promise<MLGraph>;
  put(history: number): Promise<MLGraph>;
  grow(from: number, to: number): Promise<MLGraph>;
  /** Starts building the graphs for a history of this length, and the graph that copies a shorter one to it. */
  prepare(history: number, shorter?: number): void;
  destroy(): void;
}

/**
 * Builds the stages one after the other, each with its weights. The last stage is built first, because it has the
 * largest matrix, the head: packing it needs memory that other weights use later.
 */
export async function loadGraphs(engine: Engine, architecture: Architecture, loader: WeightLoader): Promise<Graphs> {
  const stages = new Map([1, CHUNK].map((tokens): [number, MLGraph[]] => [tokens, []]));
  for (let index = architecture.layers; index >= 0; index--) {
    const weights = await loader.stage(index);
    for (const [tokens, graphs] of stages) {
      const builder = engine.createBuilder();
      graphs.unshift(await builder.build(buildStage(builder, architecture, weights, tokens)));
    }
  }
  return new LoadedGraphs(engine, architecture, stages);
}

class LoadedGraphs implements Graphs {
  readonly #built = new Map<string, Promise<MLGraph>>();

  constructor(
    readonly engine: Engine,
    readonly architecture: Architecture,
    readonly ofStages: ReadonlyMap<number, readonly MLGraph[]>,
  ) {}

  stages(tokens: number): readonly MLGraph[] {
    return this.ofStages.get(tokens)!;
  }

  historyType(history: number): History["dataType"] {
    return this.engine.allowReducedPrecision && history > MAX_FLOAT32_HISTORY ? "float16" : "float32";
  }

  attention(history: number, tokens: number): Promise<MLGraph> {
    const { architecture } = this;
    const past = this.#history(history);
    return this.#once(
      `attention ${history} ${tokens}`,
      (builder) =>
        tokens === 1
          ? buildTokenAttention(builder, architecture, past)
          : buildChunkAttention(builder, architecture, past, tokens),
    );
  }

  put(history: number): Promise<MLGraph> {
    return this.#once(`put ${history}`, (builder) => buildPut(builder, this.architecture, this.#history(history)));
  }

  grow(from: number, to: number): Promise<MLGraph> {
    return this.#once(
      `grow ${from} ${to}`,
      (builder) => buildGrow(builder, this.architecture, this.#history(from), this.#history(to)),
    );
  }

  prepare(history: number, shorter?: number): void {
    const graphs = [this.attention(history, 1), this.put(history)];
    if (shorter !== undefined) graphs.push(this.grow(shorter, history));
    // The caller that needs a graph gets its error.
    for (const graph of graphs) graph.catch(() => {});
  }

  destroy(): void {
    for (const graph of this.#built.values()) graph.then((graph) => graph.destroy(), () => {});
    for (const graphs of this.ofStages.values()) for (const graph of graphs) graph.destroy();
    this.#built.clear();
  }

  #history(length: number): History {
    return { length, dataType: this.historyType(length) };
  }

  #once(key: string, build: (builder: MLGraphBuilder) => Record<string, MLOperand>): Promise<MLGraph> {
    const known = this.#built.get(key);
    if (known) return known;
    const builder = this.engine.createBuilder();
    const graph = builder.build(build(builder));
    this.#built.set(key, graph);
    return graph;
  }
}
