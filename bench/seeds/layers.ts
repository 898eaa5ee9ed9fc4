/**
 * Matrix products, convolutions, pools and normalisations.
 *
 * @module
 */
import { type OperatorSuite, toSuite } from "../support/operator_suites.ts";
import { randomArray } from "../support/random_array.ts";
import { elementsOf, RUNS, type Seed } from "./seed.ts";

const MATMULS = [64, 128, 256, 512, 1024];

const matmuls: readonly Seed[] = MATMULS.map((size) => ({
  category: "matmul",
  row: "matmul",
  column: `${size}³`,
  suite: `matmul-${size}`,
  kind: RUNS,
}));

/** A convolution of [1, channels, ...] with a square filter; the other members are options of `conv2d`. */
interface Convolution {
  readonly input: readonly [number, number, number, number];
  readonly filter: readonly [number, number, number, number];
  readonly stride?: number;
  readonly padding?: readonly [height: number, width: number];
  readonly groups?: number;
}

const CONVOLUTIONS: Readonly<Record<string, Convolution>> = {
  "conv1d": { input: [1, 64, 1, 1024], filter: [64, 64, 1, 3], padding: [0, 1] },
  "conv2d-3x3": { input: [1, 64, 56, 56], filter: [64, 64, 3, 3], padding: [1, 1] },
  "conv2d-1x1": { input: [1, 256, 28, 28], filter: [64, 256, 1, 1] },
  "conv2d-7x7": { input: [1, 3, 224, 224], filter: [64, 3, 7, 7], stride: 2, padding: [3, 3] },
  "conv2d-depthwise": { input: [1, 96, 56, 56], filter: [96, 1, 3, 3], padding: [1, 1], groups: 96 },
};

function convolution(name: string, { input, filter, stride = 1, padding = [0, 0], groups = 1 }: Convolution) {
  const [[, , height, width], [filters, channels, down, across]] = [input, filter];
  const [top, left] = padding;
  const [outHeight, outWidth] = [height + 2 * top - down, width + 2 * left - across].map((room) => room / stride)
    .map((steps) => Math.floor(steps) + 1) as [number, number];
  return {
    name,
    inputs: [input],
    build: (builder, [x], constant) =>
      builder.conv2d(x!, constant(filter, 0.1), {
        padding: [top, top, left, left],
        strides: [stride, stride],
        groups,
      }),
    element(index, [x], [weights]) {
      const [feature, row, column] = [
        Math.floor(index / outHeight / outWidth),
        Math.floor(index / outWidth) % outHeight,
        index % outWidth,
      ];
      const first = Math.floor(feature / (filters / groups)) * channels;
      let total = 0;
      for (let i = 0; i < channels * down * across; i++) {
        const [c, dy, dx] = [Math.floor(i / down / across), Math.floor(i / across) % down, i % across];
        const [y, z] = [row * stride + dy - top, column * stride + dx - left];
        if (y < 0 || y >= height || z < 0 || z >= width) continue;
        total += x![((first + c) * height + y) * width + z]! * weights![feature * channels * down * across + i]!;
      }
      return total;
    },
    tolerance: 1e-4,
  } satisfies OperatorSuite;
}

/** The sizes of the 3-D convolution; its filter is a cube. */
const VOLUME = { depth: 16, channels: 16, side: 32, filter: 3 } as const;

/**
 * A 3-D convolution, which WebNN does not have: a sum of 2-D convolutions, one for each depth of the filter, with the
 * depth of the input as the batch. The depth is not padded.
 */
const conv3d: OperatorSuite = {
  name: "conv3d",
  inputs: [[VOLUME.depth, VOLUME.channels, VOLUME.side, VOLUME.side]],
  build(builder, [x], constant) {
    const { depth, channels, side, filter } = VOLUME;
    const sizes = [depth - filter + 1, channels, side, side];
    const parts = Array.from(
      { length: filter },
      (_, z) =>
        builder.conv2d(builder.slice(x!, [z, 0, 0, 0], sizes), constant([channels, channels, filter, filter], 0.1), {
          padding: [1, 1, 1, 1],
        }),
    );
    return parts.reduce((sum, part) => builder.add(sum, part));
  },
  element(index, [x], weights) {
    const { channels, side, filter } = VOLUME;
    const [z, feature, row, column] = [
      Math.floor(index / channels / side / side),
      Math.floor(index / side / side) % channels,
      Math.floor(index / side) % side,
      index % side,
    ];
    let total = 0;
    for (let i = 0; i < filter * channels * filter * filter; i++) {
      const [dz, rest] = [Math.floor(i / channels / filter / filter), i % (channels * filter * filter)];
      const [c, dy, dx] = [Math.floor(rest / filter / filter), Math.floor(rest / filter) % filter, rest % filter];
      const [y, w] = [row + dy - 1, column + dx - 1];
      if (y < 0 || y >= side || w < 0 || w >= side) continue;
      const weight = weights[dz]![feature * channels * filter * filter + rest]!;
      total += x![(((z + dz) * channels + c) * side + y) * side + w]! * weight;
    }
    return total;
  },
  tolerance: 1e-4,
};

const IMAGE = [1, 64, 56, 56] as const;
const PLANE = IMAGE[2] * IMAGE[3];

/** The mean over adjacent windows of `size` × `size`. */
function averages(name: string, size: number): OperatorSuite {
  const across = IMAGE[3] / size;
  return {
    name,
    inputs: [IMAGE],
    build: (builder, [x]) => builder.averagePool2d(x!, { windowDimensions: [size, size], strides: [size, size] }),
    element(index, [x]) {
      const [plane, y, column] = [
        Math.floor(index / across / across),
        Math.floor(index / across) % across,
        index % across,
      ];
      let total = 0;
      for (let i = 0; i < size * size; i++) {
        total += x![plane * PLANE + (y * size + Math.floor(i / size)) * IMAGE[3] + column * size + i % size]!;
      }
      return total / size / size;
    },
    tolerance: 1e-5,
  };
}

const GROUPS = 32;

function normalized(values: Float32Array, value: number): number {
  const mean = values.reduce((total, each) => total + each, 0) / values.length;
  const variance = values.reduce((total, each) => total + (each - mean) ** 2, 0) / values.length;
  return (value - mean) / Math.sqrt(variance + 1e-5);
}

/** Group normalisation, which WebNN does not have: an instance normalisation with one instance per group. */
const groupNorm: OperatorSuite = {
  name: "group-normalization",
  inputs: [IMAGE],
  build(builder, [x]) {
    const groups = builder.reshape(x!, [1, GROUPS, IMAGE[1] / GROUPS * IMAGE[2], IMAGE[3]]);
    return builder.reshape(builder.instanceNormalization(groups), [...IMAGE]);
  },
  element(index, [x]) {
    const size = elementsOf(IMAGE) / GROUPS;
    const start = index - index % size;
    return normalized(x!.subarray(start, start + size), x![index]!);
  },
  tolerance: 1e-4,
};

const [MEANS, VARIANCES] = [randomArray(IMAGE[1], 7), randomArray(IMAGE[1], 8).map((value) => value * value + 0.5)];

const batchNorm: OperatorSuite = {
  name: "batch-normalization",
  inputs: [IMAGE],
  build(builder, [x]) {
    const constant = (values: Float32Array<ArrayBuffer>) =>
      builder.constant({ dataType: "float32", shape: [values.length] }, values);
    return builder.batchNormalization(x!, constant(MEANS), constant(VARIANCES));
  },
  element(index, [x]) {
    const channel = Math.floor(index / PLANE);
    return (x![index]! - MEANS[channel]!) / Math.sqrt(VARIANCES[channel]! + 1e-5);
  },
  tolerance: 1e-4,
};

/** Seeds with one row each. */
function rows(category: Seed["category"], suites: Readonly<Record<string, OperatorSuite | string>>): Seed[] {
  return Object.entries(suites).map(([row, suite]) => ({
    category,
    row,
    column: "figure",
    ...typeof suite === "string" ? { suite } : { suite: suite.name, load: () => toSuite(suite) },
    kind: RUNS,
  }));
}

const named = (name: string) => convolution(name, CONVOLUTIONS[name]!);

/** All seeds of this file. */
export const layers: readonly Seed[] = [
  ...matmuls,
  ...rows("convolutions", {
    "1-D convolution, 64 × 1024, 3": named("conv1d"),
    "2-D convolution, 64 × 56², 3 × 3": named("conv2d-3x3"),
    "2-D convolution, 256 × 28², 1 × 1": named("conv2d-1x1"),
    "2-D convolution, 3 × 224², 7 × 7, stride 2": named("conv2d-7x7"),
    "2-D depthwise convolution, 96 × 56², 3 × 3": named("conv2d-depthwise"),
    "3-D convolution, 16 × 16 × 32², 3 × 3 × 3, as three 2-D ones": conv3d,
    "two 2-D convolutions with relu, and a sum": "conv-block",
  }),
  ...rows("pools", {
    "max pool, 32 × 112², 2 × 2": "max-pool",
    "average pool, 64 × 56², 2 × 2": averages("average-pool-2x2", 2),
    "global average pool, 32 × 112²": "average-pool",
    "adaptive average pool, 64 × 56² to 7 × 7, as windows of 8": averages("adaptive-pool", 8),
  }),
  ...rows("norms", {
    "batch normalisation, 64 × 56²": batchNorm,
    "layer normalisation, 256 × 1024": "layer-normalization",
    "instance normalisation, 32 × 112²": "instance-normalization",
    "group normalisation, 32 groups of 64 × 56²": groupNorm,
    "softmax, 256 × 1024": "softmax",
  }),
];
