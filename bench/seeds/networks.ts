/**
 * Networks: a perceptron by batch, transformers by length, real models by batch; and threads, memory and first runs.
 *
 * @module
 */
import { detector } from "../support/detector.ts";
import { mobileNetV2 } from "../support/mobilenetv2.ts";
import { buildAttention, type Constant, type OperatorSuite, toSuite } from "../support/operator_suites.ts";
import { RUNS, type Seed } from "./seed.ts";

const LAYERS = [784, 512, 256, 10];

/** A multilayer perceptron: matrix products with bias and relu, and a softmax at the end. */
function perceptron(batch: number): OperatorSuite {
  return {
    name: `mlp-${batch}`,
    inputs: [[batch, LAYERS[0]!]],
    build(builder, [x], constant) {
      let y = x!;
      for (const [i, size] of LAYERS.slice(1).entries()) {
        y = builder.gemm(y, constant([LAYERS[i]!, size], 0.05), { c: constant([size]) });
        if (size !== LAYERS.at(-1)) y = builder.relu(y);
      }
      return builder.softmax(y, 1);
    },
    element: (index, [x], weights) =>
      perceptronOf(x!.subarray(Math.floor(index / 10) * LAYERS[0]!), weights)[index % 10]!,
    tolerance: 1e-4,
  };
}

/** Computes the perceptron for one input in float64. */
function perceptronOf(input: Float32Array, weights: readonly Float32Array[]): number[] {
  let values = Array.from(input.subarray(0, LAYERS[0]!));
  for (const [i, size] of LAYERS.slice(1).entries()) {
    const [matrix, bias] = [weights[2 * i]!, weights[2 * i + 1]!];
    const before = values;
    values = Array.from(bias, (start, j) => before.reduce((sum, each, k) => sum + each * matrix[k * size + j]!, start));
    if (size !== LAYERS.at(-1)) values = values.map((value) => Math.max(value, 0));
  }
  const total = values.reduce((sum, value) => sum + Math.exp(value), 0);
  return values.map((value) => Math.exp(value) / total);
}

const [WIDTH, HEADS] = [256, 4];

function attention(length: number): OperatorSuite {
  return {
    name: `attention-${length}`,
    inputs: [[1, length, WIDTH]],
    build: (builder, [x], constant) => buildAttention(builder, x!, HEADS, constant),
  };
}

/** A transformer layer: attention, then two products with gelu in between; each with a residual and a normalisation. */
function transformer(length: number): OperatorSuite {
  return {
    name: `transformer-${length}`,
    inputs: [[1, length, WIDTH]],
    build(builder, [x], constant) {
      const attended = buildAttention(builder, x!, HEADS, constant);
      const hidden = builder.gelu(dense(builder, attended, WIDTH, 4 * WIDTH, constant));
      const sum = builder.add(attended, dense(builder, hidden, 4 * WIDTH, WIDTH, constant));
      return builder.layerNormalization(sum, { axes: [2] });
    },
  };
}

function dense(builder: MLGraphBuilder, x: MLOperand, from: number, to: number, constant: Constant): MLOperand {
  return builder.add(builder.matmul(x, constant([from, to], 0.06)), constant([to]));
}

const BATCHES = [1, 8, 32, 64, 128];
const LENGTHS = [32, 64, 128, 256, 512];
const PICTURES = [1, 4, 8, 16];
const CORES = navigator.hardwareConcurrency;

function byNumber(
  category: Seed["category"],
  row: string,
  numbers: readonly number[],
  suiteOf: (number: number) => OperatorSuite,
): Seed[] {
  return numbers.map((number) => {
    const suite = suiteOf(number);
    return { category, row, column: `${number}`, suite: suite.name, load: () => toSuite(suite), kind: RUNS };
  });
}

const models = PICTURES.flatMap((batch): Seed[] => {
  const shared = { category: "models", column: `${batch}`, kind: RUNS, isLong: batch > 1 } as const;
  const name = batch === 1 ? "mobilenetv2" : `mobilenetv2-${batch}`;
  return [
    {
      ...shared,
      row: "classifier, MobileNetV2, 224 × 224",
      suite: name,
      ...batch > 1 && { load: () => mobileNetV2(name, { batch }) },
    },
    {
      ...shared,
      row: "detector, YOLOv8 n, 640 × 640",
      suite: `detector-${batch}`,
      load: () => detector(batch),
      isLong: true,
    },
  ];
});

/** The powers of two up to the number of cores, and all cores. */
const THREADS = [...new Set([...[1, 2, 4, 8, 16, 32].filter((count) => count < CORES), CORES])];

const SCALED = ["matmul-1024", "conv-block", "mlp-128", "mobilenetv2"];
const threads = SCALED.flatMap((suite) =>
  THREADS.map((count): Seed => (
    { category: "threads", row: suite, column: `${count}`, suite, kind: RUNS, threads: [count] }
  ))
);

const memory = ["matmul-1024", "attention-block", "squeezenet", "mobilenetv2"].map((suite): Seed => (
  { category: "memory", row: suite, column: "peak memory", suite, kind: "memory" }
));

const STARTS = { "build": "build", "first run": "first dispatch + read", "later run": "dispatch + read" } as const;
const starts = ["simple", "complex", "mobilenetv2"].flatMap((suite) =>
  Object.entries(STARTS).map(([column, kind]): Seed => ({ category: "starts", row: suite, column, suite, kind }))
);

/** The shapes in the seed documents. The graph is only needed to have tensors of these shapes. */
const SHAPES = [[1, 3, 224, 224], [1, 3, 512, 512], [1, 768], [16, 128, 128]];
const transfers = SHAPES.flatMap((shape) => {
  const suite: OperatorSuite = {
    name: `transfer-${shape.join("x")}`,
    inputs: [shape],
    build: (builder, [x]) => builder.relu(x!),
    element: (index, [x]) => Math.max(x![index]!, 0),
  };
  return (["write", "read"] as const).map((kind): Seed => ({
    category: "transfers",
    row: `[${shape.join(", ")}]`,
    column: kind === "write" ? "to the device" : "from the device",
    suite: suite.name,
    load: () => toSuite(suite),
    kind,
  }));
});

/** All seeds of this file. */
export const networks: readonly Seed[] = [
  ...byNumber("networks", "perceptron, 784, 512, 256, 10", BATCHES, perceptron),
  ...threads,
  ...transfers,
  ...memory,
  ...byNumber("transformers", "attention", LENGTHS, attention),
  ...byNumber("transformers", "transformer layer", LENGTHS, transformer),
  ...models,
  ...starts,
];
