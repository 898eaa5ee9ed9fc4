/**
 * `lstm` and `gru`. All steps are computed in float64 and rounded once at the end.
 *
 * MIL's documentation does not define three details. They follow from the formulas of Core ML's older format
 * (NeuralNetwork.proto of coremltools) and the tests of coremltools:
 * - The peephole of lstm's output gate uses the new cell state.
 * - gru applies the reset gate before the product.
 * - The sequence of the direction `reverse` is in the order of computation, the last time step first, but the backward
 *   half of `bidirectional` is in the order of time.
 *
 * @module
 */

import { formatShape, sameShape, type Shape } from "../../../src/shape.ts";
import { sigmoid } from "../../reference/special_functions.ts";
import type { Parameters, Row, Rows } from "./operation.ts";
import { type Elements, type Tensor, zeros } from "./tensor.ts";

type Activation = (x: number) => number;
/** The state of one sample: hidden and, for lstm, cell. */
type State = readonly Float64Array[];
/** One step: from an input and the state to the next state. */
type Step = (x: ArrayLike<number>, state: State) => Float64Array[];

// MIL also has `hard_sigmoid` and `scaled_tanh`, but their factors are not documented.
const ACTIVATIONS = {
  linear: (x: number) => x,
  relu: (x: number) => Math.max(x, 0),
  sigmoid,
  tanh: Math.tanh,
};

function activation(p: Parameters, name: string): Activation {
  return ACTIVATIONS[p.text(name, Object.keys(ACTIVATIONS) as (keyof typeof ACTIVATIONS)[])];
}

/** The weights of one direction, with rows in the order of the gates. */
interface Weights {
  readonly input: Elements;
  readonly hidden: Elements;
  readonly bias: Elements | undefined;
  readonly inputSize: number;
  readonly hiddenSize: number;
}

function weightsOf(p: Parameters, suffix: "" | "_back", gates: number, inputSize: number, hiddenSize: number): Weights {
  const input = required(p, `weight_ih${suffix}`, [gates * hiddenSize, inputSize]);
  const hidden = required(p, `weight_hh${suffix}`, [gates * hiddenSize, hiddenSize]);
  return { input, hidden, bias: given(p, `bias${suffix}`, [gates * hiddenSize]), inputSize, hiddenSize };
}

function given(p: Parameters, name: string, shape: Shape): Elements | undefined {
  const tensor = p.optional(name);
  if (tensor !== undefined && !sameShape(tensor.shape, shape)) {
    throw new TypeError(`${name} must have the shape ${formatShape(shape)}, not ${formatShape(tensor.shape)}`);
  }
  return tensor?.data;
}

function required(p: Parameters, name: string, shape: Shape): Elements {
  const elements = given(p, name, shape);
  if (elements === undefined) throw new TypeError(`parameter ${name} is missing`);
  return elements;
}

function dot(matrix: Elements, row: number, vector: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < vector.length; i++) sum += matrix[row * vector.length + i]! * vector[i]!;
  return sum;
}

function vector(length: number, element: (i: number) => number): Float64Array {
  return Float64Array.from({ length }, (_, i) => element(i));
}

/** Rows: input, forget and output gate, candidate; peepholes: input, forget, output. */
function lstmStep(p: Parameters, weights: Weights, peephole: Elements | undefined): Step {
  const [gate, candidate, output] = [
    activation(p, "recurrent_activation"),
    activation(p, "cell_activation"),
    activation(p, "activation"),
  ];
  const { hiddenSize } = weights;
  return (x, [hidden, cell]) => {
    const linear = (block: number, j: number) => {
      const row = block * hiddenSize + j;
      return dot(weights.input, row, x) + dot(weights.hidden, row, hidden!) + (weights.bias?.[row] ?? 0);
    };
    const peep = (block: number, j: number, state: Float64Array) =>
      (peephole?.[block * hiddenSize + j] ?? 0) * state[j]!;
    const nextCell = vector(hiddenSize, (j) => {
      const kept = gate(linear(1, j) + peep(1, j, cell!)) * cell![j]!;
      return kept + gate(linear(0, j) + peep(0, j, cell!)) * candidate(linear(3, j));
    });
    const nextHidden = vector(hiddenSize, (j) => gate(linear(2, j) + peep(2, j, nextCell)) * output(nextCell[j]!));
    return [nextHidden, nextCell];
  };
}

/** Rows: reset gate, candidate, update gate. */
function gruStep(p: Parameters, weights: Weights): Step {
  const [gate, candidate] = [activation(p, "recurrent_activation"), activation(p, "activation")];
  const { hiddenSize } = weights;
  return (x, [hidden]) => {
    const linear = (block: number, j: number, state: Float64Array) => {
      const row = block * hiddenSize + j;
      return dot(weights.input, row, x) + dot(weights.hidden, row, state) + (weights.bias?.[row] ?? 0);
    };
    const kept = vector(hiddenSize, (j) => gate(linear(0, j, hidden!)) * hidden![j]!);
    return [vector(hiddenSize, (j) => {
      const update = gate(linear(2, j, hidden!));
      return (1 - update) * candidate(linear(1, j, kept)) + update * hidden![j]!;
    })];
  };
}

/** A direction: its step, and whether it starts at the end. */
interface Direction {
  readonly step: Step;
  readonly backward: boolean;
}

/** Runs directions over `x`, `[steps, batch, input]`. Returns the sequence and each state. */
function run(p: Parameters, x: Tensor, hiddenSize: number, stateNames: readonly string[], directions: Direction[]) {
  const [steps, batch, inputSize] = x.shape as [number, number, number];
  const width = directions.length * hiddenSize;
  const initial = stateNames.map((name) => required(p, name, [batch, width]));
  const all = p.flag("output_sequence");
  const sequence = zeros(x.dataType, [all ? steps : 1, batch, width]);
  const last = stateNames.map(() => zeros(x.dataType, [batch, width]));
  const inTimeOrder = directions.length === 2;
  for (let b = 0; b < batch; b++) {
    directions.forEach(({ step, backward }, d) => {
      const at = b * width + d * hiddenSize;
      let state: State = initial.map((elements) => Float64Array.from(elements.subarray(at, at + hiddenSize)));
      for (let i = 0; i < steps; i++) {
        const time = backward ? steps - 1 - i : i;
        const start = (time * batch + b) * inputSize;
        state = step(x.data.subarray(start, start + inputSize), state);
        if (all) sequence.data.set(state[0]!, (inTimeOrder ? time : i) * batch * width + at);
      }
      if (!all) sequence.data.set(state[0]!, at);
      last.forEach(({ data }, s) => data.set(state[s]!, at));
    });
  }
  return [sequence, ...last];
}

function sizes(p: Parameters): { x: Tensor; inputSize: number; hiddenSize: number } {
  const x = p.tensor("x");
  if (x.shape.length !== 3) throw new TypeError(`x must have rank 3, not ${x.shape.length}`);
  return { x, inputSize: x.shape[2]!, hiddenSize: p.tensor("weight_hh").shape.at(-1)! };
}

function lstm(p: Parameters): Tensor[] {
  const { x, inputSize, hiddenSize } = sizes(p);
  const direction = p.text("direction", ["forward", "reverse", "bidirectional"]);
  const make = (suffix: "" | "_back", backward: boolean): Direction => {
    const weights = weightsOf(p, suffix, 4, inputSize, hiddenSize);
    return { step: lstmStep(p, weights, given(p, `peephole${suffix}`, [3 * hiddenSize])), backward };
  };
  const directions = direction === "bidirectional"
    ? [make("", false), make("_back", true)]
    : [make("", direction === "reverse")];
  return run(p, x, hiddenSize, ["initial_h", "initial_c"], directions);
}

function gru(p: Parameters): Tensor[] {
  const { x, inputSize, hiddenSize } = sizes(p);
  const backward = p.text("direction", ["forward", "reverse"]) === "reverse";
  const step = gruStep(p, weightsOf(p, "", 3, inputSize, hiddenSize));
  return run(p, x, hiddenSize, ["initial_h"], [{ step, backward }]);
}

const SHARED = ["weight_ih", "weight_hh", "bias", "direction", "output_sequence", "recurrent_activation", "activation"];
const BACKWARD = ["weight_ih_back", "weight_hh_back", "bias_back", "peephole_back"];

/** The parameter `clip` is missing, because no lowering uses it. */
const lstmRow: Row = {
  values: ["x", "initial_h", "initial_c"],
  constants: [...SHARED, ...BACKWARD, "peephole", "cell_activation"],
  optional: [...BACKWARD, "bias", "peephole"],
  compute: lstm,
};

export const recurrent: Rows = {
  lstm: lstmRow,
  gru: { values: ["x", "initial_h"], constants: SHARED, optional: ["bias"], compute: gru },
};
