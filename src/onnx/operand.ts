/**
 * The operands of rows: values of the model, with WebNN's operators as methods. A recorder computes an operator at once
 * if its operands are known and small; otherwise it adds the operator to the graph.
 *
 * @module
 */

import type { MLGraphBuilder } from "../api/ml_graph_builder.ts";
import type { MLOperand } from "../api/ml_operand.ts";
import type { MLOpSupportLimits } from "../api/support_limits.ts";
import { isFloat, isUnsigned, type MLOperandDataType } from "../data_type.ts";
import { elementCount, formatShape, sameShape } from "../shape.ts";
import type { MakeConstant } from "./constants.ts";
import { isPlain, operandType, type PlainType } from "./element_type.ts";
import { unsupported } from "./errors.ts";
import { evaluate } from "./evaluate/evaluate.ts";
import type { ElementType, KnownTensor } from "./model.ts";
import { type Computed, isKnown, knownTensor, numbersOf, sizeOf, type Value, withShape } from "./value.ts";

/** The operators of WebNN whose operands may be numbers. A number gets the type of the other operand. */
const WITH_NUMBERS = [
  ...["add", "sub", "mul", "div", "max", "min", "pow", "where"],
  ...["equal", "notEqual", "greater", "greaterOrEqual", "lesser", "lesserOrEqual"],
] as const;

/** The other operators that are methods of operands. */
const OPERATORS = [
  ...["abs", "argMax", "argMin", "averagePool2d", "batchNormalization", "ceil", "clamp", "conv2d", "convTranspose2d"],
  ...["cos", "cumulativeSum", "dequantizeLinear", "elu", "erf", "exp", "floor", "gatherElements", "gatherND", "gelu"],
  ...["gemm", "gru", "hardSigmoid", "hardSwish", "identity", "instanceNormalization", "isInfinite", "isNaN"],
  ...["l2Pool2d", "layerNormalization", "leakyRelu", "linear", "log", "logicalAnd", "logicalNot", "logicalOr"],
  ...["logicalXor", "lstm", "matmul", "maxPool2d", "neg", "pad", "prelu", "quantizeLinear", "reciprocal", "reduceL1"],
  ...["reduceL2", "reduceLogSum", "reduceLogSumExp", "reduceMax", "reduceMean", "reduceMin", "reduceProduct"],
  ...["reduceSum", "reduceSumSquare", "relu", "resample2d", "reverse", "roundEven", "scatterElements", "scatterND"],
  ...["sigmoid", "sign", "sin", "slice", "softmax", "softplus", "softsign", "sqrt", "tan", "tanh", "tile"],
  ...["triangular"],
] as const;

type NameWithNumbers = typeof WITH_NUMBERS[number];
type MethodName = NameWithNumbers | typeof OPERATORS[number];

/** The name of an operator that rows use. */
export type OperatorName = MethodName | "cast" | "concat" | "expand" | "gather" | "reshape" | "transpose";

/** An argument of a builder's method, with `Operand` in place of `MLOperand`. */
type Argument<T, Literal> = T extends MLOperand ? Operand | Literal
  : T extends readonly unknown[] ? T
  : T extends object ? { [Key in keyof T]: Argument<T[Key], never> | undefined }
  : T;

type Arguments<Name extends MethodName> = Parameters<MLGraphBuilder[Name]> extends [unknown, ...infer Rest]
  ? { [Key in keyof Rest]: Argument<Rest[Key], Name extends NameWithNumbers ? number : never> }
  : never;

type Methods = {
  readonly [Name in MethodName]: (
    ...args: Arguments<Name>
  ) => ReturnType<MLGraphBuilder[Name]> extends MLOperand ? Operand : Operand[];
};

export interface Operand extends Methods {}

/**
 * A value of the model, known or computed. Each operator of WebNN is a method: it computes the result if all operands
 * are known and small; otherwise it adds the operator to the graph.
 */
export class Operand {
  constructor(readonly recorder: Recorder, readonly value: Value) {}

  /** The type in the model. */
  get type(): ElementType {
    return this.value.type;
  }

  /** The type in which WebNN computes. */
  get dataType(): MLOperandDataType {
    return operandType(this.value.type, this.recorder.limits);
  }

  get shape(): readonly number[] {
    return this.value.shape;
  }

  get rank(): number {
    return this.shape.length;
  }

  /** The number of elements. */
  get size(): number {
    return elementCount(this.shape);
  }

  get isFloat(): boolean {
    return isFloat(this.dataType);
  }

  get isUnsigned(): boolean {
    return isUnsigned(this.dataType);
  }

  /** Converts an axis that may count from the end to one that counts from 0. */
  axis(axis: number, rank: number = this.rank): number {
    const from0 = axis < 0 ? axis + rank : axis;
    if (!(Number.isInteger(from0) && from0 >= 0 && from0 < rank)) {
      unsupported(`axis ${axis} is out of range for rank ${rank}`);
    }
    return from0;
  }

  /** Converts axes that may count from the end to axes that count from 0. */
  axes(axes: readonly number[], rank?: number): number[] {
    return axes.map((axis) => this.axis(axis, rank));
  }

  /** The elements. They then determine the graph. If they cannot be known, the node is rejected. */
  known(what: string): KnownTensor {
    return this.recorder.host.demand(this.value, what);
  }

  /** The elements as numbers. */
  numbers(what: string): number[] {
    return numbersOf(this.known(what));
  }

  /** The only element. */
  number(what: string): number {
    return this.numbers(what)[0] ?? unsupported(`${what} is empty`);
  }

  /**
   * The value if it is known or a weight; otherwise `undefined`. Unlike `known()`, it never makes the graph depend on
   * the elements of an input.
   */
  ifKnown(): KnownTensor | undefined {
    if (isKnown(this.value)) return this.value;
    return this.recorder.isWeight(this.value) ? this.known("a weight") : undefined;
  }

  /** A constant of the same type. `elements` is a list, or one number that fills the shape. */
  constant(shape: readonly number[], elements: number | bigint | Iterable<number | bigint>): Operand {
    return constant(this.recorder, this.#plainType(), shape, elements);
  }

  /** A scalar constant of the same type. */
  scalar(value: number | bigint): Operand {
    return constant(this.recorder, this.#plainType(), [], value);
  }

  #plainType(): PlainType {
    const type = isPlain(this.type) ? this.type : this.dataType;
    return isPlain(type) ? type : unsupported(`constants of type ${type} must come from the model`);
  }

  /** 0, 1, 2, … along one axis, in a shape that broadcasts along the others. */
  positions(axis: number, type: PlainType = "int32"): Operand {
    const shape = this.shape.map((size, i) => i === axis ? size : 1);
    return constant(this.recorder, type, shape, range(0, shape[axis]!));
  }

  /** A value without elements: one dimension of the shape is 0. */
  empty(shape: readonly number[]): Operand {
    return new Operand(this.recorder, { type: this.type, shape, bytes: new Uint8Array(0) });
  }

  /** Casts to another type. Needs no operator if WebNN uses the same data type for both. */
  cast(type: ElementType): Operand {
    if (this.type === type) return this;
    const isSame = !isKnown(this.value) && this.dataType === operandType(type, this.recorder.limits);
    return isSame ? new Operand(this.recorder, { ...this.value as Computed, type }) : this.#call("cast", type);
  }

  reshape(shape: readonly number[]): Operand {
    if (sameShape(this.shape, shape)) return this;
    if (elementCount(shape) !== this.size) {
      unsupported(`${formatShape(this.shape)} cannot be reshaped to ${formatShape(shape)}`);
    }
    return this.recorder.reshaped(this, shape);
  }

  transpose(permutation: readonly number[]): Operand {
    return permutation.every((axis, i) => axis === i) ? this : this.#call("transpose", { permutation });
  }

  expand(shape: readonly number[]): Operand {
    if (sameShape(this.shape, shape)) return this;
    return shape.includes(0) ? this.empty(shape) : this.#call("expand", shape);
  }

  gather(indices: Operand, axis: number): Operand {
    const shape = this.shape.toSpliced(axis, 1, ...indices.shape);
    return shape.includes(0) ? this.empty(shape) : this.#call("gather", indices, { axis });
  }

  /** Gathers the slices at known positions along an axis. */
  gatherAt(positions: readonly number[], axis: number): Operand {
    return this.gather(constant(this.recorder, "int32", [positions.length], positions), axis);
  }

  /** Slices an axis: takes `count` positions, `start`, `start + stride`, and so on. */
  cut(axis: number, start: number, count: number, stride = 1): Operand {
    const { shape } = this;
    if (start === 0 && stride === 1 && count === shape[axis]) return this;
    const cut = shape.with(axis, count);
    if (cut.includes(0)) return this.empty(cut);
    const starts = shape.map((_, i) => i === axis ? start : 0);
    const strides = shape.map((_, i) => i === axis && count > 1 ? stride : 1);
    return this.slice(starts, shape.with(axis, (count - 1) * stride + 1), { strides });
  }

  /** The slice at one position of an axis, without that axis. */
  pick(axis: number, position: number): Operand {
    return this.cut(axis, position, 1).reshape(this.shape.toSpliced(axis, 1));
  }

  /** Pads one axis with zeros. */
  padAxis(axis: number, before: number, after: number): Operand {
    if (before + after === 0) return this;
    const at = (count: number) => this.shape.map((_, i) => i === axis ? count : 0);
    return this.pad(at(before), at(after));
  }

  /** Reshapes a vector to `rank` dimensions: its elements lie along `axis`, and the other dimensions are 1. */
  along(axis: number, rank: number): Operand {
    return this.reshape(range(0, rank).map((i) => i === axis ? this.size : 1));
  }

  #call(name: OperatorName, ...args: readonly unknown[]): Operand {
    return this.recorder.call(name, [this, ...args]) as Operand;
  }
}

for (const name of OPERATORS) {
  Object.defineProperty(Operand.prototype, name, {
    value(this: Operand, ...args: unknown[]) {
      return this.recorder.call(name, [this, ...args]);
    },
  });
}

for (const name of WITH_NUMBERS) {
  Object.defineProperty(Operand.prototype, name, {
    value(this: Operand, ...args: (Operand | number)[]) {
      const operands = name === "where" ? [this, ...withoutNumbers(args)] : withoutNumbers([this, ...args]);
      return this.recorder.call(name, operands);
    },
  });
}

/** Replaces numbers by constants of the type of the first operand. */
function withoutNumbers(terms: readonly (Operand | number)[]): Operand[] {
  const like = terms.find((term) => typeof term !== "number") ?? unsupported("a formula needs an operand");
  return terms.map((term) => typeof term === "number" ? like.scalar(term) : term);
}

/** The integers from `from` up to `to`, exclusive. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
}

/** A constant. `elements` is a list, or one number that fills the shape. */
export function constant(
  recorder: Recorder,
  type: PlainType,
  shape: readonly number[],
  elements: number | bigint | Iterable<number | bigint>,
): Operand {
  const list = typeof elements === "object" ? elements : new Array<typeof elements>(elementCount(shape)).fill(elements);
  return new Operand(recorder, knownTensor(type, shape, list));
}

/** Concatenates operands along an axis. */
export function join(operands: readonly Operand[], axis: number): Operand {
  const parts = operands.filter(({ shape }) => shape[axis] !== 0);
  const [first = operands[0]!] = parts;
  return parts.length < 2 ? first : first.recorder.call("concat", [parts, axis]) as Operand;
}

/** Stacks operands of the same shape along a new axis. */
export function stack(operands: readonly Operand[], axis: number): Operand {
  return join(operands.map((operand) => operand.reshape(operand.shape.toSpliced(axis, 0, 1))), axis);
}

const NO_SOURCES: ReadonlySet<string> = new Set();

/** Equal known values of up to this size become one constant. */
const MAX_SHARED_BYTES = 8;

/** What a recorder needs from its walk. */
export interface Host {
  /** Creates the constants of the graph. */
  makeConstant(): MakeConstant;
  /**
   * The elements of a known value. Otherwise it throws: either the walk notes the demand, and the next walk knows the
   * elements; or they cannot be known, and the node is unsupported.
   */
  demand(value: Value, what: string): KnownTensor;
}

/** The recorder for a graph of a builder. */
export class Recorder {
  /** The inputs and constants: WebNN does not allow them as outputs of a graph. */
  readonly leaves = new Set<MLOperand>();
  /** The constants of known values. The key of a small value is its type, shape and elements. */
  readonly #constants = new Map<KnownTensor | string, MLOperand>();
  /** For each known value or operand, what it was reshaped to, by type and shape. */
  readonly #shapes = new Map<KnownTensor | MLOperand, Map<string, Operand>>();

  constructor(
    readonly builder: MLGraphBuilder,
    readonly limits: MLOpSupportLimits,
    readonly host: Host,
  ) {}

  /** Computes an operator on known values, or adds it to the graph. */
  call(name: OperatorName, args: readonly unknown[]): Operand | Operand[] {
    const values: Value[] = [];
    for (let i = 0; i < args.length; i++) collectValues(args[i], values);
    if (values.every(isKnown)) {
      const result = evaluate(name, args.map(withValues), this.limits);
      if (result) return new Operand(this, result);
    }
    checkTypes(name, values);
    let sources = NO_SOURCES;
    for (const value of values) if (!isKnown(value)) sources = unite(sources, value.sources);
    const lowered: unknown[] = [];
    for (let i = 0; i < args.length; i++) lowered.push(this.#lower(args[i]));
    if (name === "cast") lowered[1] = operandType(args[1] as ElementType, this.limits);
    const result = (this.builder[name] as (...args: unknown[]) => MLOperand | MLOperand[])(...lowered);
    const wrap = (operand: MLOperand) => new Operand(this, computed(operand, resultType(name, args, operand), sources));
    return Array.isArray(result) ? result.map(wrap) : wrap(result);
  }

  /** The value of an input; of a weight, if `source` is `undefined`. */
  leaf(operand: MLOperand, type: ElementType, source?: string): Computed {
    this.leaves.add(operand);
    return computed(operand, type, source === undefined ? NO_SOURCES : new Set([source]));
  }

  /** Converts an argument for the builder: operands become its operands. */
  #lower(argument: unknown): unknown {
    if (typeof argument !== "object" || argument === null) return argument;
    if (argument instanceof Operand) return this.operandOf(argument.value);
    if (Array.isArray(argument)) return isOperands(argument) ? argument.map((item) => this.#lower(item)) : argument;
    const lowered: Record<string, unknown> = {};
    for (const key in argument) lowered[key] = this.#lower(argument[key as keyof typeof argument]);
    return lowered;
  }

  /** The operand of a value. A known value becomes a constant, which is created only once, as are equal small ones. */
  operandOf(value: Value): MLOperand {
    if (!isKnown(value)) return value.operand;
    const key = sizeOf(value) > MAX_SHARED_BYTES ? value : `${value.type}[${value.shape}]${value.bytes}`;
    let operand = this.#constants.get(key);
    if (!operand) {
      operand = this.host.makeConstant()(this.builder, value, this.limits);
      this.#constants.set(key, operand);
      this.leaves.add(operand);
    }
    return operand;
  }

  /** An operand in another shape of the same size, made once, so that it becomes only one constant or operator. */
  reshaped(operand: Operand, shape: readonly number[]): Operand {
    const { value } = operand;
    const shapes = this.#shapes.getOrInsertComputed(isKnown(value) ? value : value.operand, () => new Map());
    const key = `${value.type}[${shape}]`;
    let reshaped = shapes.get(key);
    if (!reshaped) {
      reshaped = isKnown(value)
        ? new Operand(this, withShape(value, shape))
        : this.call("reshape", [operand, shape]) as Operand;
      shapes.set(key, reshaped);
    }
    return reshaped;
  }

  /** Whether a value is a weight that was moved to a tensor. */
  isWeight(value: Value): boolean {
    return !isKnown(value) && value.sources.size === 0 && this.leaves.has(value.operand);
  }
}

function computed(operand: MLOperand, type: ElementType, sources: ReadonlySet<string>): Computed {
  return { operand, type, shape: operand.shape, sources, key: "", root: "" };
}

/** The operators whose result has the type of their first operand; for `where`, of the second. */
const KEEPING: ReadonlySet<OperatorName> = new Set(
  [
    ...["concat", "expand", "gather", "gatherElements", "gatherND", "identity", "max", "min", "pad", "reduceMax"],
    ...["reduceMin", "reshape", "reverse", "scatterElements", "scatterND", "slice", "tile", "transpose", "where"],
  ] as const,
);

/** The operators whose result is a bool. */
const DECIDING: ReadonlySet<OperatorName> = new Set(
  [
    ...["equal", "greater", "greaterOrEqual", "isInfinite", "isNaN", "lesser", "lesserOrEqual", "logicalAnd"],
    ...["logicalNot", "logicalOr", "logicalXor", "notEqual"],
  ] as const,
);

/** The operators whose result has a type of its own, so that no 16-bit result has to wrap. */
const CONVERTING: ReadonlySet<OperatorName> = new Set(["argMax", "argMin", "cast"] as const);

/** Rejects arithmetic on 16-bit integers: WebNN computes them as int32, which does not wrap at 16 bits. */
function checkTypes(name: OperatorName, values: readonly Value[]): void {
  if (KEEPING.has(name) || DECIDING.has(name) || CONVERTING.has(name)) return;
  for (const { type } of values) {
    if (type === "int16" || type === "uint16") unsupported("16-bit integers would wrap, but WebNN's int32 does not");
  }
}

/** The type that a result has in the model. */
function resultType(name: OperatorName, args: readonly unknown[], result: MLOperand): ElementType {
  if (name === "cast") return args[1] as ElementType;
  if (DECIDING.has(name)) return "bool";
  if (!KEEPING.has(name)) return result.dataType;
  const kept = args[name === "where" ? 1 : 0] as Operand | readonly Operand[];
  return kept instanceof Operand ? kept.type : kept[0]!.type;
}

/** Collects the values of the operands in an argument: an operand, a list of them, or options that contain some. */
function collectValues(argument: unknown, into: Value[]): void {
  if (typeof argument !== "object" || argument === null) return;
  if (argument instanceof Operand) into.push(argument.value);
  else if (!Array.isArray(argument)) { for (const option of Object.values(argument)) collectValues(option, into); }
  else if (isOperands(argument)) { for (const { value } of argument) into.push(value); }
}

/** Whether a list contains operands, not numbers or strings. */
function isOperands(list: readonly unknown[]): list is readonly Operand[] {
  return list[0] instanceof Operand;
}

function withValues(argument: unknown): unknown {
  if (Array.isArray(argument)) return argument.map(withValues);
  return argument instanceof Operand ? argument.value : argument;
}

function unite(a: ReadonlySet<string>, b: ReadonlySet<string>): ReadonlySet<string> {
  if (a.size === 0 || a === b) return b;
  return b.isSubsetOf(a) ? a : a.union(b);
}
