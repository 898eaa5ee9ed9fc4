/**
 * Lowering of recurrent networks.
 *
 * @module
 */

import type { MLOperandDataType } from "../../../data_type.ts";
import type { Value } from "../../../graph/graph.ts";
import type { NodeOf } from "../../../ops/operators.ts";
import type { Activation, Direction, recurrent as rows } from "../../../ops/recurrent.ts";
import type { Descriptor } from "../../../shape.ts";
import type { OnnxWriter, Operand } from "../writer.ts";
import type { Lowering } from "./lowering.ts";
import { sigmoid } from "./sigmoid.ts";

const ACTIVATIONS: Readonly<Record<Activation, string>> = { relu: "Relu", sigmoid: "Sigmoid", tanh: "Tanh" };
const DIRECTIONS: Readonly<Record<Direction, string>> = {
  forward: "forward",
  backward: "reverse",
  both: "bidirectional",
};
/** The order of ONNX's gates, in the letters of WebNN's layouts. */
const GRU_GATES = "zrn";
const LSTM_GATES = "iofg";
/** The order of peephole weights, for every layout. */
const PEEPHOLES = "iof";

/** The operands that GRU and LSTM share; the first dimension is that of directions. */
interface NetworkOperands {
  readonly input: Operand;
  readonly weight: Operand;
  readonly recurrentWeight: Operand;
  readonly bias: Operand;
  readonly recurrentBias: Operand;
}

/** The inputs X, W, R, B and sequence_lens of ONNX's GRU and LSTM. `biases` is the descriptor of either bias. */
function networkInputs(
  operands: NetworkOperands,
  biases: Descriptor,
  layout: string,
  gates: string,
  onnx: OnnxWriter,
): Operand[] {
  const { input, weight, recurrentWeight, bias, recurrentBias } = operands;
  const reordered = (operand: Operand) => operand && reorderGates(operand, layout, gates, onnx);
  return [
    input,
    reordered(weight),
    reordered(recurrentWeight),
    bothBiases(reordered(bias), reordered(recurrentBias), biases, onnx),
    undefined,
  ];
}

/** Reorders the gates, in dimension 1. For constants, the engine does that when the session is created. */
function reorderGates(operand: Operand, from: string, to: string, onnx: OnnxWriter): Operand {
  if (from === to) return operand;
  const parts = onnx.nodes("Split", [operand], from.length, { axis: 1, num_outputs: from.length });
  return onnx.node("Concat", [...to].map((letter) => parts[from.indexOf(letter)]), { axis: 1 });
}

/** ONNX has one operand for both biases. */
function bothBiases(bias: Operand, recurrentBias: Operand, { dataType, shape }: Descriptor, onnx: OnnxWriter): Operand {
  if (bias === undefined && recurrentBias === undefined) return undefined;
  const zeros = () => onnx.constant(dataType, shape, [0]);
  return onnx.node("Concat", [bias ?? zeros(), recurrentBias ?? zeros()], { axis: 1 });
}

/** The descriptor of either bias of a network with these weights. */
function biasesOf({ dataType, shape }: Value): Descriptor {
  return { dataType, shape: shape.slice(0, 2) };
}

function networkAttributes(
  { hiddenSize, direction, activations }: {
    readonly hiddenSize: number;
    readonly direction: Direction;
    readonly activations: readonly Activation[];
  },
) {
  const names = activations.map((activation) => ACTIVATIONS[activation]);
  return {
    hidden_size: hiddenSize,
    direction: DIRECTIONS[direction],
    activations: direction === "both" ? [...names, ...names] : names,
  };
}

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-gru */
const gru: Lowering<"gru"> = ({ operands, attributes }, onnx) => {
  const inputs = networkInputs(operands, biasesOf(operands.weight), attributes.layout, GRU_GATES, onnx);
  const [sequence, hidden] = onnx.nodes("GRU", [...inputs, operands.initialHiddenState], 2, {
    ...networkAttributes(attributes),
    linear_before_reset: Number(attributes.resetAfter),
  });
  return [hidden, sequence];
};

/**
 * A GRU of one step.
 * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-grucell
 */
const gruCell: Lowering<"gruCell"> = ({ operands, attributes, outputs: [output] }, onnx) => {
  const unsqueeze = (value: Value | undefined) => value && onnx.reshape(value, [1, ...value.shape]);
  const network = {
    input: unsqueeze(operands.input),
    weight: unsqueeze(operands.weight),
    recurrentWeight: unsqueeze(operands.recurrentWeight),
    bias: unsqueeze(operands.bias),
    recurrentBias: unsqueeze(operands.recurrentBias),
  };
  const { dataType, shape } = operands.weight;
  const inputs = networkInputs(network, { dataType, shape: [1, shape[0]!] }, attributes.layout, GRU_GATES, onnx);
  const [, hidden] = onnx.nodes("GRU", [...inputs, unsqueeze(operands.hiddenState)], 2, {
    ...networkAttributes({ ...attributes, direction: "forward" }),
    linear_before_reset: Number(attributes.resetAfter),
  });
  return onnx.reshape(hidden, output!.shape);
};

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-lstm */
const lstm: Lowering<"lstm"> = (node, onnx) => {
  const { operands, attributes } = node;
  if (operands.peepholeWeight) return unrolledLstm(node, onnx);
  const inputs = networkInputs(operands, biasesOf(operands.weight), attributes.layout, LSTM_GATES, onnx);
  const states = [operands.initialHiddenState, operands.initialCellState];
  const [sequence, hidden, cell] = onnx.nodes("LSTM", [...inputs, ...states], 3, networkAttributes(attributes));
  return [hidden, cell, sequence];
};

/**
 * An LSTM with peepholes, step by step. ONNX's LSTM uses the new cell state for the output gate, WebNN's the old one
 * for all gates.
 */
function unrolledLstm({ operands, attributes, outputs: [state] }: NodeOf<"lstm">, onnx: OnnxWriter): Operand[] {
  const { steps, direction, hiddenSize } = attributes;
  const { input, initialHiddenState, initialCellState, ...weights } = operands;
  const [directions, batchSize] = state!.shape as [number, number];
  const perDirection = (value: Value | undefined) => value ? unstack(value, onnx) : [];
  const [weight, recurrentWeight] = [perDirection(weights.weight), perDirection(weights.recurrentWeight)];
  const [bias, recurrentBias] = [perDirection(weights.bias), perDirection(weights.recurrentBias)];
  const peepholeWeight = perDirection(weights.peepholeWeight);
  const [hiddenState, cellState] = [perDirection(initialHiddenState), perDirection(initialCellState)];
  const zeros = onnx.constant(input.dataType, [batchSize, hiddenSize], [0]);
  const inputs = unstack(input, onnx);
  const walks = Array.from({ length: directions }, (_, d) => {
    const cell = {
      weight: weight[d],
      recurrentWeight: recurrentWeight[d],
      bias: bias[d],
      recurrentBias: recurrentBias[d],
      peepholeWeight: peepholeWeight[d],
    };
    const isBackward = direction === "backward" || d === 1;
    let last: LstmState = { hiddenState: hiddenState[d] ?? zeros, cellState: cellState[d] ?? zeros };
    const sequence: Operand[] = [];
    for (let step = 0; step < steps; step++) {
      const time = isBackward ? steps - 1 - step : step;
      last = lstmStep({ ...cell, ...last, input: inputs[time] }, attributes, input.dataType, onnx);
      sequence[time] = last.hiddenState;
    }
    return { last, sequence };
  });
  const last = (name: keyof LstmState) => stack(walks.map(({ last }) => last[name]), onnx);
  const sequence = () => stack(inputs.map((_, time) => stack(walks.map(({ sequence }) => sequence[time]), onnx)), onnx);
  return [last("hiddenState"), last("cellState"), ...(attributes.returnSequence ? [sequence()] : [])];
}

/** Splits along the first dimension, and removes it. */
function unstack(value: Value, onnx: OnnxWriter): Operand[] {
  const [count, ...shape] = value.shape as [number, ...number[]];
  const parts = count === 1 ? [value] : onnx.nodes("Split", [value], count, { axis: 0, num_outputs: count });
  return parts.map((part) => onnx.reshape(part, shape));
}

/** Joins along a new first dimension. */
function stack(parts: readonly Operand[], onnx: OnnxWriter): Operand {
  const unsqueezed = parts.map((part) => onnx.node("Unsqueeze", [part, onnx.ints([0])]));
  return unsqueezed.length === 1 ? unsqueezed[0] : onnx.node("Concat", unsqueezed, { axis: 0 });
}

interface LstmState {
  readonly hiddenState: Operand;
  readonly cellState: Operand;
}

interface LstmOperands extends NetworkOperands, LstmState {
  readonly peepholeWeight: Operand;
}

interface LstmAttributes {
  readonly hiddenSize: number;
  readonly layout: string;
  readonly activations: readonly Activation[];
}

/** One step of an LSTM. */
function lstmStep(
  operands: LstmOperands,
  attributes: LstmAttributes,
  dataType: MLOperandDataType,
  onnx: OnnxWriter,
): LstmState {
  const { input, weight, recurrentWeight, hiddenState, cellState, bias, recurrentBias, peepholeWeight } = operands;
  const { hiddenSize, layout, activations } = attributes;
  const product = (a: Operand, b: Operand) => onnx.node("MatMul", [a, onnx.transpose(b, [1, 0])]);
  const gates = sum([product(input, weight), product(hiddenState, recurrentWeight), bias, recurrentBias], onnx);
  const parts = splitEvenly(gates, 4, hiddenSize, 1, onnx);
  const peepholes = peepholeWeight && splitEvenly(peepholeWeight, 3, hiddenSize, 0, onnx);
  const activate = (i: number, operand: Operand) =>
    activations[i] === "sigmoid"
      ? sigmoid(operand, dataType, onnx)
      : onnx.node(ACTIVATIONS[activations[i]!], [operand]);
  const gate = (letter: "i" | "o" | "f") => {
    const peephole = peepholes?.[PEEPHOLES.indexOf(letter)];
    const weighted = peephole && onnx.node("Mul", [cellState, peephole]);
    return activate(0, sum([parts[layout.indexOf(letter)], weighted], onnx));
  };
  const candidate = activate(1, parts[layout.indexOf("g")]);
  const newCell = sum([onnx.node("Mul", [gate("f"), cellState]), onnx.node("Mul", [gate("i"), candidate])], onnx);
  const newHidden = onnx.node("Mul", [gate("o"), activate(2, newCell)]);
  return { hiddenState: newHidden, cellState: newCell };
}

/** The sum of the operands that are present. */
function sum(operands: readonly Operand[], onnx: OnnxWriter): Operand {
  return operands.filter((operand) => operand !== undefined)
    .reduce((total, operand) => onnx.node("Add", [total, operand]));
}

function splitEvenly(operand: Operand, count: number, size: number, axis: number, onnx: OnnxWriter): string[] {
  return onnx.nodes("Split", [operand, onnx.ints(new Array(count).fill(size))], count, { axis });
}

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-lstmcell */
const lstmCell: Lowering<"lstmCell"> = ({ operands, attributes }, onnx) => {
  const { hiddenState, cellState } = lstmStep(operands, attributes, operands.input.dataType, onnx);
  return [hiddenState, cellState];
};

export const recurrent = { gru, gruCell, lstm, lstmCell } satisfies {
  [Name in keyof typeof rows]: Lowering<Name>;
};
