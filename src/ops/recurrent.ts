/**
 * Recurrent networks.
 *
 * @module
 */

import { MAX_DIMENSION } from "../shape.ts";
import { checkLength, checkShape, refuse } from "./checks.ts";
import { FLOATS, maybe, one, operator, rank, sameAs, tensor } from "./operator.ts";
import { integer, lstmLayout, maybeActivations } from "./parameters.ts";

/** A function applied within a recurrent cell. */
export type Activation = "relu" | "sigmoid" | "tanh";

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-lstmcell */
const lstmCell = operator({
  name: "lstmCell",
  operands: {
    input: one(FLOATS, rank(2, 2)),
    weight: one(sameAs("input"), rank(2, 2)),
    recurrentWeight: one(sameAs("input"), rank(2, 2)),
    hiddenState: one(sameAs("input"), rank(2, 2)),
    cellState: one(sameAs("input"), rank(2, 2)),
    bias: maybe(sameAs("input"), rank(1, 1)),
    recurrentBias: maybe(sameAs("input"), rank(1, 1)),
    peepholeWeight: maybe(sameAs("input"), rank(1, 1)),
  },
  outputs: { output0: tensor(sameAs("input"), rank(2, 2)), output1: tensor(sameAs("input"), rank(2, 2)) },
  parameters: { hiddenSize: integer },
  options: { layout: lstmLayout, activations: maybeActivations },
  resolve(
    { input, weight, recurrentWeight, hiddenState, cellState, ...optional },
    { hiddenSize, layout, activations },
  ) {
    const [batchSize, inputSize] = input.shape as [number, number];
    checkHiddenSize(hiddenSize, 4);
    checkShape("weight", weight.shape, [4 * hiddenSize, inputSize]);
    checkShape("recurrentWeight", recurrentWeight.shape, [4 * hiddenSize, hiddenSize]);
    checkShape("hiddenState", hiddenState.shape, [batchSize, hiddenSize]);
    checkShape("cellState", cellState.shape, [batchSize, hiddenSize]);
    if (optional.bias) checkShape("bias", optional.bias.shape, [4 * hiddenSize]);
    if (optional.recurrentBias) checkShape("recurrentBias", optional.recurrentBias.shape, [4 * hiddenSize]);
    if (optional.peepholeWeight) checkShape("peepholeWeight", optional.peepholeWeight.shape, [3 * hiddenSize]);
    const state = { dataType: input.dataType, shape: [batchSize, hiddenSize] };
    return {
      attributes: { hiddenSize, layout, activations: lstmActivations(activations) },
      outputs: [state, state],
    };
  },
});

/** The three activations of an LSTM: of the gates i, o and f, of the cell gate, and of the output. */
function lstmActivations(activations: readonly Activation[] = ["sigmoid", "tanh", "tanh"]): readonly Activation[] {
  checkLength("activations", activations, 3);
  return activations;
}

/** Both biases of all gates must fit into one dimension. */
function checkHiddenSize(hiddenSize: number, gates: number): void {
  if (hiddenSize < 1 || hiddenSize * gates * 2 > MAX_DIMENSION) {
    refuse(`hiddenSize must be 1 to ${Math.floor(MAX_DIMENSION / (gates * 2))}, not ${hiddenSize}`);
  }
}

/** The rows of recurrent networks. */
export const recurrent = {
  lstmCell,
};
