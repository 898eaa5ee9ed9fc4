/**
 * One step of a neural-network optimiser as a WebNN graph over 1 M parameters. Inputs are parameter, gradient and
 * state; outputs are the new parameter and state, which stay on the device between steps. Values that depend on the
 * step number are scalar inputs, so one graph works for all steps. The formulas are those of PyTorch's documentation.
 *
 * @module
 */
import type { Network } from "../../examples/inference.ts";
import { assertCloseElements } from "./check.ts";
import { randomArray } from "./random_array.ts";
import type { Suite } from "./suite.ts";

const PARAMETERS = 2 ** 20;
const RATE = 1e-3;
const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-8;
const WEIGHT_DECAY = 1e-2;
const MOMENTUM_DECAY = 4e-3;
/** The step of the suites: not the first one, and early enough for the corrections to matter. */
const STEP = 10;

/** The arithmetic of a step, on operands or numbers. */
export interface Arithmetic<T> {
  number(value: number): T;
  add(a: T, b: T): T;
  sub(a: T, b: T): T;
  mul(a: T, b: T): T;
  div(a: T, b: T): T;
  max(a: T, b: T): T;
  abs(a: T): T;
  sqrt(a: T): T;
}

/** Parameter, gradient and the two moments. */
export interface State<T> {
  readonly parameter: T;
  readonly gradient: T;
  readonly first: T;
  readonly second: T;
}

/** An optimiser. */
export interface Optimizer {
  readonly name: string;
  /** The scalars that depend on the step number. */
  scalars(step: number): Record<string, number>;
  update<T>(math: Arithmetic<T>, state: State<T>, scalars: Record<string, T>): Omit<State<T>, "gradient">;
}

/** `decay · old + (1 − decay) · new`. */
function blend<T>(math: Arithmetic<T>, decay: number, old: T, fresh: T): T {
  return math.add(math.mul(math.number(decay), old), math.mul(math.number(1 - decay), fresh));
}

function moments<T>(math: Arithmetic<T>, { gradient, first, second }: State<T>): { first: T; second: T } {
  return {
    first: blend(math, BETA1, first, gradient),
    second: blend(math, BETA2, second, math.mul(gradient, gradient)),
  };
}

/** `√second · correction + ε`. */
function denominator<T>(math: Arithmetic<T>, second: T, correction: T): T {
  return math.add(math.mul(math.sqrt(second), correction), math.number(EPSILON));
}

const adam: Optimizer = {
  name: "adam",
  scalars: (step) => ({ rate: RATE / (1 - BETA1 ** step), correction: 1 / Math.sqrt(1 - BETA2 ** step) }),
  update(math, state, { rate, correction }) {
    const { first, second } = moments(math, state);
    const change = math.div(math.mul(rate!, first), denominator(math, second, correction!));
    return { parameter: math.sub(state.parameter, change), first, second };
  },
};

const adamW: Optimizer = {
  name: "adamw",
  scalars: adam.scalars,
  update(math, state, scalars) {
    const parameter = math.mul(state.parameter, math.number(1 - RATE * WEIGHT_DECAY));
    return adam.update(math, { ...state, parameter }, scalars);
  },
};

/** RAdam: does not adapt the rate until there are enough steps to estimate the variance of the second moment. */
const rAdam: Optimizer = {
  name: "radam",
  scalars(step) {
    const maxLength = 2 / (1 - BETA2) - 1;
    const length = maxLength - 2 * step * BETA2 ** step / (1 - BETA2 ** step);
    const rate = RATE / (1 - BETA1 ** step);
    if (length <= 5) return { adaptive: 0, plain: rate };
    const numerator = (length - 4) * (length - 2) * maxLength;
    const rectification = Math.sqrt(numerator / ((maxLength - 4) * (maxLength - 2) * length));
    return { adaptive: rate * rectification * Math.sqrt(1 - BETA2 ** step), plain: 0 };
  },
  update(math, state, { adaptive, plain }) {
    const { first, second } = moments(math, state);
    const divisor = math.add(math.sqrt(second), math.number(EPSILON)); // Without the correction.
    const rate = math.add(math.div(adaptive!, divisor), plain!);
    return { parameter: math.sub(state.parameter, math.mul(rate, first)), first, second };
  },
};

const nAdam: Optimizer = {
  name: "nadam",
  scalars(step) {
    const momentum = (step: number) => BETA1 * (1 - 0.5 * 0.96 ** (step * MOMENTUM_DECAY));
    let product = 1;
    for (let i = 1; i <= step; i++) product *= momentum(i);
    return {
      ofGradient: RATE * (1 - momentum(step)) / (1 - product),
      ofFirst: RATE * momentum(step + 1) / (1 - product * momentum(step + 1)),
      correction: 1 / Math.sqrt(1 - BETA2 ** step),
    };
  },
  update(math, state, { ofGradient, ofFirst, correction }) {
    const { first, second } = moments(math, state);
    const direction = math.add(math.mul(ofGradient!, state.gradient), math.mul(ofFirst!, first));
    const change = math.div(direction, denominator(math, second, correction!));
    return { parameter: math.sub(state.parameter, change), first, second };
  },
};

/** Adamax: its second moment is a decaying maximum of the gradient's magnitude. */
const adamax: Optimizer = {
  name: "adamax",
  scalars: (step) => ({ rate: RATE / (1 - BETA1 ** step) }),
  update(math, { parameter, gradient, first: old, second: greatest }, { rate }) {
    const first = blend(math, BETA1, old, gradient);
    const fresh = math.add(math.abs(gradient), math.number(EPSILON));
    const second = math.max(math.mul(math.number(BETA2), greatest), fresh);
    return { parameter: math.sub(parameter, math.div(math.mul(rate!, first), second)), first, second };
  },
};

/** All optimisers. */
export const optimizers: readonly Optimizer[] = [adam, adamW, rAdam, nAdam, adamax];

/** The reference: the same arithmetic on numbers. */
export const plainArithmetic: Arithmetic<number> = {
  number: (value) => value,
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  max: Math.max,
  abs: Math.abs,
  sqrt: Math.sqrt,
};

/** Builds the graph of a step. */
export async function buildStep(context: MLContext, optimizer: Optimizer, size = PARAMETERS): Promise<Network> {
  const builder = new MLGraphBuilder(context);
  const math: Arithmetic<MLOperand> = {
    number: (value) => builder.constant("float32", value),
    add: (a, b) => builder.add(a, b),
    sub: (a, b) => builder.sub(a, b),
    mul: (a, b) => builder.mul(a, b),
    div: (a, b) => builder.div(a, b),
    max: (a, b) => builder.max(a, b),
    abs: (a) => builder.abs(a),
    sqrt: (a) => builder.sqrt(a),
  };
  const shapes: Record<string, readonly number[]> = {};
  const input = (name: string, shape: number[]) => {
    shapes[name] = shape;
    return builder.input(name, { dataType: "float32", shape });
  };
  const vector = (name: keyof State<unknown>) => input(name, [size]);
  const state = {
    parameter: vector("parameter"),
    gradient: vector("gradient"),
    first: vector("first"),
    second: vector("second"),
  };
  const scalars = Object.fromEntries(Object.keys(optimizer.scalars(1)).map((name) => [name, input(name, [1])]));
  const { parameter, first, second } = optimizer.update(math, state, scalars);
  const outputs = { new_parameter: parameter, new_first: first, new_second: second };
  const graph = await builder.build(outputs);
  return {
    graph,
    inputs: shapes,
    outputs: Object.fromEntries(Object.keys(outputs).map((name) => [name, [size]])),
  };
}

/** An initial state, similar to that after some steps. */
export function initialState(size = PARAMETERS): State<Float32Array<ArrayBuffer>> {
  return {
    parameter: randomArray(size, 1),
    gradient: randomArray(size, 2),
    first: randomArray(size, 3, 0.1),
    second: randomArray(size, 4).map((value) => 0.1 * value * value + 0.01),
  };
}

/** A step of the reference, in float64. */
export function plainStep(
  optimizer: Optimizer,
  { parameter, gradient, first, second }: State<ArrayLike<number>>,
  step: number,
): State<Float64Array> {
  const scalars = optimizer.scalars(step);
  const next = {
    parameter: new Float64Array(parameter.length),
    gradient: Float64Array.from(gradient),
    first: new Float64Array(parameter.length),
    second: new Float64Array(parameter.length),
  };
  for (let i = 0; i < parameter.length; i++) {
    const state = { parameter: parameter[i]!, gradient: gradient[i]!, first: first[i]!, second: second[i]! };
    const updated = optimizer.update(plainArithmetic, state, scalars);
    next.parameter[i] = updated.parameter;
    next.first[i] = updated.first;
    next.second[i] = updated.second;
  }
  return next;
}

/** One step as a suite. */
export function optimizerSuite(optimizer: Optimizer, name: string = optimizer.name, size = PARAMETERS): Suite {
  return {
    name,
    build: (context) => buildStep(context, optimizer, size),
    get inputs() {
      const scalars = Object.entries(optimizer.scalars(STEP)).map(([name, value]) => [name, Float32Array.of(value)]);
      return { ...initialState(size), ...Object.fromEntries(scalars) };
    },
    output: "new_parameter",
    check: (values) => assertCloseElements(values, plainStep(optimizer, initialState(size), STEP).parameter, 1e-6),
  };
}

/** One step of each over 1 M parameters. */
export const optimizerSuites: readonly Suite[] = optimizers.map((optimizer) => optimizerSuite(optimizer));
