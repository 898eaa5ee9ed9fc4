/**
 * gru, gruCell, lstm and lstmCell. All steps are computed in float64 and rounded once at the end.
 *
 * @module
 */

import { ACTIVATIONS, add, type Approximate, complement, exact, multiply } from "./approximate.ts";
import { attribute, type Attributes, type Compute, operand, optionalOperand, type Rows } from "./operator.ts";
import { accumulate, floatAt, type Index, type RefTensor } from "./tensor.ts";

/** [batch][hidden] or [batch][input]. */
type Matrix = readonly (readonly Approximate[])[];
type Activation = (x: Approximate) => Approximate;

/** The weights of one direction, by row and column. */
interface Weights {
  readonly weight: (row: number, column: number) => number;
  readonly recurrentWeight: (row: number, column: number) => number;
  readonly bias: (row: number) => number;
  readonly recurrentBias: (row: number) => number;
  readonly peepholeWeight: (row: number) => number;
}

/** One step: from the input and the states (hidden, cell) to the next states. */
type Step = (input: Matrix, states: readonly Matrix[]) => Matrix[];

function matrix(rows: number, columns: number, element: (row: number, column: number) => Approximate): Matrix {
  return Array.from({ length: rows }, (_, row) => Array.from({ length: columns }, (_, column) => element(row, column)));
}

/** Reads the operands. `prefix` is the direction for gru and lstm, and empty for a cell. */
function weights(operands: Parameters<Compute>[0], prefix: Index): Weights {
  const optional = (name: string) => {
    const source = optionalOperand(operands, name);
    return (row: number) => source === undefined ? 0 : floatAt(source, [...prefix, row]);
  };
  const required = (name: string) => {
    const source = operand(operands, name);
    return (row: number, column: number) => floatAt(source, [...prefix, row, column]);
  };
  return {
    weight: required("weight"),
    recurrentWeight: required("recurrentWeight"),
    bias: optional("bias"),
    recurrentBias: optional("recurrentBias"),
    peepholeWeight: optional("peepholeWeight"),
  };
}

function activations(attributes: Attributes, defaults: readonly string[]): Activation[] {
  return attribute(attributes, "activations", defaults).map((name) => {
    const activation = ACTIVATIONS[name];
    if (activation === undefined) throw new TypeError(`unknown activation ${name}`);
    return activation;
  });
}

/** The dot product of a row of a weight matrix and a vector. */
function dot(row: (column: number) => number, vector: readonly Approximate[]): Approximate {
  return add(...vector.map((x, column) => multiply(exact(row(column)), x)));
}

/** Row `row` of W·x + b. */
function inputPart(w: Weights, row: number, x: readonly Approximate[]): Approximate {
  return add(dot((column) => w.weight(row, column), x), exact(w.bias(row)));
}

/** Row `row` of R·h + rb. */
function recurrentPart(w: Weights, row: number, h: readonly Approximate[]): Approximate {
  return add(dot((column) => w.recurrentWeight(row, column), h), exact(w.recurrentBias(row)));
}

/** `h' = z·h + (1 − z)·n`. */
function gruStep(w: Weights, hiddenSize: number, attributes: Attributes): Step {
  const [gateActivation, newActivation] = activations(attributes, ["sigmoid", "tanh"]) as [Activation, Activation];
  const layout = attribute(attributes, "layout", "zrn");
  const resetAfter = attribute(attributes, "resetAfter", true);
  const gateRow = (gate: string, j: number) => layout.indexOf(gate) * hiddenSize + j;
  return (input, [hidden]) => {
    const gate = (name: string) =>
      matrix(input.length, hiddenSize, (b, j) => {
        const row = gateRow(name, j);
        return gateActivation(add(inputPart(w, row, input[b]!), recurrentPart(w, row, hidden![b]!)));
      });
    const update = gate("z");
    const reset = gate("r");
    return [matrix(input.length, hiddenSize, (b, j) => {
      const row = gateRow("n", j);
      const h = hidden![b]!;
      const recurrent = resetAfter
        ? multiply(reset[b]![j]!, recurrentPart(w, row, h))
        : recurrentPart(w, row, h.map((x, k) => multiply(reset[b]![k]!, x)));
      const candidate = newActivation(add(inputPart(w, row, input[b]!), recurrent));
      const z = update[b]![j]!;
      return add(multiply(z, h[j]!), multiply(complement(z), candidate));
    })];
  };
}

/** The order of peephole weights, for every layout. */
const PEEPHOLES = "iof";

/** `c' = f·c + i·g; h' = o·activation(c')`. The peepholes of all gates, also of o, use the old cell state. */
function lstmStep(w: Weights, hiddenSize: number, attributes: Attributes): Step {
  const [gateActivation, newActivation, outputActivation] = activations(
    attributes,
    ["sigmoid", "tanh", "tanh"],
  ) as [Activation, Activation, Activation];
  const layout = attribute(attributes, "layout", "iofg");
  return (input, [hidden, cell]) => {
    const linear = (name: string, b: number, j: number) => {
      const row = layout.indexOf(name) * hiddenSize + j;
      return add(inputPart(w, row, input[b]!), recurrentPart(w, row, hidden![b]!));
    };
    const gate = (name: string, b: number, j: number) => {
      const peephole = exact(w.peepholeWeight(PEEPHOLES.indexOf(name) * hiddenSize + j));
      return gateActivation(add(linear(name, b, j), multiply(peephole, cell![b]![j]!)));
    };
    const nextCell = matrix(input.length, hiddenSize, (b, j) => {
      const candidate = newActivation(linear("g", b, j));
      return add(multiply(gate("f", b, j), cell![b]![j]!), multiply(gate("i", b, j), candidate));
    });
    const nextHidden = matrix(
      input.length,
      hiddenSize,
      (b, j) => multiply(gate("o", b, j), outputActivation(nextCell[b]![j]!)),
    );
    return [nextHidden, nextCell];
  };
}

type MakeStep = (w: Weights, hiddenSize: number, attributes: Attributes) => Step;

/** A tensor as a matrix, at a prefix of the index; zeros if it is missing. */
function matrixAt(source: RefTensor | undefined, prefix: Index, rows: number, columns: number): Matrix {
  return matrix(rows, columns, (row, column) => exact(source ? floatAt(source, [...prefix, row, column]) : 0));
}

function toTensor(
  input: RefTensor,
  shape: readonly number[],
  hiddenSize: number,
  element: (index: Index) => Approximate,
): RefTensor {
  const terms = input.shape.at(-1)! + hiddenSize + 8;
  return accumulate(input.dataType, shape, terms, (index) => {
    const { value, error } = element(index);
    return { value, magnitude: error };
  });
}

/** gruCell and lstmCell: one step. */
function cell(makeStep: MakeStep, stateNames: readonly string[]): Compute {
  return (operands, attributes) => {
    const input = operand(operands, "input");
    const hiddenSize = attribute(attributes, "hiddenSize", operand(operands, "hiddenState").shape[1]!);
    const [batch, inputSize] = input.shape as [number, number];
    const step = makeStep(weights(operands, []), hiddenSize, attributes);
    const states = stateNames.map((name) => matrixAt(operand(operands, name), [], batch, hiddenSize));
    const next = step(matrixAt(input, [], batch, inputSize), states);
    return next.map((state) => toTensor(input, [batch, hiddenSize], hiddenSize, ([b, j]) => state[b!]![j!]!));
  };
}

/** The states after each step, in order of time, and those after the last processed step. */
interface Walk {
  readonly sequence: readonly Matrix[];
  readonly last: readonly Matrix[];
}

function walk(step: Step, inputs: readonly Matrix[], initial: readonly Matrix[], backward: boolean): Walk {
  let states = initial;
  const sequence: Matrix[] = [];
  const times = inputs.map((_, time) => time);
  for (const time of backward ? times.reverse() : times) {
    states = step(inputs[time]!, states);
    sequence[time] = states[0]!;
  }
  return { sequence, last: states };
}

/** gru and lstm: one or two directions over all steps. */
function network(makeStep: MakeStep, stateNames: readonly string[]): Compute {
  return (operands, attributes) => {
    const input = operand(operands, "input");
    const hiddenSize = attribute(attributes, "hiddenSize", operand(operands, "recurrentWeight").shape[2]!);
    const [steps, batch, inputSize] = input.shape as [number, number, number];
    const direction = attribute<string>(attributes, "direction", "forward");
    const inputs = Array.from({ length: steps }, (_, time) => matrixAt(input, [time], batch, inputSize));
    const walks = (direction === "both" ? ["forward", "backward"] : [direction]).map((direction, d) => {
      const step = makeStep(weights(operands, [d]), hiddenSize, attributes);
      const initial = stateNames.map((name) => matrixAt(optionalOperand(operands, name), [d], batch, hiddenSize));
      return walk(step, inputs, initial, direction === "backward");
    });
    const lastShape = [walks.length, batch, hiddenSize];
    const outputs = stateNames.map((_, state) =>
      toTensor(input, lastShape, hiddenSize, ([d, b, j]) => walks[d!]!.last[state]![b!]![j!]!)
    );
    if (!attribute(attributes, "returnSequence", false)) return outputs;
    const sequence = ([time, d, b, j]: Index) => walks[d!]!.sequence[time!]![b!]![j!]!;
    return [...outputs, toTensor(input, [steps, ...lastShape], hiddenSize, sequence)];
  };
}

export const recurrent: Rows = {
  gru: network(gruStep, ["initialHiddenState"]),
  gruCell: cell(gruStep, ["hiddenState"]),
  lstm: network(lstmStep, ["initialHiddenState", "initialCellState"]),
  lstmCell: cell(lstmStep, ["hiddenState", "cellState"]),
};
