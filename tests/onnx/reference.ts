/**
 * A simple, slow float64 reference of ONNX's operators, written from their definitions. It shares no code with the
 * importer and its engines.
 *
 * @see https://onnx.ai/onnx/operators/
 * @module
 */

import {
  at,
  broadcast,
  make,
  matmul,
  positions,
  reduceAxes,
  reshape,
  spread,
  sum,
  type Tensor64,
  transpose,
} from "./tensor64.ts";

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const roundEven = (x: number) => {
  const floor = Math.floor(x);
  const rest = x - floor;
  return rest < 0.5 || (rest === 0.5 && floor % 2 === 0) ? floor : floor + 1;
};

/** The error function, by its Taylor series. */
function erf(x: number): number {
  if (Math.abs(x) > 5) return Math.sign(x);
  let [term, total] = [x, x];
  for (let n = 1; n < 200; n++) {
    term *= -x * x / n;
    total += term / (2 * n + 1);
  }
  return total * 2 / Math.sqrt(Math.PI);
}

/** Functions of one number, with the parameters used in the tests. */
export const UNARY: Readonly<Record<string, (x: number) => number>> = {
  Abs: Math.abs,
  Acos: Math.acos,
  Acosh: Math.acosh,
  Asin: Math.asin,
  Asinh: Math.asinh,
  Atan: Math.atan,
  Atanh: Math.atanh,
  Ceil: Math.ceil,
  Celu: (x) => Math.max(0, x) + Math.min(0, 1.5 * (Math.exp(x / 1.5) - 1)),
  Cos: Math.cos,
  Cosh: Math.cosh,
  Elu: (x) => x > 0 ? x : 1.5 * (Math.exp(x) - 1),
  Erf: erf,
  Exp: Math.exp,
  Floor: Math.floor,
  Gelu: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  HardSigmoid: (x) => Math.max(0, Math.min(1, 0.3 * x + 0.4)),
  HardSwish: (x) => x * Math.max(0, Math.min(1, x / 6 + 0.5)),
  LeakyRelu: (x) => x < 0 ? 0.1 * x : x,
  Log: Math.log,
  Mish: (x) => x * Math.tanh(softplus(x)),
  Neg: (x) => -x,
  QuickGelu: (x) => x * sigmoid(1.3 * x),
  Reciprocal: (x) => 1 / x,
  Relu: (x) => Math.max(0, x),
  Round: roundEven,
  Selu: (x) => 1.1 * (x > 0 ? x : 1.5 * Math.exp(x) - 1.5),
  Shrink: (x) => x < -0.7 ? x + 0.2 : x > 0.7 ? x - 0.2 : 0,
  Sigmoid: sigmoid,
  Sign: Math.sign,
  Sin: Math.sin,
  Sinh: Math.sinh,
  Softplus: softplus,
  Softsign: (x) => x / (1 + Math.abs(x)),
  Sqrt: Math.sqrt,
  Tan: Math.tan,
  Tanh: Math.tanh,
  ThresholdedRelu: (x) => x > 0.5 ? x : 0,
};

/** Functions of two numbers. */
export const BINARY: Readonly<Record<string, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
  Max: Math.max,
  Min: Math.min,
  Pow: (a, b) => a ** b,
  Mod: (a, b) => a % b,
  PRelu: (a, b) => a < 0 ? a * b : a,
  Equal: (a, b) => Number(a === b),
  Greater: (a, b) => Number(a > b),
  Less: (a, b) => Number(a < b),
  GreaterOrEqual: (a, b) => Number(a >= b),
  LessOrEqual: (a, b) => Number(a <= b),
};

/** An operator with two operands that are broadcast. */
export function binary(name: string, a: Tensor64, b: Tensor64, type: Tensor64["type"] = "float32"): Tensor64 {
  return make(broadcast(a.shape, b.shape), (p) => BINARY[name]!(spread(a, p), spread(b, p)), type);
}

const total = (list: number[]) => list.reduce((a, b) => a + b, 0);

/** Reductions of a list to a number. */
export const REDUCTIONS: Readonly<Record<string, (list: number[]) => number>> = {
  ReduceL1: (list) => total(list.map(Math.abs)),
  ReduceL2: (list) => Math.sqrt(total(list.map((x) => x * x))),
  ReduceLogSum: (list) => Math.log(total(list)),
  ReduceLogSumExp: (list) => Math.log(total(list.map(Math.exp))),
  ReduceMax: (list) => Math.max(...list),
  ReduceMean: (list) => total(list) / list.length,
  ReduceMin: (list) => Math.min(...list),
  ReduceProd: (list) => list.reduce((a, b) => a * b, 1),
  ReduceSum: total,
  ReduceSumSquare: (list) => total(list.map((x) => x * x)),
};

/** Softmax along one axis. */
export function softmax(x: Tensor64, axis: number): Tensor64 {
  const sums = reduceAxes(x, [axis], (list) => total(list.map(Math.exp)));
  return make(x.shape, (p) => Math.exp(at(x, p)) / at(sums, p.with(axis, 0)));
}

/** The options of windows, one item per axis. */
export interface Windows64 {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly pads: readonly number[];
}

/** The number of windows along each axis. */
function outputSizes(
  sizes: readonly number[],
  { kernel, strides, dilations, pads }: Windows64,
  ceil = false,
): number[] {
  return sizes.map((size, i) => {
    const room = size + pads[i]! + pads[i + sizes.length]! - dilations[i]! * (kernel[i]! - 1) - 1;
    const number = (ceil ? Math.ceil : Math.floor)(room / strides[i]!) + 1;
    return ceil && (number - 1) * strides[i]! >= size + pads[i]! ? number - 1 : number;
  });
}

/** The position of a window's element in the input. */
function places(
  window: readonly number[],
  offset: readonly number[],
  { strides, dilations, pads }: Windows64,
): number[] {
  return window.map((w, i) => w * strides[i]! + offset[i]! * dilations[i]! - pads[i]!);
}

/** A convolution over any number of axes. */
export function conv(x: Tensor64, w: Tensor64, bias: Tensor64 | undefined, windows: Windows64, groups = 1): Tensor64 {
  const [n, , ...sizes] = x.shape as [number, number, ...number[]];
  const [outputs, inputs] = w.shape as [number, number];
  const taps = positions(windows.kernel);
  return make([n, outputs, ...outputSizes(sizes, windows)], ([b, o, ...window]) => {
    const first = Math.floor(o! / (outputs / groups)) * inputs;
    const products = taps.flatMap((tap) => {
      const place = places(window, tap, windows);
      return Array.from({ length: inputs }, (_, i) => at(x, [b!, first + i, ...place]) * at(w, [o!, i, ...tap]));
    });
    return total(products) + (bias?.data[o!] ?? 0);
  });
}

/** A transposed convolution: each element of the input is spread by the filter. */
export function convTranspose(
  x: Tensor64,
  w: Tensor64,
  windows: Windows64,
  outputPadding: readonly number[],
  groups = 1,
): Tensor64 {
  const [n, c, ...sizes] = x.shape as [number, number, ...number[]];
  const { kernel, strides, dilations, pads } = windows;
  const perGroup = w.shape[1]!;
  const out = sizes.map((size, i) => {
    return (size - 1) * strides[i]! + dilations[i]! * (kernel[i]! - 1) + 1 + outputPadding[i]! - pads[i]! -
      pads[i + sizes.length]!;
  });
  return make([n, perGroup * groups, ...out], ([b, o, ...place]) => {
    const group = Math.floor(o! / perGroup);
    return total(
      positions(kernel).flatMap((tap) => {
        const from = place.map((p, i) => (p + pads[i]! - tap[i]! * dilations[i]!) / strides[i]!);
        if (!from.every(Number.isInteger)) return [];
        return Array.from({ length: c / groups }, (_, i) => {
          const channel = group * (c / groups) + i;
          return at(x, [b!, channel, ...from]) * at(w, [channel, o! % perGroup, ...tap]);
        });
      }),
    );
  });
}

/** A pool: `combine` gets the elements of a window, including those of the padding if `padded` is set. */
export function pool(
  x: Tensor64,
  windows: Windows64,
  combine: (list: number[]) => number,
  { ceil = false, padded = false } = {},
): Tensor64 {
  const [n, c, ...sizes] = x.shape as [number, number, ...number[]];
  const { pads } = windows;
  return make([n, c, ...outputSizes(sizes, windows, ceil)], ([b, channel, ...window]) => {
    const inside = positions(windows.kernel).map((tap) => places(window, tap, windows)).filter((place) =>
      place.every((p, i) => padded ? p < sizes[i]! + pads[i + sizes.length]! : p >= 0 && p < sizes[i]!)
    );
    return combine(inside.map((place) => at(x, [b!, channel!, ...place])));
  });
}

/** (x - mean) / √(variance + ε) over axes, times scale, plus bias; both are broadcast. */
export function normalize(
  x: Tensor64,
  axes: readonly number[],
  epsilon: number,
  scale?: Tensor64,
  bias?: Tensor64,
): Tensor64 {
  const mean = reduceAxes(x, axes, REDUCTIONS.ReduceMean!);
  const centred = make(x.shape, (p) => at(x, p) - spread(mean, p));
  const variance = reduceAxes(centred, axes, (list) => total(list.map((v) => v * v)) / list.length);
  return make(x.shape, (p) => {
    return at(centred, p) / Math.sqrt(spread(variance, p) + epsilon) * (scale ? spread(scale, p) : 1) +
      (bias ? spread(bias, p) : 0);
  });
}

/** x / √(mean of squares + ε) · scale over the last axis. */
export function rmsNormalize(x: Tensor64, epsilon: number, scale: Tensor64): Tensor64 {
  const square = reduceAxes(x, [x.shape.length - 1], (list) => total(list.map((v) => v * v)) / list.length);
  return make(x.shape, (p) => at(x, p) / Math.sqrt(spread(square, p) + epsilon) * spread(scale, p));
}

/** Interpolates along one axis with a kernel of `radius` elements to each side; border elements are repeated. */
export function resizeAxis(
  x: Tensor64,
  axis: number,
  target: number,
  place: (i: number) => number,
  kernel: (d: number) => number,
  radius: number,
): Tensor64 {
  const size = x.shape[axis]!;
  return make(x.shape.with(axis, target), (p) => {
    const position = place(p[axis]!);
    const first = Math.floor(position) - radius + 1;
    return sum(2 * radius, (i) => {
      const from = Math.max(0, Math.min(size - 1, first + i));
      return kernel(Math.abs(first + i - position)) * at(x, p.with(axis, from));
    });
  });
}

/** Keys' cubic kernel. */
export function cubic(d: number, a = -0.75): number {
  if (d >= 2) return 0;
  return d > 1 ? a * d ** 3 - 5 * a * d ** 2 + 8 * a * d - 4 * a : (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1;
}

/** Bilinear samples of [N, C, H, W] at a grid [N, h, w, 2], with zeros outside, and without aligned corners. */
export function gridSample(x: Tensor64, grid: Tensor64): Tensor64 {
  const [n, c, h, w] = x.shape as [number, number, number, number];
  return make([n, c, grid.shape[1]!, grid.shape[2]!], ([b, channel, i, j]) => {
    const column = ((at(grid, [b!, i!, j!, 0]) + 1) * w - 1) / 2;
    const row = ((at(grid, [b!, i!, j!, 1]) + 1) * h - 1) / 2;
    return total(
      positions([2, 2]).map(([dy, dx]) => {
        const [y, z] = [Math.floor(row) + dy!, Math.floor(column) + dx!];
        return (1 - Math.abs(row - y)) * (1 - Math.abs(column - z)) * at(x, [b!, channel!, y, z]);
      }),
    );
  });
}

/** The activation functions of recurrent networks. */
const GATES: Readonly<Record<string, (x: number) => number>> = {
  Sigmoid: sigmoid,
  Tanh: Math.tanh,
  Relu: UNARY.Relu!,
  Softsign: UNARY.Softsign!,
};

/** A recurrent network in one direction: x is [steps, batch, inputs]; weights have no axis for directions. */
export interface Recurrent64 {
  readonly x: Tensor64;
  readonly w: Tensor64;
  readonly r: Tensor64;
  readonly b: Tensor64;
  readonly state: Tensor64;
  readonly cell?: Tensor64;
  readonly peephole?: Tensor64;
  readonly functions: readonly string[];
  readonly reverse?: boolean;
  readonly linearBeforeReset?: boolean;
  readonly lengths?: readonly number[];
}

/** All states [steps, batch, hidden], the last state, and the last cell. */
export function recurrent(
  kind: "RNN" | "GRU" | "LSTM",
  network: Recurrent64,
): { all: Tensor64; last: Tensor64; cell: Tensor64 } {
  const { x, lengths } = network;
  const [steps, batch] = x.shape as [number, number];
  const hidden = network.r.shape[1]!;
  const all = Array.from({ length: steps }, () => new Array<number>(batch * hidden).fill(0));
  const [last, cells] = [[...network.state.data], [...network.cell?.data ?? network.state.data]];
  for (let n = 0; n < batch; n++) {
    const length = lengths?.[n] ?? steps;
    for (let i = 0; i < length; i++) {
      const t = network.reverse ? length - 1 - i : i;
      const input = Array.from({ length: x.shape[2]! }, (_, k) => at(x, [t, n, k]));
      const own = (list: readonly number[]) => list.slice(n * hidden, (n + 1) * hidden);
      const next = CELLS[kind](network, input, own(last), own(cells));
      last.splice(n * hidden, hidden, ...next.state);
      cells.splice(n * hidden, hidden, ...next.cell);
      all[t]!.splice(n * hidden, hidden, ...next.state);
    }
  }
  const state = (data: readonly number[]): Tensor64 => ({ type: "float32", shape: [batch, hidden], data });
  return {
    all: { type: "float32", shape: [steps, batch, hidden], data: all.flat() },
    last: state(last),
    cell: state(cells),
  };
}

type Cell = (network: Recurrent64, x: number[], h: number[], c: number[]) => { state: number[]; cell: number[] };

/** Row `row` of a matrix times a list. */
const dot = (w: Tensor64, row: number, list: readonly number[]) => sum(list.length, (k) => at(w, [row, k]) * list[k]!);

const CELLS: Readonly<Record<"RNN" | "GRU" | "LSTM", Cell>> = {
  RNN: ({ w, r, b, functions }, x, h) => {
    const state = h.map((_, i) =>
      GATES[functions[0]!]!(dot(w, i, x) + dot(r, i, h) + b.data[i]! + b.data[h.length + i]!)
    );
    return { state, cell: state };
  },
  GRU: ({ w, r, b, functions, linearBeforeReset }, x, h) => {
    const size = h.length;
    const [f, g] = functions.map((name) => GATES[name]!) as [(x: number) => number, (x: number) => number];
    const both = (row: number, state: readonly number[]) =>
      dot(w, row, x) + b.data[row]! + dot(r, row, state) + b.data[3 * size + row]!;
    const z = h.map((_, i) => f(both(i, h)));
    const reset = h.map((_, i) => f(both(size + i, h)));
    const kept = h.map((value, i) => value * reset[i]!);
    const candidate = h.map((_, i) => {
      const row = 2 * size + i;
      if (!linearBeforeReset) return g(both(row, kept));
      return g(dot(w, row, x) + b.data[row]! + reset[i]! * (dot(r, row, h) + b.data[3 * size + row]!));
    });
    const state = h.map((value, i) => (1 - z[i]!) * candidate[i]! + z[i]! * value);
    return { state, cell: state };
  },
  LSTM: ({ w, r, b, functions, peephole }, x, h, c) => {
    const size = h.length;
    const [f, g, out] = functions.map((name) => GATES[name]!) as ((x: number) => number)[];
    const gate = (n: number, i: number, seen: readonly number[]) => {
      const row = n * size + i;
      return dot(w, row, x) + dot(r, row, h) + b.data[row]! + b.data[4 * size + row]! +
        (peephole && n < 3 ? peephole.data[row]! * seen[i]! : 0);
    };
    const cell = h.map((_, i) => f!(gate(2, i, c)) * c[i]! + f!(gate(0, i, c)) * g!(gate(3, i, c)));
    const state = h.map((_, i) => f!(gate(1, i, cell)) * out!(cell[i]!));
    return { state, cell };
  },
};

/** Attention of [batch, heads, length, size] with a bias for the scores; groups of heads may share keys. */
export function attention(
  q: Tensor64,
  k: Tensor64,
  v: Tensor64,
  scale: number,
  bias: (at: readonly number[]) => number,
): Tensor64 {
  const [batch, heads, length] = q.shape as [number, number, number];
  const group = heads / k.shape[1]!;
  const shared = (x: Tensor64) =>
    make([batch, heads, x.shape[2]!, x.shape[3]!], ([b, h, ...rest]) => at(x, [b!, Math.floor(h! / group), ...rest]));
  const scores = matmul(q, transpose(shared(k), [0, 1, 3, 2]));
  const masked = make([batch, heads, length, k.shape[2]!], (p) => at(scores, p) * scale + bias(p));
  return matmul(softmax(masked, 3), shared(v));
}

/** Converts [batch, length, heads · size] to [batch, heads, length, size]. */
export function splitHeads(x: Tensor64, heads: number): Tensor64 {
  const [batch, length, width] = x.shape as [number, number, number];
  return transpose(reshape(x, [batch, length, heads, width / heads]), [0, 2, 1, 3]);
}

/** Converts [batch, heads, length, size] to [batch, length, heads · size]. */
export function mergeHeads(x: Tensor64): Tensor64 {
  const [batch, heads, length, size] = x.shape as [number, number, number, number];
  return reshape(transpose(x, [0, 2, 1, 3]), [batch, length, heads * size]);
}

/**
 * Rotates the pairs (i, i + half) of the last axis of [batch, heads, length, size] by the angles of their positions.
 */
export function rotate(
  x: Tensor64,
  cos: Tensor64,
  sin: Tensor64,
  position: (batch: number, row: number) => number,
): Tensor64 {
  const half = x.shape[3]! / 2;
  return make(x.shape, ([b, h, row, i]) => {
    const [angle, isFirst] = [i! % half, i! < half];
    const [c, s] = [cos, sin].map((cache) => at(cache, [position(b!, row!), angle])) as [number, number];
    const [a, z] = [at(x, [b!, h!, row!, angle]), at(x, [b!, h!, row!, angle + half])];
    return isFirst ? a * c - z * s : a * s + z * c;
  });
}

/** round(x / scale) + zero, clamped to the limits. */
export function quantize(x: number, scale: number, zero: number, [low, high]: readonly [number, number]): number {
  return Math.max(low, Math.min(high, roundEven(x / scale) + zero));
}

/** The discrete Fourier transform of real numbers along the last axis; the result has pairs. */
export function dft(x: Tensor64, frequencies: number): Tensor64 {
  const length = x.shape.at(-1)!;
  return make([...x.shape.slice(0, -1), frequencies, 2], (p) => {
    const [outer, k, part] = [p.slice(0, -2), p.at(-2)!, p.at(-1)!];
    return sum(length, (n) => {
      const angle = 2 * Math.PI * n * k / length;
      return at(x, [...outer, n]) * (part === 0 ? Math.cos(angle) : -Math.sin(angle));
    });
  });
}
