/**
 * Lowering of recurrent networks.
 *
 * @module
 */

import type { recurrent as rows } from "../../../ops/recurrent.ts";
import type { Activation } from "../../../ops/recurrent.ts";
import type { OnnxWriter, Operand } from "../writer.ts";
import type { Lowering } from "./lowering.ts";

const ACTIVATIONS: Readonly<Record<Activation, string>> = { relu: "Relu", sigmoid: "Sigmoid", tanh: "Tanh" };

/** The sum of the operands that are there. */
function sum(operands: readonly Operand[], onnx: OnnxWriter): Operand {
  return operands.filter((operand) => operand !== undefined)
    .reduce((total, operand) => onnx.node("Add", [total, operand]));
}

/**
 * One step of an LSTM. Not ONNX's LSTM: with peepholes that one looks at the new cell state for the output gate, WebNN at
 * the old one for all gates.
 * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-lstmcell
 */
const lstmCell: Lowering<"lstmCell"> = ({ operands, attributes: { hiddenSize, layout, activations } }, onnx) => {
  const { input, weight, recurrentWeight, hiddenState, cellState, bias, recurrentBias, peepholeWeight } = operands;
  const product = (a: Operand, b: Operand) => onnx.node("MatMul", [a, onnx.transpose(b, [1, 0])]);
  const gates = sum([product(input, weight), product(hiddenState, recurrentWeight), bias, recurrentBias], onnx);
  const parts = onnx.nodes("Split", [gates, onnx.ints(new Array(4).fill(hiddenSize))], 4, { axis: 1 });
  const peepholes = peepholeWeight &&
    onnx.nodes("Split", [peepholeWeight, onnx.ints(new Array(3).fill(hiddenSize))], 3, { axis: 0 });
  const [gateFunction, cellFunction, outputFunction] = activations.map((activation) => ACTIVATIONS[activation]!);
  const gate = (letter: "i" | "o" | "f") => {
    // Peepholes stand in the order i, o, f whatever the layout.
    const peephole = peepholes?.["iof".indexOf(letter)];
    const look = peephole && onnx.node("Mul", [cellState, peephole]);
    return onnx.node(gateFunction!, [sum([parts[layout.indexOf(letter)], look], onnx)]);
  };
  const candidate = onnx.node(cellFunction!, [parts[layout.indexOf("g")]]);
  const newCell = sum([onnx.node("Mul", [gate("f"), cellState]), onnx.node("Mul", [gate("i"), candidate])], onnx);
  const newHidden = onnx.node("Mul", [gate("o"), onnx.node(outputFunction!, [newCell])]);
  return [newHidden, newCell];
};

/** The lowerings of recurrent networks. */
export const recurrent = { lstmCell } satisfies { [Name in keyof typeof rows]: Lowering<Name> };
