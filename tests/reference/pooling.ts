/**
 * Pools. Padding never counts: neither as values nor as elements of a window.
 * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-pool2d
 *
 * @module
 */

import { relayout } from "./convolution.ts";
import { attribute, type Attributes, type Compute, operand, type Rows } from "./operator.ts";
import {
  accumulate,
  type Accumulated,
  at,
  type Element,
  generate,
  type Index,
  meanOf,
  type RefTensor,
  sumOf,
} from "./tensor.ts";

type Pair = readonly [number, number];

/** The windows of a pool on an nchw input. */
interface Windows {
  readonly sizes: Pair;
  readonly elements: (index: Index) => Element[];
  readonly count: number;
}

function windows(input: RefTensor, attributes: Attributes): Windows {
  const spatial = input.shape.slice(2) as unknown as Pair;
  const window = attribute<Pair>(attributes, "windowDimensions", spatial);
  const padding = attribute<readonly number[]>(attributes, "padding", [0, 0, 0, 0]);
  const strides = attribute<Pair>(attributes, "strides", [1, 1]);
  const dilations = attribute<Pair>(attributes, "dilations", [1, 1]);
  const round = attribute(attributes, "outputShapeRounding", "floor") === "floor" ? Math.floor : Math.ceil;
  const size = (axis: 0 | 1) =>
    1 + round(
      (spatial[axis] - ((window[axis] - 1) * dilations[axis] + 1) + padding[2 * axis]! + padding[2 * axis + 1]!) /
        strides[axis],
    );
  /** The coordinates inside the input that a window covers along one axis. */
  const covered = (output: number, axis: 0 | 1) =>
    Array.from({ length: window[axis] }, (_, k) => output * strides[axis] + k * dilations[axis] - padding[2 * axis]!)
      .filter((coordinate) => coordinate >= 0 && coordinate < spatial[axis]);
  return {
    sizes: attribute<Pair>(attributes, "outputSizes", [size(0), size(1)]),
    elements: ([n, c, y, x]) => covered(y!, 0).flatMap((iy) => covered(x!, 1).map((ix) => at(input, [n!, c!, iy, ix]))),
    count: window[0] * window[1],
  };
}

/** A pool that sums floats. */
function accumulatingPool(compute: (values: readonly number[]) => Accumulated): Compute {
  return (operands, attributes) => {
    const layout = attribute(attributes, "layout", "nchw");
    const input = relayout(operand(operands, "input"), layout, "nchw");
    const { sizes, elements, count } = windows(input, attributes);
    const shape = [...input.shape.slice(0, 2), ...sizes];
    const output = accumulate(input.dataType, shape, count + 2, (index) => compute(elements(index).map(Number)));
    return [relayout(output, "nchw", layout)];
  };
}

const maxPool2d: Compute = (operands, attributes) => {
  const layout = attribute(attributes, "layout", "nchw");
  const input = relayout(operand(operands, "input"), layout, "nchw");
  const { sizes, elements } = windows(input, attributes);
  const output = generate(input.dataType, [...input.shape.slice(0, 2), ...sizes], (index) => {
    const values = elements(index);
    // WPT: a window that is entirely in the padding gives 0.
    return values.length === 0 ? 0 : values.reduce((max, value) => value > max || Number.isNaN(value) ? value : max);
  });
  return [relayout(output, "nchw", layout)];
};

export const pooling: Rows = {
  // The mean of an empty window is 0, like the maximum in WPT.
  averagePool2d: accumulatingPool((values) => values.length === 0 ? { value: 0, magnitude: 0 } : meanOf(values)),
  l2Pool2d: accumulatingPool((values) => {
    const value = Math.sqrt(sumOf(values.map((x) => x * x)).value);
    return { value, magnitude: value };
  }),
  maxPool2d,
};
