/**
 * Infers the types of the results of operations for which that is simple. coremltools checks the others.
 *
 * @module
 */
import type { MilConstant, MilOperation, MilTensorType, MilType, MilValue } from "../../src/backends/coreml/mil.ts";
import { broadcast, elementCount, type Shape } from "../../src/shape.ts";

/**
 * Returns the types of the results, an error message, or `undefined` if they depend on values that are not constant.
 */
type Rule = (operation: Operands) => readonly MilTensorType[] | string | undefined;

/** The parameters of an operation, for a rule. */
interface Operands {
  /** A parameter with one value. */
  one(name: string): MilValue;
  /** A parameter with several values. */
  list(name: string): readonly MilValue[];
  /** The elements of an integer parameter; `undefined` if it is not constant. */
  integers(name: string): number[] | undefined;
  /** A string parameter. */
  text(name: string): string;
}

const same: Rule = ({ one }) => [one("x")];

const broadcasting = (dataType?: MilType): Rule => ({ one }) => {
  const shape = broadcast(one("x").shape, one("y").shape);
  return shape ? [{ dataType: dataType ?? one("x").dataType, shape }] : "x and y do not broadcast";
};

const reducing: Rule = ({ one, integers }) => {
  const { dataType, shape } = one("x");
  const axes = integers("axes")?.map((axis) => axis < 0 ? axis + shape.length : axis) ?? shape.map((_, axis) => axis);
  if (axes.some((axis) => axis >= shape.length)) return `axes [${axes}] exceed rank ${shape.length}`;
  return [{ dataType, shape: reduced(shape, axes, integers("keep_dims")![0] === 1) }];
};

const argReducing: Rule = ({ one, integers, text }) => {
  const { shape } = one("x");
  const axis = (integers("axis")![0]! + shape.length) % shape.length;
  const dataType = text("output_dtype") as MilType;
  return [{ dataType, shape: reduced(shape, [axis], integers("keep_dims")![0] === 1) }];
};

function reduced(shape: Shape, axes: readonly number[], keepsDimensions: boolean): Shape {
  if (keepsDimensions) return shape.map((dimension, axis) => axes.includes(axis) ? 1 : dimension);
  return shape.filter((_, axis) => !axes.includes(axis));
}

const UNARY =
  "abs batch_norm ceil clip cos cumsum elu erf exp floor gelu identity instance_norm inverse layer_norm leaky_relu log " +
  "logical_not prelu relu reverse round sigmoid sigmoid_hard sign sin softmax softplus softsign sqrt tan tanh";
const BINARY = "add floor_div maximum minimum mod mul pow real_div sub";
const PREDICATES = "equal greater greater_equal less less_equal logical_and logical_or logical_xor not_equal";
const REDUCTIONS =
  "reduce_l1_norm reduce_l2_norm reduce_log_sum reduce_log_sum_exp reduce_max reduce_mean reduce_min reduce_prod " +
  "reduce_sum reduce_sum_square";

const RULES: Readonly<Record<string, Rule>> = {
  ...rules(UNARY, same),
  ...rules(BINARY, broadcasting()),
  ...rules(PREDICATES, broadcasting("bool")),
  ...rules(REDUCTIONS, reducing),
  ...rules("reduce_argmax reduce_argmin", argReducing),
  cast: ({ one, text }) => [{ dataType: text("dtype") as MilType, shape: one("x").shape }],
  concat({ list, integers }) {
    const [first] = list("values") as [MilValue];
    const axis = (integers("axis")![0]! + first.shape.length) % first.shape.length;
    const total = list("values").reduce((sum, { shape }) => sum + shape[axis]!, 0);
    return [{ dataType: first.dataType, shape: first.shape.with(axis, total) }];
  },
  expand_dims({ one, integers }) {
    const { dataType, shape } = one("x");
    const axes = integers("axes")!.map((axis) => axis < 0 ? axis + shape.length + integers("axes")!.length : axis);
    return [{
      dataType,
      shape: axes.toSorted((a, b) => a - b).reduce((s, axis) => s.toSpliced(axis, 0, 1), [...shape]),
    }];
  },
  gather({ one, integers }) {
    const { dataType, shape } = one("x");
    const axis = (integers("axis")![0]! + shape.length) % shape.length;
    if (integers("batch_dims")![0] !== 0) return undefined;
    return [{ dataType, shape: shape.toSpliced(axis, 1, ...one("indices").shape) }];
  },
  gather_along_axis: ({ one }) => [{ dataType: one("x").dataType, shape: one("indices").shape }],
  pad({ one, integers }) {
    const { dataType, shape } = one("x");
    const pad = integers("pad");
    const first = pad && shape.length - pad.length / 2;
    return pad && [{
      dataType,
      shape: shape.map((dimension, axis) =>
        axis < first! ? dimension : dimension + pad[(axis - first!) * 2]! + pad[(axis - first!) * 2 + 1]!
      ),
    }];
  },
  reshape({ one, integers }) {
    const shape = integers("shape");
    if (shape === undefined || shape.some((dimension) => dimension <= 0)) return undefined;
    const { dataType, shape: from } = one("x");
    return elementCount(shape) === elementCount(from)
      ? [{ dataType, shape }]
      : `[${from}] and [${shape}] have different numbers of elements`;
  },
  scatter_along_axis: ({ one }) => [one("data")],
  scatter_nd: ({ one }) => [one("data")],
  select({ one }) {
    const shape = broadcast(one("a").shape, one("b").shape);
    return shape ? [{ dataType: one("a").dataType, shape }] : "a and b do not broadcast";
  },
  split({ one, integers }) {
    const { dataType, shape } = one("x");
    const axis = (integers("axis")![0]! + shape.length) % shape.length;
    return integers("split_sizes")?.map((size) => ({ dataType, shape: shape.with(axis, size) }));
  },
  squeeze: ({ one, integers }) => {
    const { dataType, shape } = one("x");
    const axes = integers("axes")?.map((axis) => axis < 0 ? axis + shape.length : axis);
    return axes && [{ dataType, shape: shape.filter((_, axis) => !axes.includes(axis)) }];
  },
  tile: ({ one, integers }) => {
    const { dataType, shape } = one("x");
    return [{ dataType, shape: shape.map((dimension, axis) => dimension * integers("reps")![axis]!) }];
  },
  transpose({ one, integers }) {
    const { dataType, shape } = one("x");
    const perm = integers("perm")!;
    const isPermutation = perm.length === shape.length && new Set(perm).size === perm.length;
    return isPermutation
      ? [{ dataType, shape: perm.map((axis) => shape.at(axis)!) }]
      : `[${perm}] is not a permutation`;
  },
};

/** The types of an operation's results, an error message, or `undefined` if there is no rule. */
export function resultsOf(operation: MilOperation): readonly MilTensorType[] | string | undefined {
  const parameter = (name: string) => (operation.inputs[name] ?? operation.attributes?.[name])!;
  const one = (name: string) => [parameter(name)].flat()[0]!;
  return RULES[operation.type]?.({
    one,
    list: (name) => [parameter(name)].flat(),
    integers: (name) => parameter(name) && elementsOf(one(name)),
    text: (name) => (one(name) as MilConstant).data as string,
  });
}

function elementsOf(value: MilValue): number[] | undefined {
  const { dataType, data } = value as Partial<MilConstant>;
  if (data === undefined || typeof data === "string") return undefined;
  if (dataType === "bool") return [...data];
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return Array.from({ length: data.byteLength / 4 }, (_, i) => view.getInt32(i * 4, true));
}

/** The same rule for several operations, separated by spaces. */
function rules(names: string, rule: Rule): Record<string, Rule> {
  return Object.fromEntries(names.split(" ").map((name) => [name, rule]));
}
