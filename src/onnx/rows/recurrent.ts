/**
 * RNN, GRU and LSTM: WebNN's own operators if they are equivalent; otherwise unrolled steps.
 *
 * @module
 */

import type { MLOperand } from "../../api/ml_operand.ts";
import type { MLRecurrentNetworkActivation } from "../../api/dictionaries.ts";
import type { NodeView } from "../node.ts";
import { type Row, type RowResult, rows } from "../row.ts";
import { calculate, cut, pick, range, stack } from "./calculation.ts";
import { dynamicallyRounded } from "./quantization.ts";

type Activation = (x: MLOperand) => MLOperand;
type Kind = "RNN" | "GRU" | "LSTM";

/** The number of gates, and the default functions of each direction. */
const KINDS: Readonly<Record<Kind, { gates: number; functions: readonly string[] }>> = {
  RNN: { gates: 1, functions: ["Tanh"] },
  GRU: { gates: 3, functions: ["Sigmoid", "Tanh"] },
  LSTM: { gates: 4, functions: ["Sigmoid", "Tanh", "Tanh"] },
};

/** A network without its kind; time is the first axis. */
interface Network {
  readonly kind: Kind;
  readonly x: MLOperand;
  readonly weight: MLOperand;
  readonly recurrent: MLOperand;
  /** Each has the shape [directions, gates * hidden]. */
  readonly bias: readonly [MLOperand, MLOperand] | undefined;
  readonly initial: MLOperand | undefined;
  readonly initialCell: MLOperand | undefined;
  readonly peephole: MLOperand | undefined;
  /** `undefined` if all sequences have full length. */
  readonly lengths: MLOperand | undefined;
  readonly hidden: number;
  readonly directions: readonly ("forward" | "reverse")[];
  readonly functions: readonly string[];
  /** Applied to a state before its product with the weights. */
  readonly prepare?: Activation;
}

/** All states [steps, directions, batch, hidden], and the last ones [directions, batch, hidden]. */
interface States {
  readonly all: MLOperand;
  readonly last: MLOperand;
  readonly cell?: MLOperand | undefined;
}

const recurrent = (kind: Kind) => (node: NodeView): RowResult => {
  const network = networkOf(node, kind, node.input(1), node.input(2));
  return resultsOf(node, native(node, network) ?? unrolled(node, network));
};

/** Y, the last states, and the last cells. */
function resultsOf(node: NodeView, states: States): RowResult {
  const isBatchFirst = node.since >= 14 && node.flag("layout");
  const outer = (x: MLOperand) => isBatchFirst ? node.transpose(x, [1, 0, 2]) : x;
  const all = node.wants(0) ? (isBatchFirst ? node.transpose(states.all, [2, 0, 1, 3]) : states.all) : undefined;
  const last = outer(states.last);
  return states.cell ? [all, last, outer(states.cell)] : [all, last];
}

function networkOf(node: NodeView, kind: Kind, weight: MLOperand, recurrent: MLOperand): Network {
  const isBatchFirst = node.since >= 14 && node.flag("layout");
  const timeFirst = (x: MLOperand | undefined) => x && isBatchFirst ? node.transpose(x, [1, 0, 2]) : x;
  const x = timeFirst(node.input(0))!;
  const direction = node.string("direction", "forward");
  const directions = direction === "bidirectional"
    ? ["forward", "reverse"] as const
    : [direction as "forward" | "reverse"];
  const { gates, functions } = KINDS[kind];
  const hidden = recurrent.shape[2]!;
  const bias = node.optional(3);
  return {
    kind,
    x,
    weight,
    recurrent,
    bias: bias && [cut(node, bias, 1, 0, gates * hidden), cut(node, bias, 1, gates * hidden, gates * hidden)],
    initial: timeFirst(node.optional(5)),
    initialCell: kind === "LSTM" ? timeFirst(node.optional(6)) : undefined,
    peephole: kind === "LSTM" ? node.optional(7) : undefined,
    lengths: lengthsOf(node, x.shape[0]!),
    hidden,
    directions,
    functions: node.strings("activations") ?? directions.flatMap(() => functions),
  };
}

function lengthsOf(node: NodeView, steps: number): MLOperand | undefined {
  const known = node.ifKnown(4);
  if (known && node.neededNumbers(4).every((length) => length === steps)) return undefined;
  return node.optional(4);
}

const NATIVE: Readonly<Record<string, MLRecurrentNetworkActivation>> = {
  Relu: "relu",
  Sigmoid: "sigmoid",
  Tanh: "tanh",
};

/**
 * Whether WebNN's operator is equivalent: it has no clip and no lengths, and both directions have the same functions.
 */
function native(node: NodeView, network: Network): States | undefined {
  const { kind, functions, directions, lengths, peephole, x, hidden, bias, initial, initialCell } = network;
  if (kind === "RNN" || lengths || peephole || node.hasAttribute("clip") || node.int("input_forget", 0) !== 0) {
    return undefined;
  }
  const own = functions.slice(0, functions.length / directions.length);
  const isSame = functions.every((name, i) => name === own[i % own.length]);
  const activations = own.map((name) => NATIVE[name]).filter((name) => name !== undefined);
  if (!isSame || activations.length < own.length) return undefined;
  const options = {
    ...bias && { bias: bias[0], recurrentBias: bias[1] },
    ...initial && { initialHiddenState: initial },
    returnSequence: node.wants(0),
    direction: directions.length === 2
      ? "both" as const
      : directions[0] === "forward"
      ? "forward" as const
      : "backward" as const,
    activations,
  };
  const [weight, recurrent, steps] = [network.weight, network.recurrent, x.shape[0]!];
  if (kind === "GRU") {
    const resetAfter = node.int("linear_before_reset", 0) !== 0;
    const outputs = node.builder.gru(x, weight, recurrent, steps, hidden, { ...options, resetAfter, layout: "zrn" });
    return { last: outputs[0]!, all: outputs[1] ?? outputs[0]! };
  }
  const cells = initialCell && { initialCellState: initialCell };
  const outputs = node.builder.lstm(x, weight, recurrent, steps, hidden, { ...options, ...cells, layout: "iofg" });
  return { last: outputs[0]!, cell: outputs[1]!, all: outputs[2] ?? outputs[0]! };
}

/** The maximum number of steps to unroll, in both directions together. */
const MAXIMUM_STEPS = 1024;

function unrolled(node: NodeView, network: Network): States {
  if (network.x.shape[0]! * network.directions.length > MAXIMUM_STEPS) node.refuse("too many steps to unroll");
  const runs = network.directions.map((_, i) => runDirection(node, network, i));
  const cells = runs.map(({ cell }) => cell).filter((cell) => cell !== undefined);
  return {
    all: stack(node, runs.map(({ all }) => all), 1),
    last: stack(node, runs.map(({ last }) => last), 0),
    cell: cells.length > 0 ? stack(node, cells, 0) : undefined,
  };
}

/** Runs one direction of a network. After its end, a sequence keeps its state and its outputs are zero. */
function runDirection(node: NodeView, network: Network, direction: number): States {
  const { x, hidden, lengths } = network;
  const [steps, batch] = x.shape as [number, number];
  const { where } = calculate(node);
  const step = stepOf(node, network, direction);
  const zeros = () => node.constant(x.dataType, [batch, hidden], 0);
  const start = (initial: MLOperand | undefined) => initial ? pick(node, initial, 0, direction) : zeros();
  let state = start(network.initial);
  let cell = network.kind === "LSTM" ? start(network.initialCell) : undefined;
  const order = range(0, steps);
  if (network.directions[direction] === "reverse") order.reverse();
  const outputs: MLOperand[] = [];
  for (const t of order) {
    const next = step(t, state, cell);
    const isRunning = lengths && node.builder.greater(node.reshape(lengths, [batch, 1]), node.scalar(lengths, t));
    outputs[t] = isRunning ? where(isRunning, next.state, 0) : next.state;
    if (cell) cell = isRunning ? where(isRunning, next.cell!, cell) : next.cell!;
    state = isRunning ? where(isRunning, next.state, state) : next.state;
  }
  return { all: stack(node, outputs, 0), last: state, cell };
}

interface Step {
  readonly state: MLOperand;
  readonly cell?: MLOperand | undefined;
}

/**
 * The products of the inputs with the weights are computed for all steps at once; each step only multiplies its state.
 */
function stepOf(node: NodeView, network: Network, direction: number) {
  const { kind, x, hidden, bias } = network;
  const { builder } = node;
  const [steps, batch, inputs] = x.shape as [number, number, number];
  const turned = (weights: MLOperand) => builder.transpose(pick(node, weights, 0, direction), { permutation: [1, 0] });
  const all = builder.matmul(node.reshape(x, [steps * batch, inputs]), turned(network.weight));
  const biased = bias ? builder.add(all, pick(node, bias[0], 0, direction)) : all;
  const apart = node.reshape(biased, [steps, batch, KINDS[kind].gates * hidden]);
  const gates: Gates = {
    recurrent: turned(network.recurrent),
    bias: bias && pick(node, bias[1], 0, direction),
    functions: functionsOf(node, network, direction),
    clip: clipOf(node),
    prepare: network.prepare ?? ((x) => x),
    part: (x, gate, count = 1) => cut(node, x, x.shape.length - 1, gate * hidden, count * hidden),
  };
  const peephole = network.peephole && pick(node, network.peephole, 0, direction);
  const cells = { RNN: rnnCell, GRU: gruCell, LSTM: lstmCell };
  return (t: number, state: MLOperand, cell: MLOperand | undefined) =>
    cells[kind](node, gates, pick(node, apart, 0, t), state, cell!, peephole);
}

interface Gates {
  readonly recurrent: MLOperand;
  readonly bias: MLOperand | undefined;
  readonly functions: readonly Activation[];
  readonly clip: Activation;
  readonly prepare: Activation;
  /** Selects gates of an operand that has all gates in its last axis. */
  part(x: MLOperand, gate: number, count?: number): MLOperand;
}

function linear(node: NodeView, state: MLOperand, recurrent: MLOperand, bias: MLOperand | undefined): MLOperand {
  const product = node.builder.matmul(state, recurrent);
  return bias ? node.builder.add(product, bias) : product;
}

function rnnCell(node: NodeView, { recurrent, bias, functions, clip }: Gates, x: MLOperand, state: MLOperand): Step {
  return { state: functions[0]!(clip(node.builder.add(x, linear(node, state, recurrent, bias)))) };
}

function gruCell(node: NodeView, gates: Gates, x: MLOperand, state: MLOperand): Step {
  const { recurrent, bias, functions: [f, g], clip, part } = gates;
  const { add, mul, sub } = calculate(node);
  const half = part(recurrent, 0, 2);
  const update = f!(clip(add(part(x, 0, 2), linear(node, state, half, bias && part(bias, 0, 2)))));
  const [z, r] = [part(update, 0), part(update, 1)];
  const [inner, innerBias] = [part(recurrent, 2), bias && part(bias, 2)];
  const hidden = node.int("linear_before_reset", 0) !== 0
    ? mul(r, linear(node, state, inner, innerBias))
    : linear(node, mul(r, state), inner, innerBias);
  const candidate = g!(clip(add(part(x, 2), hidden)));
  return { state: add(mul(sub(1, z), candidate), mul(z, state)) };
}

/** The gates are in the order input, output, forget, cell. The output's peephole uses the new cell. */
function lstmCell(
  node: NodeView,
  gates: Gates,
  x: MLOperand,
  state: MLOperand,
  cell: MLOperand,
  peephole: MLOperand | undefined,
): Step {
  const { recurrent, bias, functions: [f, g, h], clip, part, prepare } = gates;
  const { add, mul, sub } = calculate(node);
  const sum = add(x, linear(node, prepare(state), recurrent, bias));
  const seen = (gate: number, of: MLOperand) =>
    peephole ? add(part(sum, gate), mul(part(peephole, gate), of)) : part(sum, gate);
  const i = f!(clip(seen(0, cell)));
  const forget = node.int("input_forget", 0) !== 0 ? sub(1, i) : f!(clip(seen(2, cell)));
  const next = add(mul(forget, cell), mul(i, g!(clip(part(sum, 3)))));
  const o = f!(clip(seen(1, next)));
  return { state: mul(o, h!(next)), cell: next };
}

function clipOf(node: NodeView): Activation {
  if (!node.hasAttribute("clip")) return (x) => x;
  const limit = node.float("clip");
  return (x) => node.builder.clamp(x, { minValue: -limit, maxValue: limit });
}

/** The default parameters of a function. */
const PARAMETERS: Readonly<Record<string, readonly number[]>> = {
  Affine: [1, 0],
  LeakyRelu: [0.01],
  ThresholdedRelu: [1],
  ScaledTanh: [1, 1],
  HardSigmoid: [0.2, 0.5],
  Elu: [1],
};

/** `activation_alpha` and `activation_beta` list values in order, for the functions that have the parameter. */
function functionsOf(node: NodeView, { functions, directions }: Network, direction: number): Activation[] {
  const [alphas, betas] = [[...node.floats("activation_alpha") ?? []], [...node.floats("activation_beta") ?? []]];
  const all = functions.map((name) => {
    const [alpha, beta] = PARAMETERS[name] ?? [];
    const a = alpha === undefined ? 0 : alphas.shift() ?? alpha;
    const b = beta === undefined ? 0 : betas.shift() ?? beta;
    return (x: MLOperand) => activation(node, name, x, a, b);
  });
  const each = functions.length / directions.length;
  return all.slice(direction * each, (direction + 1) * each);
}

function activation(node: NodeView, name: string, x: MLOperand, alpha: number, beta: number): MLOperand {
  const { builder } = node;
  const { mul, greater, where } = calculate(node);
  switch (name) {
    case "Relu":
      return builder.relu(x);
    case "Tanh":
      return builder.tanh(x);
    case "Sigmoid":
      return builder.sigmoid(x);
    case "Affine":
      return builder.linear(x, { alpha, beta });
    case "LeakyRelu":
      return builder.leakyRelu(x, { alpha });
    case "ThresholdedRelu":
      return where(greater(x, alpha), x, 0);
    case "ScaledTanh":
      return mul(builder.tanh(mul(x, beta)), alpha);
    case "HardSigmoid":
      return builder.hardSigmoid(x, { alpha, beta });
    case "Elu":
      return builder.elu(x, { alpha });
    case "Softsign":
      return builder.softsign(x);
    case "Softplus":
      return builder.softplus(x);
    default:
      return node.refuse(`the activation ${name} is not supported`);
  }
}

/**
 * For com.microsoft: an LSTM with 8-bit weights [directions, inputs, gates]. Its inputs and states are quantised, each
 * as a whole, before they are multiplied by the weights.
 */
function dynamicQuantizeLstm(node: NodeView): RowResult {
  const weights = (i: number, scale: number) => {
    const x = node.input(i);
    const fit = (values: MLOperand) => node.reshape(values, [values.shape[0]!, 1, values.shape[1] ?? 1]);
    const wide = node.builder.dequantizeLinear(x, fit(node.input(scale)), fit(node.input(scale + 1)));
    return node.transpose(wide, [0, 2, 1]);
  };
  const prepare = (x: MLOperand) => dynamicallyRounded(node, x);
  const network = networkOf(node, "LSTM", weights(1, 8), weights(2, 10));
  return resultsOf(node, unrolled(node, { ...network, x: prepare(network.x), prepare }));
}

export const recurrents: Row[] = [
  ...rows("", {
    GRU: [[7, 14], recurrent("GRU")],
    LSTM: [[7, 14], recurrent("LSTM")],
    RNN: [[7, 14], recurrent("RNN")],
  }),
  ...rows("com.microsoft", { DynamicQuantizeLSTM: [[1], dynamicQuantizeLstm] }),
];
