/**
 * Recurrent networks (gru, lstm) and their single steps (gruCell, lstmCell).
 *
 * @module
 */

import { elementsOf } from "../graph/cost.ts";
import type { Cost, Value } from "../graph/graph.ts";
import { type Descriptor, elementCount, MAX_DIMENSION, type Shape } from "../shape.ts";
import { checkLength, checkShape, refuse } from "./checks.ts";
import { computing, type CostedNode } from "./cost.ts";
import { FLOATS, maybe, one, operator, rank, sameAs, tensor } from "./operator.ts";
import {
  booleanFalse,
  booleanTrue,
  direction,
  gruLayout,
  integer,
  lstmLayout,
  maybeActivations,
} from "./parameters.ts";

/** An activation function of a recurrent cell. */
export type Activation = "relu" | "sigmoid" | "tanh";

/** The order in which the steps are processed. */
export type Direction = "forward" | "backward" | "both";

const GRU_GATES = 3;
const LSTM_GATES = 4;

/** A required operand with the data type of the input. */
const like = (dimensions: number) => one(sameAs("input"), rank(dimensions, dimensions));
const maybeLike = (dimensions: number) => maybe(sameAs("input"), rank(dimensions, dimensions));
const output = (dimensions: number) => tensor(sameAs("input"), rank(dimensions, dimensions));

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-gru */
const gru = operator({
  name: "gru",
  operands: {
    input: one(FLOATS, rank(3, 3)),
    weight: like(3),
    recurrentWeight: like(3),
    bias: maybeLike(2),
    recurrentBias: maybeLike(2),
    initialHiddenState: maybeLike(3),
  },
  outputs: { output0: output(3), output1: output(4) },
  parameters: { steps: integer, hiddenSize: integer },
  options: {
    resetAfter: booleanTrue,
    returnSequence: booleanFalse,
    direction,
    layout: gruLayout,
    activations: maybeActivations,
  },
  resolve({ input, ...operands }, { steps, activations, ...options }) {
    const outputs = networkOutputs(GRU_GATES, input, operands, steps, options, 1);
    return { attributes: { ...options, steps, activations: gruActivations(activations) }, outputs };
  },
  cost: (node) => recurring(node, 2),
});

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-grucell */
const gruCell = operator({
  name: "gruCell",
  operands: {
    input: one(FLOATS, rank(2, 2)),
    weight: like(2),
    recurrentWeight: like(2),
    hiddenState: like(2),
    bias: maybeLike(1),
    recurrentBias: maybeLike(1),
  },
  outputs: { output: output(2) },
  parameters: { hiddenSize: integer },
  options: { resetAfter: booleanTrue, layout: gruLayout, activations: maybeActivations },
  resolve({ input, ...operands }, { activations, ...options }) {
    const state = cellState(GRU_GATES, input, operands, options.hiddenSize);
    return { attributes: { ...options, activations: gruActivations(activations) }, outputs: [state] };
  },
  cost: (node) => recurring(node, 1),
});

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-lstm */
const lstm = operator({
  name: "lstm",
  operands: {
    input: one(FLOATS, rank(3, 3)),
    weight: like(3),
    recurrentWeight: like(3),
    bias: maybeLike(2),
    recurrentBias: maybeLike(2),
    peepholeWeight: maybeLike(2),
    initialHiddenState: maybeLike(3),
    initialCellState: maybeLike(3),
  },
  outputs: { output0: output(3), output1: output(3), output2: output(4) },
  parameters: { steps: integer, hiddenSize: integer },
  options: { returnSequence: booleanFalse, direction, layout: lstmLayout, activations: maybeActivations },
  resolve({ input, ...operands }, { steps, activations, ...options }) {
    const outputs = networkOutputs(LSTM_GATES, input, operands, steps, options, 2);
    return { attributes: { ...options, steps, activations: lstmActivations(activations) }, outputs };
  },
  cost: (node) => recurring(node, 2),
});

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-lstmcell */
const lstmCell = operator({
  name: "lstmCell",
  operands: {
    input: one(FLOATS, rank(2, 2)),
    weight: like(2),
    recurrentWeight: like(2),
    hiddenState: like(2),
    cellState: like(2),
    bias: maybeLike(1),
    recurrentBias: maybeLike(1),
    peepholeWeight: maybeLike(1),
  },
  outputs: { output0: output(2), output1: output(2) },
  parameters: { hiddenSize: integer },
  options: { layout: lstmLayout, activations: maybeActivations },
  resolve({ input, ...operands }, { activations, ...options }) {
    const state = cellState(LSTM_GATES, input, operands, options.hiddenSize);
    return { attributes: { ...options, activations: lstmActivations(activations) }, outputs: [state, state] };
  },
  cost: (node) => recurring(node, 1),
});

/**
 * Two matrix products for each step and each item of the batch; the cost of the gates is negligible.
 * @param leading how many leading dimensions of the input are steps and batch
 */
function recurring(node: CostedNode<Record<"input" | "weight" | "recurrentWeight", Value>>, leading: number): Cost {
  const { input, weight, recurrentWeight } = node.operands;
  return computing(node, elementCount(input.shape.slice(0, leading)) * elementsOf([weight, recurrentWeight]));
}

/** The two activations of a GRU: for the gates z and r, and for the new gate. */
function gruActivations(activations: readonly Activation[] = ["sigmoid", "tanh"]): readonly Activation[] {
  checkLength("activations", activations, 2);
  return activations;
}

/** The three activations of an LSTM: for the gates i, o and f, for the cell gate, and for the output. */
function lstmActivations(activations: readonly Activation[] = ["sigmoid", "tanh", "tanh"]): readonly Activation[] {
  checkLength("activations", activations, 3);
  return activations;
}

type Operands = Readonly<Record<string, Value | undefined>>;

/**
 * Checks a network's operands; returns its last states, and the sequence of hidden states if `returnSequence` is set.
 */
function networkOutputs(
  gates: number,
  { dataType, shape }: Value,
  operands: Operands,
  steps: number,
  options: { readonly hiddenSize: number; readonly direction: Direction; readonly returnSequence: boolean },
  states: number,
): Descriptor[] {
  const [length, batchSize, inputSize] = shape as [number, number, number];
  const { hiddenSize, direction, returnSequence } = options;
  if (steps !== length) refuse(`steps must be ${length}, the input's first dimension, not ${steps}`);
  const directions = direction === "both" ? 2 : 1;
  checkOperands(gates, hiddenSize, [directions], batchSize, inputSize, operands);
  const state = { dataType, shape: [directions, batchSize, hiddenSize] };
  const sequence = { dataType, shape: [steps, ...state.shape] };
  return [...new Array<Descriptor>(states).fill(state), ...(returnSequence ? [sequence] : [])];
}

/** Checks a cell's operands; returns the descriptor of its states. */
function cellState(gates: number, { dataType, shape }: Value, operands: Operands, hiddenSize: number): Descriptor {
  const [batchSize, inputSize] = shape as [number, number];
  checkOperands(gates, hiddenSize, [], batchSize, inputSize, operands);
  return { dataType, shape: [batchSize, hiddenSize] };
}

/**
 * Checks the shapes of all operands that are present.
 * @param directions the leading dimension of a network's operands: `[1]` or `[2]`; `[]` for a cell
 */
function checkOperands(
  gates: number,
  hiddenSize: number,
  directions: Shape,
  batchSize: number,
  inputSize: number,
  operands: Operands,
): void {
  // Some engines concatenate `bias` and `recurrentBias`; the result must fit into one dimension.
  if (hiddenSize < 1 || hiddenSize * gates * 2 > MAX_DIMENSION) {
    refuse(`hiddenSize must be 1 to ${Math.floor(MAX_DIMENSION / (gates * 2))}, not ${hiddenSize}`);
  }
  const rows = gates * hiddenSize;
  const state = [batchSize, hiddenSize];
  const shapes: Readonly<Record<string, Shape>> = {
    weight: [rows, inputSize],
    recurrentWeight: [rows, hiddenSize],
    bias: [rows],
    recurrentBias: [rows],
    peepholeWeight: [3 * hiddenSize],
    hiddenState: state,
    cellState: state,
    initialHiddenState: state,
    initialCellState: state,
  };
  for (const [name, operand] of Object.entries(operands)) {
    if (operand) checkShape(name, operand.shape, [...directions, ...shapes[name]!]);
  }
}

/** The rows of recurrent networks. */
export const recurrent = {
  gru,
  gruCell,
  lstm,
  lstmCell,
};
