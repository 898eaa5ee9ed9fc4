/**
 * Minimal valid arguments of the recurrent operators: see operator_samples.ts.
 *
 * @module
 */

import type { Sample, Samples } from "./operator_samples.ts";

/** Samples of an operator whose first operand must have a certain rank. */
export function ofRank(only: number, samples: readonly Sample[]): Samples {
  return (rank) => rank === only ? samples : [];
}

const gru = ofRank(
  3,
  [
    { shapes: { input: [3, 2, 2], weight: [1, 6, 2], recurrentWeight: [1, 6, 2] } },
    {
      shapes: {
        input: [3, 2, 2],
        weight: [2, 6, 2],
        recurrentWeight: [2, 6, 2],
        bias: [2, 6],
        recurrentBias: [2, 6],
        initialHiddenState: [2, 2, 2],
      },
      attributes: { direction: "both", returnSequence: true, resetAfter: false, layout: "rzn" },
    },
  ].map((sample) => ({ ...sample, attributes: { steps: 3, hiddenSize: 2, ...sample.attributes } })),
);

const gruCell = ofRank(
  2,
  [
    { shapes: { input: [2, 3], weight: [6, 3], recurrentWeight: [6, 2], hiddenState: [2, 2] } },
    {
      shapes: {
        input: [2, 3],
        weight: [6, 3],
        recurrentWeight: [6, 2],
        hiddenState: [2, 2],
        bias: [6],
        recurrentBias: [6],
      },
      attributes: { resetAfter: false, layout: "rzn", activations: ["tanh", "relu"] },
    },
  ].map((sample) => ({ ...sample, attributes: { hiddenSize: 2, ...sample.attributes } })),
);

const lstm = ofRank(
  3,
  [
    { shapes: { input: [3, 2, 2], weight: [1, 8, 2], recurrentWeight: [1, 8, 2] } },
    {
      shapes: {
        input: [3, 2, 2],
        weight: [2, 8, 2],
        recurrentWeight: [2, 8, 2],
        bias: [2, 8],
        recurrentBias: [2, 8],
        peepholeWeight: [2, 6],
        initialHiddenState: [2, 2, 2],
        initialCellState: [2, 2, 2],
      },
      attributes: { direction: "both", returnSequence: true, layout: "ifgo" },
    },
  ].map((sample) => ({ ...sample, attributes: { steps: 3, hiddenSize: 2, ...sample.attributes } })),
);

const lstmCell = ofRank(
  2,
  [
    { shapes: { input: [2, 3], weight: [8, 3], recurrentWeight: [8, 2], hiddenState: [2, 2], cellState: [2, 2] } },
    {
      shapes: {
        input: [2, 3],
        weight: [8, 3],
        recurrentWeight: [8, 2],
        hiddenState: [2, 2],
        cellState: [2, 2],
        bias: [8],
        recurrentBias: [8],
        peepholeWeight: [6],
      },
      attributes: { layout: "ifgo", activations: ["tanh", "relu", "sigmoid"] },
    },
  ].map((sample) => ({ ...sample, attributes: { hiddenSize: 2, ...sample.attributes } })),
);

/** The samples of the recurrent operators. */
export const recurrentSamples = { gru, gruCell, lstm, lstmCell };
