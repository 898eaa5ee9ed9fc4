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
  /** Keeps the graphs of this length of the history until {@linkcode Graphs.leave} is called as often. */
  enter(history: number): void;
  /** Destroys the graphs of this length of the history, unless others use them. */
  leave(history: number): void;
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
  /** The graphs without weights by the length of the history that they read, and by name. */
  readonly #built = new Map<number, Map<string, Promise<MLGraph>>>();
  /** How many conversations use each length of the history. */
  readonly #users = new Map<number, number>();

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
      history,
      `attention ${tokens}`,
      (builder) =>
        tokens === 1
          ? buildTokenAttention(builder, architecture, past)
          : buildChunkAttention(builder, architecture, past, tokens),
    );
  }

  put(history: number): Promise<MLGraph> {
    return this.#once(history, "put", (builder) => buildPut(builder, this.architecture, this.#history(history)));
  }

  grow(from: number, to: number): Promise<MLGraph> {
    return this.#once(
      from,
      `grow ${to}`,
      (builder) => buildGrow(builder, this.architecture, this.#history(from), this.#history(to)),
    );
  }

  prepare(history: number, shorter?: number): void {
    const graphs = [this.attention(history, 1), this.put(history)];
    if (shorter !== undefined) graphs.push(this.grow(shorter, history));
    // The caller that needs a graph gets its error.
    for (const graph of graphs) graph.catch(() => {});
  }

  enter(history: number): void {
    this.#users.set(history, (this.#users.get(history) ?? 0) + 1);
  }

  leave(history: number): void {
    const users = this.#users.get(history)! - 1;
    this.#users.set(history, users);
    if (users === 0) this.#drop(history);
  }

  destroy(): void {
    for (const history of [...this.#built.keys()]) this.#drop(history);
    for (const graphs of this.ofStages.values()) for (const graph of graphs) graph.destroy();
  }

  #drop(history: number): void {
    for (const graph of this.#built.get(history)?.values() ?? []) graph.then((graph) => graph.destroy(), () => {});
    this.#built.delete(history);
  }

  #history(length: number): History {
    return { length, dataType: this.historyType(length) };
  }

  #once(
    history: number,
    name: string,
    build: (builder: MLGraphBuilder) => Record<string, MLOperand>,
  ): Promise<MLGraph> {
    const graphs = this.#built.getOrInsertComputed(history, () => new Map<string, Promise<MLGraph>>());
    return graphs.getOrInsertComputed(name, () => {
      const builder = this.engine.createBuilder();
      return builder.build(build(builder));
    });
  }
}
