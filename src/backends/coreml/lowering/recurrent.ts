/**
 * Lowering of recurrent networks: step by step, in float32. MIL's own LSTM is used if possible.
 *
 * @module
 */

import type { Value } from "../../../graph/graph.ts";
import type { Activation, Direction, recurrent as rows } from "../../../ops/recurrent.ts";
import type { MilValue } from "../mil.ts";
import type { MilWriter } from "../mil_writer.ts";
import type { Lowering } from "./lowering.ts";
import { milLstm } from "./lstm.ts";
import { product } from "./products.ts";

/** The order of peephole weights, for every layout. */
const PEEPHOLES = "iof";

/** The weights of one direction. */
interface Weights {
  readonly weight: MilValue;
  readonly recurrentWeight: MilValue;
  readonly bias: MilValue | undefined;
  readonly recurrentBias: MilValue | undefined;
  readonly peepholeWeight?: MilValue | undefined;
}

/** The hidden state and, for an LSTM, the cell state. */
type State = readonly MilValue[];

/** One step: from the projected input and the state to the next state. */
type Step = (projected: MilValue, state: State) => State;

interface CellAttributes {
  readonly hiddenSize: number;
  readonly layout: string;
  readonly activations: readonly Activation[];
}

/** `x · weightᵀ + biases`, for all rows of the input at once. */
function projection(
  x: MilValue,
  weight: MilValue,
  biases: readonly (MilValue | undefined)[],
  mil: MilWriter,
): MilValue {
  return sum([product(x, weight, [x.shape[0]!, weight.shape[0]!], mil, false, true), ...biases], mil);
}

/** The sum of the operands that are present. */
function sum([first, ...others]: readonly [MilValue, ...(MilValue | undefined)[]], mil: MilWriter): MilValue {
  return others.filter((operand) => operand !== undefined)
    .reduce((total, operand) => mil.binary("add", total, operand), first);
}

function splitEvenly(x: MilValue, count: number, axis: number, mil: MilWriter): MilValue[] {
  return mil.split(x, new Array<number>(count).fill(x.shape[axis]! / count), axis);
}

/** Prepares the values that all steps of an LSTM share. The projection already contains its biases. */
function lstmStep(weights: Weights, { layout, activations }: CellAttributes, mil: MilWriter): Step {
  const peepholes = weights.peepholeWeight && splitEvenly(weights.peepholeWeight, 3, 0, mil);
  const [gateFunction, cellFunction, outputFunction] = activations as [Activation, Activation, Activation];
  return (projected, [hiddenState, cellState]) => {
    const recurrence = projection(hiddenState!, weights.recurrentWeight, [], mil);
    const parts = splitEvenly(mil.binary("add", projected, recurrence), 4, 1, mil);
    const gate = (letter: "i" | "o" | "f") => {
      const peephole = peepholes?.[PEEPHOLES.indexOf(letter)];
      const weighted = peephole && mil.binary("mul", cellState!, peephole);
      return mil.unary(gateFunction, sum([parts[layout.indexOf(letter)]!, weighted], mil));
    };
    const candidate = mil.unary(cellFunction, parts[layout.indexOf("g")]!);
    const kept = mil.binary("mul", gate("f"), cellState!);
    const newCell = mil.binary("add", kept, mil.binary("mul", gate("i"), candidate));
    return [mil.binary("mul", gate("o"), mil.unary(outputFunction, newCell)), newCell];
  };
}

/** Prepares the values that all steps of a GRU share. The projection does not contain its recurrent bias. */
function gruStep(
  { recurrentWeight, recurrentBias }: Weights,
  { hiddenSize, layout, activations, resetAfter }: CellAttributes & { readonly resetAfter: boolean },
  mil: MilWriter,
): Step {
  const [gateFunction, newFunction] = activations as [Activation, Activation];
  // The new gate comes last in every layout.
  const parted = (value: MilValue) => mil.split(value, [2 * hiddenSize, hiddenSize], 0) as [MilValue, MilValue];
  const [gateWeight, newWeight] = parted(recurrentWeight);
  const [gateBias, newBias] = recurrentBias ? parted(recurrentBias) : [];
  return (projected, [hiddenState]) => {
    const [xGates, xNew] = mil.split(projected, [2 * hiddenSize, hiddenSize], 1) as [MilValue, MilValue];
    const recurrence = projection(hiddenState!, gateWeight, [gateBias], mil);
    const gates = splitEvenly(mil.unary(gateFunction, mil.binary("add", xGates, recurrence)), 2, 1, mil);
    const [update, reset] = [gates[layout.indexOf("z")]!, gates[layout.indexOf("r")]!];
    const hNew = resetAfter
      ? mil.binary("mul", reset, projection(hiddenState!, newWeight, [newBias], mil))
      : projection(mil.binary("mul", reset, hiddenState!), newWeight, [newBias], mil);
    const candidate = mil.unary(newFunction, mil.binary("add", xNew, hNew));
    // z·h + (1 − z)·n
    const rest = mil.binary("sub", mil.scalar("fp32", 1), update);
    return [mil.binary("add", mil.binary("mul", update, hiddenState!), mil.binary("mul", rest, candidate))];
  };
}

interface Network {
  readonly input: MilValue;
  readonly direction: Direction;
  readonly returnSequence: boolean;
  /** The initial value of each state; the first dimension is that of directions. */
  readonly initial: State;
}

/** Unrolls a network in each direction. Returns its last states and, if requested, the sequence of hidden states. */
function unrolled(
  { input, direction, returnSequence, initial }: Network,
  weights: readonly Weights[],
  projected: (x: MilValue, weights: Weights) => MilValue,
  step: (weights: Weights) => Step,
  mil: MilWriter,
): MilValue[] {
  const [steps, batchSize, inputSize] = input.shape as [number, number, number];
  const flat = mil.reshape(input, [steps * batchSize, inputSize]);
  const states = initial.map((state) => unstack(state, mil));
  const walks = weights.map((weights, d) => {
    const rows = splitEvenly(projected(flat, weights), steps, 0, mil);
    const isBackward = direction === "backward" || d === 1;
    const next = step(weights);
    let last: State = states.map((state) => state[d]!);
    const sequence: MilValue[] = [];
    for (let i = 0; i < steps; i++) {
      const time = isBackward ? steps - 1 - i : i;
      last = next(rows[time]!, last);
      sequence[time] = last[0]!;
    }
    return { last, sequence };
  });
  const lasts = initial.map((_, i) => stack(walks.map(({ last }) => last[i]!), mil));
  if (!returnSequence) return lasts;
  const sequence = walks[0]!.sequence.map((_, time) => stack(walks.map(({ sequence }) => sequence[time]!), mil));
  return [...lasts, stack(sequence, mil)];
}

/** Splits along the first dimension, and removes it. */
function unstack(value: MilValue, mil: MilWriter): MilValue[] {
  const [count, ...shape] = value.shape as [number, ...number[]];
  if (count === 1) return [mil.reshape(value, shape)];
  return splitEvenly(value, count, 0, mil).map((part) => mil.reshape(part, shape));
}

/** Joins along a new first dimension. */
function stack(parts: readonly MilValue[], mil: MilWriter): MilValue {
  return mil.concat(parts.map((part) => mil.reshape(part, [1, ...part.shape])), 0);
}

interface NetworkOperands {
  readonly weight: Value;
  readonly recurrentWeight: Value;
  readonly bias: Value | undefined;
  readonly recurrentBias: Value | undefined;
  readonly peepholeWeight?: Value | undefined;
}

/** The weights of each direction, in float32. */
function weightsOf(operands: NetworkOperands, mil: MilWriter): Weights[] {
  const parts = (value: Value | undefined) => value ? unstack(mil.cast(mil.value(value), "fp32"), mil) : [];
  const [weight, recurrentWeight] = [parts(operands.weight), parts(operands.recurrentWeight)];
  const [bias, recurrentBias] = [parts(operands.bias), parts(operands.recurrentBias)];
  const peepholeWeight = parts(operands.peepholeWeight);
  return weight.map((weight, d) => ({
    weight,
    recurrentWeight: recurrentWeight[d]!,
    bias: bias[d],
    recurrentBias: recurrentBias[d],
    peepholeWeight: peepholeWeight[d],
  }));
}

/** An initial state in float32; zeros if there is none. */
function initialState(value: Value | undefined, shape: readonly number[], mil: MilWriter): MilValue {
  return value ? mil.cast(mil.value(value), "fp32") : mil.constant("fp32", shape, [0]);
}

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-gru */
const gru: Lowering<"gru"> = ({ operands, attributes, outputs: [state] }, mil) => {
  const network = {
    ...attributes,
    input: mil.cast(mil.value(operands.input), "fp32"),
    initial: [initialState(operands.initialHiddenState, state!.shape, mil)],
  };
  const results = unrolled(
    network,
    weightsOf(operands, mil),
    (x, { weight, bias }) => projection(x, weight, [bias], mil),
    (weights) => gruStep(weights, attributes, mil),
    mil,
  );
  return results.map((result) => mil.cast(result, mil.type(state!.dataType)));
};

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-lstm */
const lstm: Lowering<"lstm"> = (node, mil) => {
  const { operands, attributes, outputs: [state] } = node;
  const results = milLstm(node, mil);
  if (results) return results;
  const network = {
    ...attributes,
    input: mil.cast(mil.value(operands.input), "fp32"),
    initial: [operands.initialHiddenState, operands.initialCellState].map((value) =>
      initialState(value, state!.shape, mil)
    ),
  };
  return unrolled(
    network,
    weightsOf(operands, mil),
    (x, { weight, bias, recurrentBias }) => projection(x, weight, [bias, recurrentBias], mil),
    (weights) => lstmStep(weights, attributes, mil),
    mil,
  ).map((result) => mil.cast(result, mil.type(state!.dataType)));
};

type CellOperands = NetworkOperands & { readonly input: Value; readonly hiddenState: Value };

/** The operands of a cell, in float32. */
function cellOf(operands: CellOperands, mil: MilWriter): Weights & { readonly input: MilValue } {
  const wide = (value: Value | undefined) => value && mil.cast(mil.value(value), "fp32");
  return {
    input: wide(operands.input)!,
    weight: wide(operands.weight)!,
    recurrentWeight: wide(operands.recurrentWeight)!,
    bias: wide(operands.bias),
    recurrentBias: wide(operands.recurrentBias),
    peepholeWeight: wide(operands.peepholeWeight),
  };
}

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-grucell */
const gruCell: Lowering<"gruCell"> = ({ operands, attributes, outputs: [output] }, mil) => {
  const { input, ...weights } = cellOf(operands, mil);
  const projected = projection(input, weights.weight, [weights.bias], mil);
  const state = [mil.cast(mil.value(operands.hiddenState), "fp32")];
  return gruStep(weights, attributes, mil)(projected, state).map((next) => mil.cast(next, mil.type(output!.dataType)));
};

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-lstmcell */
const lstmCell: Lowering<"lstmCell"> = ({ operands, attributes, outputs: [output] }, mil) => {
  const { input, ...weights } = cellOf(operands, mil);
  const projected = projection(input, weights.weight, [weights.bias, weights.recurrentBias], mil);
  const state = [operands.hiddenState, operands.cellState].map((value) => mil.cast(mil.value(value), "fp32"));
  return lstmStep(weights, attributes, mil)(projected, state).map((next) => mil.cast(next, mil.type(output!.dataType)));
};

export const recurrent = { gru, gruCell, lstm, lstmCell } satisfies {
  [Name in keyof typeof rows]: Lowering<Name>;
};
