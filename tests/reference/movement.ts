/**
 * Operators that only move elements.
 *
 * @module
 */

import { castNumber } from "./conversion.ts";
import { attribute, type Compute, operand, operandList, parameter, type Rows } from "./operator.ts";
import {
  at,
  broadcastIndex,
  broadcastShapes,
  type Element,
  generate,
  type Index,
  permute,
  type RefTensor,
  tensor,
  withAxis,
} from "./tensor.ts";

const concat: Compute = (operands, attributes) => {
  const inputs = operandList(operands, "inputs");
  const axis = parameter<number>(attributes, "axis");
  const size = inputs.reduce((sum, input) => sum + input.shape[axis]!, 0);
  const first = inputs[0]!;
  return [generate(first.dataType, withAxis(first.shape, axis, size), (index) => {
    let position = index[axis]!;
    const source = inputs.find((input) => {
      if (position < input.shape[axis]!) return true;
      position -= input.shape[axis]!;
      return false;
    })!;
    return at(source, withAxis(index, axis, position));
  })];
};

const expand: Compute = (operands, attributes) => {
  const input = operand(operands, "input");
  const shape = parameter<number[]>(attributes, "newShape");
  return [generate(input.dataType, shape, (index) => at(input, broadcastIndex(input.shape, index)))];
};

/** The input coordinate for a coordinate of the padded output; `undefined` for the constant. */
function padCoordinate(mode: string, coordinate: number, dimension: number): number | undefined {
  const last = dimension - 1;
  if (coordinate >= 0 && coordinate <= last) return coordinate;
  if (mode === "constant") return undefined;
  if (mode === "edge") return coordinate < 0 ? 0 : last;
  return coordinate < 0 ? -coordinate : 2 * last - coordinate;
}

const pad: Compute = (operands, attributes) => {
  const input = operand(operands, "input");
  const beginning = parameter<number[]>(attributes, "beginningPadding");
  const ending = parameter<number[]>(attributes, "endingPadding");
  const mode = attribute(attributes, "mode", "constant");
  const value = castNumber(input.dataType, attribute<Element>(attributes, "value", 0));
  const shape = input.shape.map((dimension, axis) => beginning[axis]! + dimension + ending[axis]!);
  return [generate(input.dataType, shape, (index) => {
    const source = index.map((i, axis) => padCoordinate(mode, i - beginning[axis]!, input.shape[axis]!));
    return source.includes(undefined) ? value : at(input, source as number[]);
  })];
};

const reverse: Compute = (operands, attributes) => {
  const input = operand(operands, "input");
  const axes = attribute(attributes, "axes", input.shape.map((_, axis) => axis));
  const mirror = (index: Index) => index.map((i, axis) => axes.includes(axis) ? input.shape[axis]! - 1 - i : i);
  return [generate(input.dataType, input.shape, (index) => at(input, mirror(index)))];
};

const slice: Compute = (operands, attributes) => {
  const input = operand(operands, "input");
  const starts = parameter<number[]>(attributes, "starts");
  const sizes = parameter<number[]>(attributes, "sizes");
  const strides = attribute(attributes, "strides", starts.map(() => 1));
  const shape = sizes.map((size, axis) => Math.ceil(size / strides[axis]!));
  const source = (index: Index) => index.map((i, axis) => starts[axis]! + i * strides[axis]!);
  return [generate(input.dataType, shape, (index) => at(input, source(index)))];
};

/** The sizes of the parts: equal ones if `splits` is a number, else as listed. */
function splitSizes(splits: number | readonly number[], dimension: number): readonly number[] {
  return typeof splits === "number" ? Array.from({ length: splits }, () => dimension / splits) : splits;
}

const split: Compute = (operands, attributes) => {
  const input = operand(operands, "input");
  const axis = attribute(attributes, "axis", 0);
  const sizes = splitSizes(parameter<number | number[]>(attributes, "splits"), input.shape[axis]!);
  let start = 0;
  return sizes.map((size) => {
    const offset = start;
    start += size;
    return generate(
      input.dataType,
      withAxis(input.shape, axis, size),
      (index) => at(input, withAxis(index, axis, index[axis]! + offset)),
    );
  });
};

const tile: Compute = (operands, attributes) => {
  const input = operand(operands, "input");
  const repetitions = parameter<number[]>(attributes, "repetitions");
  const shape = input.shape.map((dimension, axis) => dimension * repetitions[axis]!);
  const source = (index: Index) => index.map((i, axis) => i % input.shape[axis]!);
  return [generate(input.dataType, shape, (index) => at(input, source(index)))];
};

const transpose: Compute = (operands, attributes) => {
  const input = operand(operands, "input");
  return [permute(input, attribute(attributes, "permutation", input.shape.map((_, axis) => axis).reverse()))];
};

const triangular: Compute = (operands, attributes) => {
  const input = operand(operands, "input");
  const upper = attribute(attributes, "upper", true);
  const diagonal = attribute(attributes, "diagonal", 0);
  return [generate(input.dataType, input.shape, (index) => {
    const distance = index.at(-1)! - index.at(-2)!;
    const kept = upper ? distance >= diagonal : distance <= diagonal;
    return kept ? at(input, index) : 0;
  })];
};

const where: Compute = (operands) => {
  const condition = operand(operands, "condition");
  const trueValue = operand(operands, "trueValue");
  const falseValue = operand(operands, "falseValue");
  const shape = broadcastShapes(condition.shape, trueValue.shape, falseValue.shape);
  const read = (source: RefTensor, index: Index) => at(source, broadcastIndex(source.shape, index));
  return [
    generate(trueValue.dataType, shape, (index) => read(read(condition, index) === 0 ? falseValue : trueValue, index)),
  ];
};

export const movement: Rows = {
  concat,
  expand,
  identity: (operands) => [operand(operands, "input")],
  pad,
  reshape: (operands, attributes) => {
    const input = operand(operands, "input");
    return [tensor(input.dataType, parameter<number[]>(attributes, "newShape"), input.data)];
  },
  reverse,
  slice,
  split,
  tile,
  transpose,
  triangular,
  where,
};
