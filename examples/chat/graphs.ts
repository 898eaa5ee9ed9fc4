/**
 * The graphs of a model: the network for each number of tokens and each length of the history, and graphs that move
 * keys and values. Each graph is built when first needed.
 *
 * @module
 */
import type { Architecture } from "./architecture.ts";
import { buildNetwork, cacheShape, type GraphSize, placesShape } from "./network.ts";
import type { Weights } from "./weights.ts";

/** A context, and a function that creates its builders. */
export interface Engine {
  readonly context: MLContext;
  createBuilder(): MLGraphBuilder;
}

/** The graphs of a model on a context. */
export interface Graphs {
  network(size: GraphSize): Promise<MLGraph>;
  /** Writes the keys or values of `count` tokens to a history: inputs `history`, `recent`, and `places` to write to. */
  put(history: number, count: number): Promise<MLGraph>;
  /** Copies a history to a longer one: input `history`. */
  grow(from: number, to: number): Promise<MLGraph>;
  destroy(): void;
}

/** @returns the graphs, which are built when first needed */
export function graphsOf(engine: Engine, architecture: Architecture, weights: Weights): Graphs {
  const built = new Map<string, Promise<MLGraph>>();
  const once = (key: string, build: () => Promise<MLGraph>) => {
    const graph = built.get(key) ?? build();
    built.set(key, graph);
    return graph;
  };
  return {
    network: (size) =>
      once(`network ${size.tokens} ${size.history}`, async () => {
        const builder = engine.createBuilder();
        return builder.build(await buildNetwork(builder, architecture, weights, size));
      }),
    put: (history, count) => once(`put ${history} ${count}`, () => buildPut(engine, architecture, history, count)),
    grow: (from, to) => once(`grow ${from} ${to}`, () => buildGrow(engine, architecture, from, to)),
    destroy() {
      for (const graph of built.values()) graph.then((graph) => graph.destroy(), () => {});
      built.clear();
    },
  };
}

function buildPut(
  { createBuilder }: Engine,
  architecture: Architecture,
  history: number,
  count: number,
): Promise<MLGraph> {
  const builder = createBuilder();
  const input = (name: string, positions: number) =>
    builder.input(name, { dataType: "float32", shape: cacheShape(architecture, positions) });
  const places = builder.input("places", { dataType: "int32", shape: placesShape(architecture, count) });
  return builder.build({ output: builder.scatterND(input("history", history), places, input("recent", count)) });
}

function buildGrow({ createBuilder }: Engine, architecture: Architecture, from: number, to: number): Promise<MLGraph> {
  const builder = createBuilder();
  const history = builder.input("history", { dataType: "float32", shape: cacheShape(architecture, from) });
  return builder.build({ output: builder.pad(history, [0, 0, 0, 0], [0, 0, to - from, 0]) });
}
