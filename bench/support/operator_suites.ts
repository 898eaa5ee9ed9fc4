/**
 * Suites of one operator or a small block. Each checks elements of its output against a formula. The report also shows
 * whether the outputs of all contestants agree.
 *
 * @module
 */
import type { Network } from "../../examples/inference.ts";
import { assertClose } from "./check.ts";
import { randomArray } from "./random_array.ts";
import type { Suite } from "./suite.ts";

/** Creates a constant of random numbers. The values of constants and inputs depend only on the order of the calls. */
export type Constant = (shape: readonly number[], scale?: number) => MLOperand;

/** A short description of a suite. */
export interface OperatorSuite {
  readonly name: string;
  /** The shapes of the inputs. */
  readonly inputs: readonly (readonly number[])[];
  build(builder: MLGraphBuilder, inputs: readonly MLOperand[], constant: Constant): MLOperand;
  /** Whether the elements of the inputs are from 0.1 to 2.1; else they are from -1 to 1. */
  readonly positive?: boolean;
  /** One element of the output, computed directly. */
  element?(index: number, inputs: readonly Float32Array[], weights: readonly Float32Array[]): number;
  /** Throws if the output as a whole is wrong. */
  checkAll?(values: Float32Array, inputs: readonly Float32Array[]): void;
  /** The tolerance of that element, 1e-3 by default. */
  readonly tolerance?: number;
}

const IMAGE = [1, 32, 112, 112];
const PLANE = 112 * 112;
const ROWS = [256, 1024];
const TOKENS = [1, 128, 256];
const HEADS = 4;
/** Steps, batch and input size. The hidden state has the size of the input. */
const SEQUENCE = [32, 1, 128];
const HIDDEN = 128;

/** Row `index` of a matrix with rows of 1024. */
const row = (index: number, values: Float32Array) => values.subarray(index * 1024, (index + 1) * 1024);
const total = (values: Iterable<number>) => Array.from(values).reduce((sum, value) => sum + value, 0);

function matmul(size: number): OperatorSuite {
  return {
    name: `matmul-${size}`,
    inputs: [[size, size], [size, size]],
    build: (builder, [a, b]) => builder.matmul(a!, b!),
    element(index, [a, b]) {
      const [i, j] = [Math.floor(index / size), index % size];
      return total(Array.from({ length: size }, (_, k) => a![i * size + k]! * b![k * size + j]!));
    },
  };
}

/** The same in float16; inputs and output are float32. */
function halfMatmul(size: number): OperatorSuite {
  return {
    ...matmul(size),
    name: `matmul-${size}-half`,
    build: (builder, [a, b]) =>
      builder.cast(builder.matmul(builder.cast(a!, "float16"), builder.cast(b!, "float16")), "float32"),
    tolerance: 0.5,
  };
}

const matmuls = [64, 128, 256, 512, 1024].map(matmul);

const elementwise: OperatorSuite[] = [
  {
    name: "add",
    inputs: [IMAGE, IMAGE],
    build: (builder, [a, b]) => builder.add(a!, b!),
    element: (index, [a, b]) => a![index]! + b![index]!,
  },
  {
    name: "sigmoid",
    inputs: [IMAGE],
    build: (builder, [x]) => builder.sigmoid(x!),
    element: (index, [x]) => 1 / (1 + Math.exp(-x![index]!)),
  },
  {
    name: "softmax",
    inputs: [ROWS],
    build: (builder, [x]) => builder.softmax(x!, 1),
    element(index, [x]) {
      return Math.exp(x![index]!) / total(row(Math.floor(index / 1024), x!).map(Math.exp));
    },
  },
];

const reductions: OperatorSuite[] = [
  {
    name: "reduce-sum",
    inputs: [ROWS],
    build: (builder, [x]) => builder.reduceSum(x!, { axes: [1] }),
    element: (index, [x]) => total(row(index, x!)),
  },
  {
    name: "reduce-max",
    inputs: [ROWS],
    build: (builder, [x]) => builder.reduceMax(x!, { axes: [1] }),
    element: (index, [x]) => Math.max(...row(index, x!)),
  },
];

const poolings: OperatorSuite[] = [
  {
    name: "max-pool",
    inputs: [IMAGE],
    build: (builder, [x]) => builder.maxPool2d(x!, { windowDimensions: [2, 2], strides: [2, 2] }),
    element(index, [x]) {
      const [channel, y, column] = [Math.floor(index / 56 / 56), Math.floor(index / 56) % 56, index % 56];
      const corner = channel * PLANE + 2 * y * 112 + 2 * column;
      return Math.max(...[0, 1, 112, 113].map((offset) => x![corner + offset]!));
    },
  },
  {
    name: "average-pool",
    inputs: [IMAGE],
    build: (builder, [x]) => builder.averagePool2d(x!),
    element: (index, [x]) => total(x!.subarray(index * PLANE, (index + 1) * PLANE)) / PLANE,
  },
];

const normalizations: OperatorSuite[] = [
  {
    name: "layer-normalization",
    inputs: [ROWS],
    build: (builder, [x]) => builder.layerNormalization(x!, { axes: [1] }),
    element: (index, [x]) => normalized(x![index]!, row(Math.floor(index / 1024), x!)),
  },
  {
    name: "instance-normalization",
    inputs: [IMAGE],
    build: (builder, [x]) => builder.instanceNormalization(x!),
    element(index, [x]) {
      const start = index - index % PLANE;
      return normalized(x![index]!, x!.subarray(start, start + PLANE));
    },
  },
];

const blocks: OperatorSuite[] = [
  {
    // A block of a residual network: 3 × 3, relu, 3 × 3, plus its input, relu.
    name: "conv-block",
    inputs: [[1, 64, 56, 56]],
    build(builder, [x], constant) {
      const conv = (input: MLOperand) =>
        builder.conv2d(input, constant([64, 64, 3, 3], 0.05), { padding: [1, 1, 1, 1], bias: constant([64]) });
      return builder.relu(builder.add(conv(builder.relu(conv(x!))), x!));
    },
  },
  {
    name: "attention-block",
    inputs: [TOKENS],
    build: (builder, [x], constant) => buildAttention(builder, x!, HEADS, constant),
  },
  {
    name: "lstm",
    inputs: [SEQUENCE],
    build: (builder, [x], constant) =>
      builder.lstm(
        x!,
        constant([1, 4 * HIDDEN, HIDDEN], 0.1),
        constant([1, 4 * HIDDEN, HIDDEN], 0.1),
        SEQUENCE[0]!,
        HIDDEN,
        { bias: constant([1, 4 * HIDDEN]), recurrentBias: constant([1, 4 * HIDDEN]) },
      )[0]!,
  },
  {
    name: "gru",
    inputs: [SEQUENCE],
    build: (builder, [x], constant) =>
      builder.gru(
        x!,
        constant([1, 3 * HIDDEN, HIDDEN], 0.1),
        constant([1, 3 * HIDDEN, HIDDEN], 0.1),
        SEQUENCE[0]!,
        HIDDEN,
        { bias: constant([1, 3 * HIDDEN]), recurrentBias: constant([1, 3 * HIDDEN]) },
      )[0]!,
  },
];

/** Multi-head self-attention of a transformer, with four projections, residual and normalisation. */
export function buildAttention(
  builder: MLGraphBuilder,
  x: MLOperand,
  headCount: number,
  constant: Constant,
): MLOperand {
  const [batch, tokens, width] = x.shape as [number, number, number];
  const project = (input: MLOperand) => builder.matmul(input, constant([width, width], 0.06));
  const heads = (input: MLOperand, permutation: number[]) =>
    builder.transpose(builder.reshape(project(input), [batch, tokens, headCount, width / headCount]), { permutation });
  const query = heads(x, [0, 2, 1, 3]);
  const key = heads(x, [0, 2, 3, 1]);
  const value = heads(x, [0, 2, 1, 3]);
  const scale = builder.constant("float32", 1 / Math.sqrt(width / headCount));
  const weights = builder.softmax(builder.mul(builder.matmul(query, key), scale), 3);
  const mixed = builder.transpose(builder.matmul(weights, value), { permutation: [0, 2, 1, 3] });
  const attended = project(builder.reshape(mixed, [batch, tokens, width]));
  return builder.layerNormalization(builder.add(x, attended), { axes: [2] });
}

/** The suites, sorted by work per element. */
export const operatorSuites: readonly Suite[] = [
  ...elementwise,
  ...reductions,
  ...poolings,
  ...normalizations,
  ...matmuls,
  ...blocks,
].map(toSuite);

/** Products for a GPU; on a CPU they take seconds. */
export const largeSuites: readonly Suite[] = [matmul(4096), halfMatmul(1024), halfMatmul(4096)].map(toSuite);

/** Creates the suite of a short description. */
export function toSuite(
  { name, inputs: shapes, build, element, checkAll, positive = false, tolerance = 1e-3 }: OperatorSuite,
): Suite {
  const values = new Map<number, Float32Array>();
  /** Created when a graph is first built, so it is not part of later builds. */
  const weights: Float32Array<ArrayBuffer>[] = [];
  const valuesOf = (index: number) => {
    if (!values.has(index)) values.set(index, newValues(product(shapes[index]!), index + 1, positive));
    return values.get(index)!;
  };
  const named = <T>(valueOf: (index: number) => T) =>
    Object.fromEntries(shapes.map((_, i) => [`input_${i}`, valueOf(i)]));
  return {
    name,
    async build(context): Promise<Network> {
      const builder = new MLGraphBuilder(context);
      const inputs = shapes.map((shape, i) => builder.input(`input_${i}`, { dataType: "float32", shape: [...shape] }));
      let count = 0;
      const output = build(builder, inputs, (shape, scale) => {
        const index = count++;
        const values = weights[index] ??= randomArray(product(shape), 100 + index, scale);
        return builder.constant({ dataType: "float32", shape: [...shape] }, values);
      });
      const graph = await builder.build({ output });
      return { graph, inputs: named((i) => shapes[i]!), outputs: { output: output.shape } };
    },
    get inputs() {
      return named(valuesOf);
    },
    output: "output",
    check(output) {
      if (!output.every(Number.isFinite)) throw new Error("an element is not finite");
      const inputs = shapes.map((_, i) => valuesOf(i));
      checkAll?.(output, inputs);
      if (element === undefined) return;
      for (const index of sample(output.length)) assertClose(output, index, element(index, inputs, weights), tolerance);
    },
  };
}

function newValues(length: number, seed: number, positive: boolean): Float32Array {
  const values = randomArray(length, seed);
  return positive ? values.map((value) => value + 1.1) : values;
}

function normalized(value: number, values: Float32Array): number {
  const mean = total(values) / values.length;
  const variance = total(Array.from(values, (other) => (other - mean) ** 2)) / values.length;
  return (value - mean) / Math.sqrt(variance + 1e-5);
}

/** About 20 indices spread over an array, including the first and the last. */
function sample(length: number): number[] {
  return Array.from({ length: 20 }, (_, i) => Math.round(i * (length - 1) / 19));
}

function product(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
