/**
 * RNN, GRU and LSTM: use WebNN's operators if they are equivalent, and otherwise unroll the steps.
 *
 * @module
 */

import type { MLRecurrentNetworkActivation } from "../../api/dictionaries.ts";
import type { NodeView } from "../node.ts";
import { type Operand, range, stack } from "../operand.ts";
import { type Build, type Row, type RowResult, rows } from "../row.ts";
import { unsupported } from "../errors.ts";
import { numbersOf } from "../value.ts";
import { dequantize, dynamicallyQuantized } from "./quantization.ts";

type Activation = (x: Operand) => Operand;
type Kind = "RNN" | "GRU" | "LSTM";

/** The number of gates, and the default activation functions of each direction. */
const KINDS: Readonly<Record<Kind, { gates: number; functions: readonly string[] }>> = {
  RNN: { gates: 1, functions: ["Tanh"] },
  GRU: { gates: 3, functions: ["Sigmoid", "Tanh"] },
  LSTM: { gates: 4, functions: ["Sigmoid", "Tanh", "Tanh"] },
};

/** The operands and attributes of a recurrent network. Time is the first axis of `x`. */
interface Network {
  readonly kind: Kind;
  readonly x: Operand;
  readonly weight: Operand;
  readonly recurrent: Operand;
  /** Both biases have the shape [directions, gates * hidden]. */
  readonly bias: Operand | undefined;
  readonly recurrentBias: Operand | undefined;
  readonly initial: Operand | undefined;
  readonly initialCell: Operand | undefined;
  readonly peephole: Operand | undefined;
  /** The length of each sequence; `undefined` if all have full length. */
  readonly lengths: Operand | undefined;
  readonly hidden: number;
  readonly directions: readonly string[];
  readonly functions: readonly string[];
  /** Applied to the state before it is multiplied by the weights. */
  readonly prepare?: Activation;
}

/** All states [steps, directions, batch, hidden]; the last states and cells [directions, batch, hidden]. */
interface States {
  readonly all: Operand;
  readonly last: Operand;
  readonly cell?: Operand | undefined;
}

const recurrent = (kind: Kind): Build => (node, _, weight, recurrent) => {
  const network = networkOf(node, kind, weight, recurrent);
  return resultsOf(node, native(node, network) ?? unrolled(node, network));
};

/** The outputs of the ONNX operator: Y, Y_h and Y_c. */
function resultsOf(node: NodeView, { all, last, cell }: States): RowResult {
  if (!isBatchFirst(node)) return [all, last, cell];
  return [all.transpose([2, 0, 1, 3]), last.transpose([1, 0, 2]), cell?.transpose([1, 0, 2])];
}

function isBatchFirst(node: NodeView): boolean {
  return node.since >= 14 && node.flag("layout");
}

function networkOf(node: NodeView, kind: Kind, weight: Operand, recurrent: Operand): Network {
  const timeFirst = (x?: Operand) => isBatchFirst(node) ? x?.transpose([1, 0, 2]) : x;
  const x = timeFirst(node.input(0))!;
  const [, , , bias, lengths, initial, initialCell, peephole] = node.inputs;
  const direction = node.string("direction", "forward");
  const directions = direction === "bidirectional" ? ["forward", "reverse"] : [direction];
  const { gates, functions } = KINDS[kind];
  const hidden = recurrent.shape[2]!;
  const known = lengths?.ifKnown();
  return {
    kind,
    x,
    weight,
    recurrent,
    bias: bias?.cut(1, 0, gates * hidden),
    recurrentBias: bias?.cut(1, gates * hidden, gates * hidden),
    initial: timeFirst(initial),
    initialCell: kind === "LSTM" ? timeFirst(initialCell) : undefined,
    peephole: kind === "LSTM" ? peephole : undefined,
    lengths: known && numbersOf(known).every((length) => length === x.shape[0]) ? undefined : lengths,
    hidden,
    directions,
    functions: node.strings("activations") ?? directions.flatMap(() => functions),
  };
}

const NATIVE: Readonly<Record<string, MLRecurrentNetworkActivation>> = {
  Relu: "relu",
  Sigmoid: "sigmoid",
  Tanh: "tanh",
};

/**
 * Uses WebNN's operator; `undefined` if it is not equivalent. It has no clip and no sequence lengths, both directions
 * use the same functions, and the peephole of its output gate sees the old cell, not the new one.
 */
function native(node: NodeView, network: Network): States | undefined {
  const { kind, functions, directions, lengths, peephole, x, weight, recurrent, hidden } = network;
  if (kind === "RNN" || lengths || peephole || node.hasAttribute("clip") || node.int("input_forget", 0) !== 0) {
    return undefined;
  }
  const own = functions.slice(0, functions.length / directions.length);
  const isSame = functions.every((name, i) => name === own[i % own.length]);
  const activations = own.map((name) => NATIVE[name]).filter((name) => name !== undefined);
  if (!isSame || activations.length < own.length) return undefined;
  const [first, second] = directions;
  const options = {
    bias: network.bias,
    recurrentBias: network.recurrentBias,
    initialHiddenState: network.initial,
    returnSequence: node.wants(0),
    direction: second ? "both" as const : first === "forward" ? "forward" as const : "backward" as const,
    activations,
  };
  const steps = x.shape[0]!;
  if (kind === "GRU") {
    const resetAfter = node.flag("linear_before_reset");
    const [last, all] = x.gru(weight, recurrent, steps, hidden, { ...options, resetAfter, layout: "zrn" });
    return { last: last!, all: all ?? last! };
  }
  const { initialCell: initialCellState } = network;
  const outputs = x.lstm(weight, recurrent, steps, hidden, { ...options, initialCellState, layout: "iofg" });
  const [last, cell, all] = outputs as [Operand, Operand, Operand?];
  return { last, cell, all: all ?? last };
}

/** The maximum number of steps to unroll, in both directions together. */
const MAXIMUM_STEPS = 1024;

function unrolled(node: NodeView, network: Network): States {
  const steps = network.x.shape[0]! * network.directions.length;
  if (steps > MAXIMUM_STEPS) {
    unsupported(
      `WebNN does not support these attributes, and ${steps} steps are not unrolled; the limit is ${MAXIMUM_STEPS}`,
    );
  }
  const runs = network.directions.map((_, i) => runDirection(node, network, i));
  const cells = runs.map(({ cell }) => cell).filter((cell) => cell !== undefined);
  return {
    all: stack(runs.map(({ all }) => all), 1),
    last: stack(runs.map(({ last }) => last), 0),
    cell: cells.length > 0 ? stack(cells, 0) : undefined,
  };
}

/**
 * Unrolls one direction of a network. At steps beyond the length of a sequence, its state does not change and its
 * outputs are zero.
 */
function runDirection(node: NodeView, network: Network, direction: number): States {
  const { x, hidden, lengths } = network;
  const [steps, batch] = x.shape as [number, number];
  const step = stepOf(node, network, direction);
  const start = (initial?: Operand) => initial?.pick(0, direction) ?? x.constant([batch, hidden], 0);
  let state = start(network.initial);
  let cell = network.kind === "LSTM" ? start(network.initialCell) : undefined;
  const order = range(0, steps);
  if (network.directions[direction] === "reverse") order.reverse();
  const outputs: Operand[] = [];
  for (const t of order) {
    const next = step(t, state, cell);
    const isRunning = lengths?.reshape([batch, 1]).greater(t);
    outputs[t] = isRunning?.where(next.state, 0) ?? next.state;
    if (cell) cell = isRunning?.where(next.cell!, cell) ?? next.cell;
    state = isRunning?.where(next.state, state) ?? next.state;
  }
  return { all: stack(outputs, 0), last: state, cell };
}

interface Step {
  readonly state: Operand;
  readonly cell?: Operand;
}

/** What the steps of one direction have in common. */
interface Gates {
  readonly recurrent: Operand;
  readonly bias: Operand | undefined;
  readonly peephole: Operand | undefined;
  readonly functions: readonly Activation[];
  readonly clip: Activation;
  readonly prepare: Activation;
  /** Selects gates of an operand that has all gates in its last axis. */
  part(x: Operand, gate: number, count?: number): Operand;
}

/**
 * Returns the function for one step. The inputs of all steps are multiplied by the weights at once, so that a step only
 * multiplies its state.
 */
function stepOf(node: NodeView, network: Network, direction: number) {
  const { kind, x, hidden, bias, prepare = (x) => x } = network;
  const [steps, batch, inputs] = x.shape as [number, number, number];
  const turned = (weights: Operand) => weights.pick(0, direction).transpose([1, 0]);
  const all = x.reshape([steps * batch, inputs]).matmul(turned(network.weight));
  const biased = bias ? all.add(bias.pick(0, direction)) : all;
  const apart = biased.reshape([steps, batch, KINDS[kind].gates * hidden]);
  const limit = node.hasAttribute("clip") ? node.float("clip") : undefined;
  const gates: Gates = {
    recurrent: turned(network.recurrent),
    bias: network.recurrentBias?.pick(0, direction),
    peephole: network.peephole?.pick(0, direction),
    functions: functionsOf(node, network, direction),
    clip: (x) => limit === undefined ? x : x.clamp({ minValue: -limit, maxValue: limit }),
    prepare,
    part: (x, gate, count = 1) => x.cut(x.rank - 1, gate * hidden, count * hidden),
  };
  const cells = { RNN: rnnCell, GRU: gruCell, LSTM: lstmCell };
  return (t: number, state: Operand, cell: Operand | undefined): Step =>
    cells[kind](node, gates, apart.pick(0, t), state, cell!);
}

function linear(state: Operand, recurrent: Operand, bias: Operand | undefined): Operand {
  const product = state.matmul(recurrent);
  return bias ? product.add(bias) : product;
}

function rnnCell(_: NodeView, { recurrent, bias, functions, clip }: Gates, x: Operand, state: Operand): Step {
  return { state: functions[0]!(clip(x.add(linear(state, recurrent, bias)))) };
}

function gruCell(node: NodeView, gates: Gates, x: Operand, state: Operand): Step {
  const { recurrent, bias, functions: [f, g], clip, part } = gates;
  const update = f!(clip(part(x, 0, 2).add(linear(state, part(recurrent, 0, 2), bias && part(bias, 0, 2)))));
  const [z, r] = [part(update, 0), part(update, 1)];
  const [inner, innerBias] = [part(recurrent, 2), bias && part(bias, 2)];
  const hidden = node.flag("linear_before_reset")
    ? r.mul(linear(state, inner, innerBias))
    : linear(r.mul(state), inner, innerBias);
  const candidate = g!(clip(part(x, 2).add(hidden)));
  return { state: z.scalar(1).sub(z).mul(candidate).add(z.mul(state)) };
}

/** The gates are in the order input, output, forget, cell. The peephole of the output gate uses the new cell. */
function lstmCell(node: NodeView, gates: Gates, x: Operand, state: Operand, cell: Operand): Step {
  const { recurrent, bias, peephole, functions: [f, g, h], clip, part, prepare } = gates;
  const sum = x.add(linear(prepare(state), recurrent, bias));
  const seen = (gate: number, of: Operand) =>
    peephole ? part(sum, gate).add(part(peephole, gate).mul(of)) : part(sum, gate);
  const i = f!(clip(seen(0, cell)));
  const forget = node.int("input_forget", 0) !== 0 ? i.scalar(1).sub(i) : f!(clip(seen(2, cell)));
  const next = forget.mul(cell).add(i.mul(g!(clip(part(sum, 3)))));
  const o = f!(clip(seen(1, next)));
  return { state: o.mul(h!(next)), cell: next };
}

/**
 * The functions that the attribute `activations` can name, each with the defaults of its parameters α and β, if any.
 */
const FUNCTIONS: Readonly<
  Record<string, readonly [of: (x: Operand, alpha: number, beta: number) => Operand, ...defaults: number[]]>
> = {
  Affine: [(x, alpha, beta) => x.linear({ alpha, beta }), 1, 0],
  Elu: [(x, alpha) => x.elu({ alpha }), 1],
  HardSigmoid: [(x, alpha, beta) => x.hardSigmoid({ alpha, beta }), 0.2, 0.5],
  LeakyRelu: [(x, alpha) => x.leakyRelu({ alpha }), 0.01],
  Relu: [(x) => x.relu()],
  ScaledTanh: [(x, alpha, beta) => x.mul(beta).tanh().mul(alpha), 1, 1],
  Sigmoid: [(x) => x.sigmoid()],
  Softplus: [(x) => x.softplus()],
  Softsign: [(x) => x.softsign()],
  Tanh: [(x) => x.tanh()],
  ThresholdedRelu: [(x, alpha) => x.greater(alpha).where(x, 0), 1],
};

/** `activation_alpha` has a value only for each function with α, in order; `activation_beta` likewise for β. */
function functionsOf(node: NodeView, { functions, directions }: Network, direction: number): Activation[] {
  const [alphas, betas] = [[...node.floats("activation_alpha") ?? []], [...node.floats("activation_beta") ?? []]];
  const all = functions.map((name): Activation => {
    const [of, alpha, beta] = FUNCTIONS[name] ?? unsupported(`the activation ${name} is not supported`);
    const a = alpha === undefined ? 0 : alphas.shift() ?? alpha;
    const b = beta === undefined ? 0 : betas.shift() ?? beta;
    return (x) => of(x, a, b);
  });
  const each = functions.length / directions.length;
  return all.slice(direction * each, (direction + 1) * each);
}

/**
 * DynamicQuantizeLSTM of com.microsoft: an LSTM with 8-bit weights [directions, inputs, gates]. Before they are
 * multiplied by the weights, its inputs and states are quantised, each tensor with one scale and zero point.
 */
function dynamicQuantizeLstm(node: NodeView): RowResult {
  const weights = (i: number, scaling: number) => {
    const fit = (values: Operand) => values.reshape([values.shape[0]!, 1, values.shape[1] ?? 1]);
    const [scale, zero] = [fit(node.input(scaling)), fit(node.input(scaling + 1))];
    return node.input(i).dequantizeLinear(scale, zero).transpose([0, 2, 1]);
  };
  const prepare = (x: Operand) => dequantize(dynamicallyQuantized(x), 0);
  const network = networkOf(node, "LSTM", weights(1, 8), weights(2, 10));
  return resultsOf(node, unrolled(node, { ...network, x: prepare(network.x), prepare }));
}

export const recurrents: Row[] = [
  ...rows("", {
    GRU: [[7, 14], 3, recurrent("GRU")],
    LSTM: [[7, 14], 3, recurrent("LSTM")],
    RNN: [[7, 14], 3, recurrent("RNN")],
  }),
  ...rows("com.microsoft", { DynamicQuantizeLSTM: [1, 3, dynamicQuantizeLstm] }),
];
