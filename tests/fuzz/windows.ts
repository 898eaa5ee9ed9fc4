/**
 * Random valid arguments for operators with many options: convolutions, pools, recurrent networks and resampling.
 *
 * @module
 */

import type { Random } from "../../support/random.ts";
import type { Generate } from "./arguments.ts";
import { between, type Draft, isTrue, maybe, TAME, type Value } from "./draft.ts";

/** A shape with named dimensions in the order of a layout. */
function laidOut(layout: string, dimensions: Readonly<Record<string, number>>): number[] {
  return [...layout].map((name) => dimensions[name]!);
}

function dimensionsOf({ tensor: { shape } }: Value, layout: string): Record<string, number> {
  return Object.fromEntries([...layout].map((name, i) => [name, shape[i]!]));
}

/** A divisor of both numbers. */
function commonDivisor(next: Random, a: number, b: number): number {
  return next.pick([1, 2, 3, 4].filter((n) => a % n === 0 && b % n === 0));
}

interface Window {
  readonly size: [number, number];
  readonly padding: number[];
  readonly strides: number[];
  readonly dilations: number[];
}

/** A window that fits into the padded input. */
function windowWithin(next: Random, height: number, width: number): Window {
  const padding = Array.from({ length: 4 }, () => next.integer(0, 1));
  const dilations = [next.integer(1, 2), next.integer(1, 2)];
  const size = [height + padding[0]! + padding[1]!, width + padding[2]! + padding[3]!].map((dimension, axis) =>
    next.integer(1, Math.min(3, Math.floor((dimension - 1) / dilations[axis]!) + 1))
  ) as [number, number];
  return { size, padding, strides: [next.integer(1, 2), next.integer(1, 3)], dilations };
}

const conv2d: Generate = (draft) => {
  const { next } = draft;
  const input = draft.any("input", TAME, [4, 4]);
  const inputLayout = next.pick(["nchw", "nhwc"]);
  const filterLayout = next.pick(["oihw", "hwio", "ohwi", "ihwo"]);
  const { c, h, w } = dimensionsOf(input, inputLayout) as { c: number; h: number; w: number };
  const { size, ...window } = windowWithin(next, h, w);
  const outputChannels = next.integer(1, 4);
  const groups = commonDivisor(next, c, outputChannels);
  const { dataType } = input.tensor;
  const filter = laidOut(filterLayout, { o: outputChannels, i: c / groups, h: size[0], w: size[1] });
  return {
    operands: {
      input,
      filter: draft.exact(dataType, filter, TAME),
      ...maybe(next, "bias", () => draft.exact(dataType, [outputChannels], TAME)),
    },
    attributes: { ...window, groups, inputLayout, filterLayout },
  };
};

const convTranspose2d: Generate = (draft) => {
  const { next } = draft;
  const input = draft.any("input", TAME, [4, 4]);
  const inputLayout = next.pick(["nchw", "nhwc"]);
  const filterLayout = next.pick(["iohw", "hwoi", "ohwi"]);
  const { c, h, w } = dimensionsOf(input, inputLayout) as { c: number; h: number; w: number };
  const kernel = [next.integer(1, 3), next.integer(1, 3)] as const;
  const [strides, dilations] = [[next.integer(1, 2), next.integer(1, 3)], [next.integer(1, 2), next.integer(1, 2)]];
  const smallest = [h, w].map((size, i) => (size - 1) * strides[i]! + (kernel[i]! - 1) * dilations[i]! + 1);
  const padding = smallest.flatMap((size) => size > 2 ? [next.integer(0, 1), next.integer(0, 1)] : [0, 0]);
  const outputPadding = strides.map((stride) => next.integer(0, stride - 1));
  const outputSizes = smallest.map((size, i) => size - padding[2 * i]! - padding[2 * i + 1]! + outputPadding[i]!);
  const groups = next.pick([1, 2, 3].filter((n) => c % n === 0));
  const groupOutputs = next.integer(1, 2);
  const { dataType } = input.tensor;
  const filter = laidOut(filterLayout, { i: c, o: groupOutputs, h: kernel[0], w: kernel[1] });
  return {
    operands: {
      input,
      filter: draft.exact(dataType, filter, TAME),
      ...maybe(next, "bias", () => draft.exact(dataType, [groupOutputs * groups], TAME)),
    },
    attributes: {
      padding,
      strides,
      dilations,
      groups,
      inputLayout,
      filterLayout,
      ...(isTrue(next) ? { outputPadding } : { outputSizes }),
    },
  };
};

/** The generators for convolutions. */
export const convolutions = { conv2d, convTranspose2d };

/** Pools in which every window covers at least one element. */
const pool2d: Generate = (draft) => {
  const { next } = draft;
  const input = draft.any("input", TAME, [4, 4]);
  const layout = next.pick(["nchw", "nhwc"]);
  const { h, w } = dimensionsOf(input, layout) as { h: number; w: number };
  const { size, ...window } = windowWithin(next, h, w);
  const attributes = {
    ...window,
    windowDimensions: size,
    layout,
    outputShapeRounding: next.pick(["floor", "ceil"]),
  };
  if (!everyWindowReaches([h, w], attributes)) return undefined;
  return { operands: { input }, attributes };
};

/**
 * Whether each window covers at least one element: the result of a window that is wholly in the padding is undefined.
 */
function everyWindowReaches(
  sizes: readonly number[],
  { windowDimensions, padding, strides, dilations, outputShapeRounding }: Omit<Window, "size"> & {
    readonly windowDimensions: readonly number[];
    readonly outputShapeRounding: string;
  },
): boolean {
  return sizes.every((size, axis) => {
    const [begin, end] = [padding[2 * axis]!, padding[2 * axis + 1]!];
    const reach = (windowDimensions[axis]! - 1) * dilations[axis]!;
    const exact = (size - reach - 1 + begin + end) / strides[axis]! + 1;
    const count = outputShapeRounding === "floor" ? Math.floor(exact) : Math.ceil(exact);
    return Array.from({ length: count }, (_, i) => i * strides[axis]! - begin).every((start) =>
      Array.from({ length: windowDimensions[axis]! }, (_, k) => start + k * dilations[axis]!).some((position) =>
        position >= 0 && position < size
      )
    );
  });
}

/** The generators for pools. */
export const pools = { averagePool2d: pool2d, l2Pool2d: pool2d, maxPool2d: pool2d };

const ACTIVATIONS = ["relu", "sigmoid", "tanh"];

/** The generator for the four recurrent operators. */
function recurrentNetwork(gates: 3 | 4, isCell: boolean): Generate {
  return (draft) => {
    const { next } = draft;
    const input = draft.any("input", between(-4, 4), isCell ? [2, 2] : [3, 3]);
    const { dataType, shape } = input.tensor;
    const [steps, batch, features] = (isCell ? [0, ...shape] : shape) as [number, number, number];
    const direction = next.pick(["forward", "backward", "both"]);
    const directions = isCell ? [] : [direction === "both" ? 2 : 1];
    const hiddenSize = next.integer(1, 3);
    const operand = (...dimensions: number[]) => draft.exact(dataType, [...directions, ...dimensions], between(-2, 2));
    const rows = gates * hiddenSize;
    const state = () => operand(batch, hiddenSize);
    return {
      operands: {
        input,
        weight: operand(rows, features),
        recurrentWeight: operand(rows, hiddenSize),
        ...states(draft, gates, isCell, state),
        ...maybe(next, "bias", () => operand(rows)),
        ...maybe(next, "recurrentBias", () => operand(rows)),
        ...(gates === 4 ? maybe(next, "peepholeWeight", () => operand(3 * hiddenSize)) : {}),
      },
      attributes: {
        hiddenSize,
        ...(isCell ? {} : { steps, direction, returnSequence: isTrue(next) }),
        ...(gates === 3 ? { resetAfter: isTrue(next), layout: next.pick(["zrn", "rzn"]) } : {
          layout: next.pick(["iofg", "ifgo"]),
        }),
        ...(isTrue(next) ? { activations: Array.from({ length: gates - 1 }, () => next.pick(ACTIVATIONS)) } : {}),
      },
    };
  };
}

/** The states, which are required for a cell and optional for a network. */
function states({ next }: Draft, gates: number, isCell: boolean, state: () => Value): Record<string, Value> {
  if (isCell) return { hiddenState: state(), ...(gates === 4 ? { cellState: state() } : {}) };
  return {
    ...maybe(next, "initialHiddenState", state),
    ...(gates === 4 ? maybe(next, "initialCellState", state) : {}),
  };
}

/** The generators for recurrent networks. */
export const recurrent = {
  gru: recurrentNetwork(3, false),
  gruCell: recurrentNetwork(3, true),
  lstm: recurrentNetwork(4, false),
  lstmCell: recurrentNetwork(4, true),
};

/** The generator for resampling. */
export const resample2d: Generate = (draft) => {
  const { next } = draft;
  const input = draft.any("input", TAME, [4, 4]);
  const axes = next.pick([[2, 3], [1, 2], [0, 1], [3, 1], [2, 0]]);
  const sizes = { sizes: [next.integer(1, 6), next.integer(1, 6)] };
  const scales = { scales: [next.pick([1, 1.5, 2, 3]), next.pick([1, 1.25, 2])] };
  return {
    operands: { input },
    attributes: { axes, mode: next.pick(["nearest-neighbor", "linear"]), ...(isTrue(next) ? sizes : scales) },
  };
};
