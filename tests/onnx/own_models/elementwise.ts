/**
 * Models with elementwise operators and reductions.
 *
 * @module
 */

import { binary, REDUCTIONS, softmax, UNARY } from "../reference.ts";
import { at, make, reduceAxes, reshape, sum, type Tensor64 } from "../tensor64.ts";
import { float, floats, integers, list, MICROSOFT, type OwnModel, scalar } from "./model.ts";

/** The ranges in which functions are tested. */
const DOMAINS: Readonly<Record<string, readonly [number, number]>> = {
  Acos: [-1, 1],
  Acosh: [1, 9],
  Asin: [-1, 1],
  Atanh: [-0.99, 0.99],
  Log: [0.1, 9],
  Reciprocal: [0.2, 4],
  Sqrt: [0, 9],
  Tan: [-1.4, 1.4],
};

/** The parameters that the reference uses. */
const PARAMETERS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  Celu: { alpha: 1.5 },
  Elu: { alpha: 1.5 },
  HardSigmoid: { alpha: 0.3, beta: 0.4 },
  LeakyRelu: { alpha: 0.1 },
  QuickGelu: { alpha: 1.3 },
  Selu: { alpha: 1.5, gamma: 1.1 },
  Shrink: { lambd: 0.7, bias: 0.2 },
  ThresholdedRelu: { alpha: 0.5 },
};

function unaryModels(): OwnModel[] {
  return Object.entries(UNARY).map(([op, compute]) => {
    const x = floats([3, 7], ...DOMAINS[op] ?? [-4, 4] as const);
    const attributes = Object.fromEntries(
      Object.entries(PARAMETERS[op] ?? {}).map(([key, value]) => [key, float(value)]),
    );
    const outputs = [make(x.shape, (p) => compute(at(x, p)))];
    return {
      name: op,
      op,
      opset: 22,
      ...op === "QuickGelu" && { domain: MICROSOFT },
      attributes,
      inputs: [x],
      outputs,
    };
  });
}

function binaryModels(): OwnModel[] {
  const arithmetic = ["Add", "Sub", "Mul", "Div", "Max", "Min", "Pow", "Mod", "PRelu"].map((op): OwnModel => {
    const [a, b] = [floats([2, 3, 4], op === "Pow" ? 0.1 : -4, 4), floats([3, 1], 0.5, 3)];
    return {
      name: op,
      op,
      inputs: [a, b],
      ...op === "Mod" && { attributes: { fmod: 1 } },
      outputs: [binary(op, a, b)],
    };
  });
  const comparisons = ["Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual"].map((op): OwnModel => {
    const [a, b] = [integers([4, 5], 0, 2, "int32"), integers([5], 0, 2, "int32")];
    return { name: op, op, inputs: [a, b], outputs: [binary(op, a, b, "bool")] };
  });
  return [...arithmetic, ...comparisons];
}

function reductionModels(): OwnModel[] {
  return Object.entries(REDUCTIONS).flatMap(([op, combine]): OwnModel[] => {
    const x = floats([2, 3, 4], 0.1, 2);
    const kept = reduceAxes(x, [1], combine);
    const whole = reduceAxes(x, [0, 1, 2], combine);
    return [
      { name: `${op} along an axis, kept`, op, opset: 18, inputs: [x, list("int64", -2)], outputs: [kept] },
      {
        name: `${op} of opset 13, whole`,
        op,
        opset: op === "ReduceSum" ? 13 : 11,
        attributes: { keepdims: 0 },
        inputs: [x],
        outputs: [reshape(whole, [])],
      },
    ];
  });
}

function positionModels(): OwnModel[] {
  const x = integers([3, 6], 0, 3, "int32");
  const best = (compare: (a: number, b: number) => boolean) =>
    make([3, 1], ([row]) => {
      let found = 0;
      for (let i = 1; i < 6; i++) if (compare(at(x, [row!, i]), at(x, [row!, found]))) found = i;
      return found;
    }, "int64");
  const attributes = { axis: 1 };
  const sorted = Array.from({ length: 3 }, (_, row) => {
    return Array.from({ length: 6 }, (_, i) => i).sort((a, b) => at(x, [row, b]) - at(x, [row, a]) || a - b);
  });
  const sums = (element: (row: number, i: number) => number) => make([3, 6], ([row, i]) => element(row!, i!), "int32");
  return [
    { name: "ArgMax", op: "ArgMax", attributes, inputs: [x], outputs: [best((a, b) => a > b)] },
    {
      name: "ArgMax, last index",
      op: "ArgMax",
      attributes: { axis: 1, select_last_index: 1 },
      inputs: [x],
      outputs: [best((a, b) => a >= b)],
    },
    { name: "ArgMin", op: "ArgMin", attributes, inputs: [x], outputs: [best((a, b) => a < b)] },
    {
      name: "ArgMin, last index",
      op: "ArgMin",
      attributes: { axis: 1, select_last_index: 1 },
      inputs: [x],
      outputs: [best((a, b) => a <= b)],
    },
    {
      name: "TopK with equal elements",
      op: "TopK",
      inputs: [x, list("int64", 4)],
      outputs: [
        make([3, 4], ([row, i]) => at(x, [row!, sorted[row!]![i!]!]), "int32"),
        make([3, 4], ([row, i]) => sorted[row!]![i!]!, "int64"),
      ],
    },
    {
      name: "CumSum",
      op: "CumSum",
      inputs: [x, scalar("int32", 1)],
      outputs: [sums((row, i) => sum(i + 1, (k) => at(x, [row, k])))],
    },
    {
      name: "CumSum, exclusive and reverse",
      op: "CumSum",
      attributes: { exclusive: 1, reverse: 1 },
      inputs: [x, scalar("int32", -1)],
      outputs: [sums((row, i) => sum(5 - i, (k) => at(x, [row, i + 1 + k])))],
    },
  ];
}

function softmaxModels(): OwnModel[] {
  const x = floats([2, 3, 4]);
  const flat = (y: Tensor64) => reshape(softmax(reshape(y, [2, 12]), 1), [2, 3, 4]);
  const log = (y: Tensor64) => make(y.shape, (p) => Math.log(at(y, p)));
  return [
    { name: "Softmax of one axis", op: "Softmax", attributes: { axis: 1 }, inputs: [x], outputs: [softmax(x, 1)] },
    { name: "Softmax of opset 11", op: "Softmax", opset: 11, inputs: [x], outputs: [flat(x)] },
    {
      name: "LogSoftmax of one axis",
      op: "LogSoftmax",
      attributes: { axis: 0 },
      inputs: [x],
      outputs: [log(softmax(x, 0))],
    },
    { name: "LogSoftmax of opset 11", op: "LogSoftmax", opset: 11, inputs: [x], outputs: [log(flat(x))] },
  ];
}

/** The models of this family. */
export const elementwiseModels: readonly OwnModel[] = [
  ...unaryModels(),
  ...binaryModels(),
  ...reductionModels(),
  ...positionModels(),
  ...softmaxModels(),
];
