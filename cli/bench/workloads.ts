/**
 * The graphs of `webnn bench --benchmark`: small graphs with typical parts of networks.
 *
 * @module
 */
import { type MLContext, type MLGraph, MLGraphBuilder, type MLOperand } from "@webnn/deno";
import { randomInput } from "../inputs/random.ts";

/** The benchmarks. */
export const BENCHMARKS = ["matrix", "convolution", "transformer"] as const;

/** The name of a benchmark. */
export type Benchmark = typeof BENCHMARKS[number];

/** A graph with one input `x` and one output `y`. */
export interface Workload {
  readonly graph: MLGraph;
  readonly shape: readonly number[];
  readonly outputShape: readonly number[];
}

/** The number of operations of each benchmark; each has a graph of its own. */
export const OPERATIONS: Readonly<Record<Benchmark, number>> = { matrix: 10, convolution: 20, transformer: 10 };

/** A description of each benchmark for the report. */
export const DESCRIPTIONS: Readonly<Record<Benchmark, string>> = {
  matrix: "10 products of 512 × 512 matrices",
  convolution: "20 convolutional networks of 64 × 64 pixels",
  transformer: "10 blocks of attention, 16 to 160 tokens of 256 numbers, 4 heads",
};

/** Builds the graphs of a benchmark, one for each operation. */
export async function buildWorkloads(benchmark: Benchmark, context: MLContext): Promise<Workload[]> {
  const workloads: Workload[] = [];
  for (let i = 0; i < OPERATIONS[benchmark]; i++) {
    const builder = new MLGraphBuilder(context);
    const { input, output } = BUILDERS[benchmark](new Weights(builder, 100 * i + 1), builder, i);
    const graph = await builder.build({ y: output });
    workloads.push({ graph, shape: input.shape, outputShape: output.shape });
  }
  return workloads;
}

/** Makes constants of random numbers around 0, scaled so that results stay small. */
class Weights {
  readonly #builder: MLGraphBuilder;
  #seed: number;

  constructor(builder: MLGraphBuilder, seed: number) {
    this.#builder = builder;
    this.#seed = seed;
  }

  of(...shape: number[]): MLOperand {
    const { data } = randomInput({ dataType: "float32" }, shape, this.#seed++);
    const scale = 2 / Math.sqrt(shape.slice(1).reduce((product, size) => product * size, 1) || 1);
    return this.#builder.constant({ dataType: "float32", shape }, (data as Float32Array).map((x) => (x - 0.5) * scale));
  }
}

type Build = (weights: Weights, builder: MLGraphBuilder, index: number) => { input: MLOperand; output: MLOperand };

const SIZE = 512;
const [DIMENSION, HEADS] = [256, 4];

const BUILDERS: Readonly<Record<Benchmark, Build>> = {
  matrix(weights, builder) {
    const input = builder.input("x", { dataType: "float32", shape: [SIZE, SIZE] });
    return { input, output: builder.matmul(input, weights.of(SIZE, SIZE)) };
  },

  convolution(weights, builder) {
    const input = builder.input("x", { dataType: "float32", shape: [1, 3, 64, 64] });
    const layer = (x: MLOperand, channels: number) => {
      const filter = weights.of(channels, x.shape[1]!, 3, 3);
      const options = { padding: [1, 1, 1, 1], strides: [2, 2], bias: weights.of(channels) };
      return builder.relu(builder.conv2d(x, filter, options));
    };
    const features = [16, 32, 64].reduce(layer, input);
    const pooled = builder.reshape(builder.averagePool2d(features), [1, 64]);
    return { input, output: builder.softmax(builder.matmul(pooled, weights.of(64, 10)), 1) };
  },

  transformer(weights, builder, index) {
    const tokens = 16 * (index + 1);
    const input = builder.input("x", { dataType: "float32", shape: [tokens, DIMENSION] });
    const heads = (permutation: number[]) => {
      const projected = builder.matmul(input, weights.of(DIMENSION, DIMENSION));
      return builder.transpose(builder.reshape(projected, [tokens, HEADS, DIMENSION / HEADS]), { permutation });
    };
    const scores = builder.matmul(heads([1, 0, 2]), heads([1, 2, 0]));
    const scale = builder.constant("float32", 1 / Math.sqrt(DIMENSION / HEADS));
    const attended = builder.matmul(builder.softmax(builder.mul(scores, scale), 2), heads([1, 0, 2]));
    const joined = builder.reshape(builder.transpose(attended, { permutation: [1, 0, 2] }), [tokens, DIMENSION]);
    const sum = builder.add(input, builder.matmul(joined, weights.of(DIMENSION, DIMENSION)));
    return { input, output: builder.layerNormalization(sum, { axes: [1] }) };
  },
};
