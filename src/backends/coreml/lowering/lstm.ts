/**
 * MIL's LSTM. It requires constant weights, and its output gate's peephole uses the new cell state, while WebNN's uses
 * the old one. Each direction is lowered to a forward LSTM of its own, so it does not matter how MIL orders two
 * directions, or the steps of a backward one.
 *
 * @module
 */

import type { Value } from "../../../graph/graph.ts";
import type { NodeOf } from "../../../ops/operators.ts";
import { elementsOf } from "../constant_bytes.ts";
import type { MilConstant, MilValue } from "../mil.ts";
import type { MilWriter } from "../mil_writer.ts";

/** The order of MIL's gates, in the letters of WebNN's layouts. */
const GATES = "ifog";

/** The constant parameters of one direction. */
interface Weights {
  readonly weight_ih: MilConstant;
  readonly weight_hh: MilConstant;
  readonly bias: MilConstant | undefined;
}

/** The outputs of an LSTM; `undefined` if MIL's LSTM cannot compute it. */
export function milLstm(node: NodeOf<"lstm">, mil: MilWriter): MilValue[] | undefined {
  const { operands, attributes: { direction, returnSequence } } = node;
  const weights = constantWeights(node, mil);
  if (weights === undefined) return undefined;
  const x = mil.value(operands.input);
  const walks = weights.map((weights, d) => {
    const isBackward = direction === "backward" || d === 1;
    const [sequence, hiddenState, cellState] = forward(node, isBackward ? reversed(x, mil) : x, d, weights, mil);
    return { hiddenState, cellState, sequence: isBackward && returnSequence ? reversed(sequence, mil) : sequence };
  });
  // Add the dimension of directions before that of batches.
  const joined = (values: readonly MilValue[], axis: number) =>
    mil.concat(values.map((value) => mil.reshape(value, value.shape.toSpliced(axis, 0, 1))), axis);
  const states = [walks.map(({ hiddenState }) => hiddenState), walks.map(({ cellState }) => cellState)];
  const lasts = states.map((values) => joined(values, 0));
  return returnSequence ? [...lasts, joined(walks.map(({ sequence }) => sequence), 1)] : lasts;
}

function reversed(x: MilValue, mil: MilWriter): MilValue {
  return mil.unary("reverse", x, { axes: mil.ints([0]) });
}

/** Lowers one direction: returns the sequence of hidden states, the last hidden state and the last cell state. */
function forward(
  { operands, attributes }: NodeOf<"lstm">,
  x: MilValue,
  direction: number,
  weights: Weights,
  mil: MilWriter,
): [MilValue, MilValue, MilValue] {
  const { hiddenSize, activations, returnSequence } = attributes;
  const [steps, batchSize] = x.shape as [number, number, number];
  const { dataType } = x;
  const state = { dataType, shape: [batchSize, hiddenSize] };
  const initial = (value: Value | undefined) =>
    value ? directionOf(mil.value(value), direction, mil) : mil.constant(dataType, state.shape, [0]);
  const [gateFunction, cellFunction, outputFunction] = activations.map((activation) => mil.text(activation));
  return mil.ops("lstm", {
    x,
    initial_h: initial(operands.initialHiddenState),
    initial_c: initial(operands.initialCellState),
    ...weights,
    direction: mil.text("forward"),
    output_sequence: mil.bool(returnSequence),
    recurrent_activation: gateFunction,
    cell_activation: cellFunction,
    activation: outputFunction,
  }, [{ dataType, shape: [returnSequence ? steps : 1, ...state.shape] }, state, state]) as [
    MilValue,
    MilValue,
    MilValue,
  ];
}

/** The slice of a state that belongs to one direction. */
function directionOf(state: MilValue, direction: number, mil: MilWriter): MilValue {
  const [directions, ...shape] = state.shape as [number, number, number];
  const parts = mil.split(state, new Array<number>(directions).fill(1), 0);
  return mil.reshape(parts[direction]!, shape);
}

function constantWeights(
  { operands, attributes: { layout } }: NodeOf<"lstm">,
  mil: MilWriter,
): Weights[] | undefined {
  const [weight, recurrentWeight] = [mil.constantOf(operands.weight), mil.constantOf(operands.recurrentWeight)];
  const biases = [operands.bias, operands.recurrentBias].filter((bias) => bias !== undefined);
  const constantBiases = biases.map((bias) => mil.constantOf(bias)).filter((bias) => bias !== undefined);
  if (operands.peepholeWeight || !weight || !recurrentWeight || constantBiases.length < biases.length) return undefined;
  return Array.from({ length: weight.shape[0]! }, (_, d) => ({
    weight_ih: gatesOf([weight], d, layout, mil),
    weight_hh: gatesOf([recurrentWeight], d, layout, mil),
    bias: constantBiases.length > 0 ? gatesOf(constantBiases, d, layout, mil) : undefined,
  }));
}

/** Adds up constants, for one direction and with the gates in MIL's order. */
function gatesOf(constants: readonly MilConstant[], direction: number, layout: string, mil: MilWriter): MilConstant {
  const [{ dataType, shape: [directions, ...shape] }] = constants as [MilConstant];
  const arrays = constants.map(elementsOf);
  const size = arrays[0]!.length / directions!;
  const gate = size / GATES.length;
  const elements = Array.from({ length: size }, (_, i) => {
    const position = direction * size + layout.indexOf(GATES[Math.floor(i / gate)]!) * gate + i % gate;
    return arrays.reduce((sum, array) => sum + array[position]!, 0);
  });
  return mil.constant(dataType, shape, elements);
}
