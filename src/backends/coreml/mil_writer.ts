/**
 * Collects the operations of an ML Program while a WebNN graph is lowered.
 *
 * Two rules apply to all values, so that lowerings need not deal with them. Core ML does not support 0-D tensors
 * everywhere, so a WebNN scalar is a tensor of shape `[1]`, which broadcasts the same way. And most operators support
 * no integers but int32, so integers of 8 and 4 bits are int32 values in the range of their type. A `bool` or 8-bit
 * integer, from an operation or a constant, is widened when it is used as an integer.
 *
 * @module
 */

import type { MLOperandDataType } from "../../data_type.ts";
import type { Value } from "../../graph/graph.ts";
import { broadcast, elementCount, sameShape, type Shape } from "../../shape.ts";
import { constantBytes, halfPrecision, transposeBytes } from "./constant_bytes.ts";
import type { MilConstant, MilOperation, MilProgram, MilTensorType, MilType, MilValue } from "./mil.ts";
import { widen } from "./widening.ts";

/** Options of the lowering. */
export interface LowerOptions {
  /** 8 needs macOS 14; 9 needs macOS 15 and keeps block-quantised weights as they are. */
  readonly specificationVersion: 8 | 9;
  /** Whether to compute float32 in float16, which the Neural Engine requires. Inputs and outputs stay float32. */
  readonly float16: boolean;
}

/** The parameters of an operation. */
export type MilInputs = Readonly<Record<string, MilValue | readonly MilValue[] | undefined>>;

/** The size limit of Core ML's arrays, in bytes. */
const MAX_BYTES = 2 ** 31 - 1;

/** Constants with more elements are hardly ever equal, so they are not compared. */
const MAX_SHARED_ELEMENTS = 64;

const BITS: Readonly<Record<MilType, number>> = {
  fp32: 32,
  fp16: 16,
  int32: 32,
  int8: 8,
  uint8: 8,
  int4: 4,
  uint4: 4,
  bool: 8,
  string: 0,
};

/** The MIL type of each data type, unless float32 is computed in float16. */
const TYPES: Readonly<Partial<Record<MLOperandDataType, MilType>>> = {
  float32: "fp32",
  float16: "fp16",
  int32: "int32",
  int8: "int32",
  uint8: "int32",
  int4: "int32",
  uint4: "int32",
};

/** The type of an input or output of a program. */
export function featureType(dataType: MLOperandDataType): "fp32" | "fp16" | "int32" {
  const type = TYPES[dataType];
  if (type === undefined) throw new TypeError(`Core ML does not support ${dataType}`);
  return type as "fp32" | "fp16" | "int32";
}

/** The shape of a WebNN value in a program: `[1]` for a scalar. */
export function milShape(shape: Shape): Shape {
  return shape.length === 0 ? [1] : shape;
}

/** Whether a value is a constant with known elements. */
export function isConstant(value: MilValue): value is MilConstant {
  return "data" in value;
}

/** A program under construction. Methods that add an operation return its output. */
export class MilWriter {
  readonly #values = new Map<Value, MilValue>();
  readonly #widened = new Map<MilValue, MilValue>();
  readonly #shared = new Map<string, MilConstant>();
  readonly #inputs: MilValue[] = [];
  readonly #constants = new Set<MilConstant>();
  readonly #operations: MilOperation[] = [];
  readonly #outputs = new Set<MilValue>();
  readonly #results = new Set<MilValue>();
  readonly #expressions = new Set<MilValue>();
  #label = "";
  #count = 0;
  #constantCount = 0;

  constructor(readonly options: LowerOptions) {}

  /** The program so far. */
  get program(): MilProgram {
    return {
      specificationVersion: this.options.specificationVersion,
      inputs: this.#inputs,
      constants: [...this.#constants],
      operations: this.#operations,
      outputs: [...this.#outputs],
    };
  }

  /** Declares an input of the program. */
  addInput(name: string, value: Value): MilValue {
    const dataType = featureType(value.dataType);
    const input = this.#addFeature(name, { dataType, shape: milShape(value.shape) });
    this.#values.set(value, this.cast(input, this.type(value.dataType)));
    return input;
  }

  /** Core ML requires an input. Adds one that an operation uses, but no result depends on. */
  addPlaceholder(): MilValue {
    this.setLabel("placeholder", "");
    const input = this.#addFeature("placeholder", { dataType: "fp32", shape: [1] });
    this.binary("add", input, input);
    return input;
  }

  #addFeature(name: string, type: MilTensorType): MilValue {
    const input = { name: `input_${identifier(name)}_${this.#inputs.length}`, ...type };
    this.#inputs.push(input);
    return input;
  }

  /** Declares a constant with the bytes of a WebNN tensor. */
  addConstant(value: Value, bytes: Uint8Array): void {
    this.#values.set(value, this.#userConstant(value, bytes));
  }

  /**
   * Declares an output of the program. Copies the value if it is not the output of an operation, or is already an
   * output of the program.
   */
  addOutput(value: Value): MilValue {
    this.setLabel("output", "");
    const result = this.cast(this.value(value), featureType(value.dataType));
    const output = this.#results.has(result) && !this.#outputs.has(result) ? result : this.unary("identity", result);
    this.#outputs.add(output);
    return output;
  }

  /** Assigns the results of a lowering to the outputs of a WebNN node. */
  bind(values: readonly Value[], results: readonly MilValue[]): void {
    values.forEach((value, i) => this.#values.set(value, results[i]!));
  }

  /** Sets the operator and label that the names of the following operations contain. */
  setLabel(operator: string, label: string): void {
    this.#label = label === "" ? operator : `${operator}_${identifier(label)}`;
  }

  /** The MIL type that values of a data type are computed in. */
  type(dataType: MLOperandDataType): MilType {
    return dataType === "float32" && this.options.float16 ? "fp16" : featureType(dataType);
  }

  /** An operand, in the type of {@linkcode MilWriter.type}. */
  value(operand: Value): MilValue {
    const value = this.native(operand);
    if (value.dataType === this.type(operand.dataType)) return value;
    const bytewise = isConstant(value) ? this.bytewise(value) : value;
    return this.#widened.getOrInsertComputed(value, () => this.cast(bytewise, this.type(operand.dataType)));
  }

  /** An operand as it is: a boolean may be `bool`, an integer may have 8 bits. */
  native(operand: Value): MilValue {
    const value = this.#values.get(operand);
    if (value === undefined) throw new Error(`Operand ${operand.id} is used before it is computed`);
    return value;
  }

  /** An operand as `bool`: any non-zero value is true. */
  truth(operand: Value): MilValue {
    return this.cast(this.native(operand), "bool");
  }

  /** The operand, if it is a constant. */
  constantOf(operand: Value | undefined): MilConstant | undefined {
    const value = operand && this.native(operand);
    return value && isConstant(value) ? value : undefined;
  }

  /** Adds an operation with one output. */
  op(type: string, inputs: MilInputs, output: MilTensorType): MilValue {
    return this.ops(type, inputs, [output])[0]!;
  }

  /** Adds an operation with several outputs. */
  ops(type: string, inputs: MilInputs, outputs: readonly MilTensorType[]): MilValue[] {
    const present = Object.entries(inputs).filter(([, input]) => input !== undefined) as [string, MilValue][];
    for (const input of present.flatMap(([, input]) => input)) if (isConstant(input)) this.#constants.add(input);
    const results = outputs.map((output) => this.#newResult(output));
    this.#operations.push({
      type,
      name: `${results[0]!.name}_op`,
      inputs: Object.fromEntries(present),
      outputs: results,
    });
    for (const result of results) this.#results.add(result);
    return results;
  }

  /**
   * Adds an operation that Core ML evaluates when it loads the model. Its output counts as a constant, which cannot be
   * an output of the program.
   */
  constantExpression(
    type: string,
    attributes: Readonly<Record<string, MilConstant>>,
    output: MilTensorType,
  ): MilValue {
    const result = this.#newResult(output);
    this.#operations.push({ type, name: `${result.name}_op`, inputs: {}, outputs: [result], attributes });
    this.#expressions.add(result);
    return result;
  }

  /** Whether Core ML knows a value when it loads the model, as some parameters require. */
  isKnown(value: MilValue): boolean {
    return isConstant(value) || this.#expressions.has(value);
  }

  #newResult({ dataType, shape }: MilTensorType): MilValue {
    const name = `${this.#label}_${this.#count++}`;
    const bytes = elementCount(shape) * BITS[dataType] / 8;
    if (bytes <= MAX_BYTES) return { name, dataType, shape };
    throw new RangeError(`${name}: a tensor has ${bytes} bytes as ${dataType}; Core ML supports at most ${MAX_BYTES}`);
  }

  /** An operation whose output has the type and shape of `x`. */
  unary(type: string, x: MilValue, parameters: MilInputs = {}): MilValue {
    return this.op(type, { x, ...parameters }, x);
  }

  /** An operation on two operands of the same type, which broadcast. */
  binary(type: string, x: MilValue, y: MilValue): MilValue {
    return this.op(type, { x, y }, { dataType: x.dataType, shape: this.#common(x.shape, y.shape) });
  }

  /** A comparison or logical operation, with a `bool` output. */
  predicate(type: string, x: MilValue, y: MilValue): MilValue {
    return this.op(type, { x, y }, { dataType: "bool", shape: this.#common(x.shape, y.shape) });
  }

  /**
   * `a` where the condition is true, else `b`. Core ML infers the shape from `a` and `b` alone, so one of them must
   * have it.
   */
  select(cond: MilValue, a: MilValue, b: MilValue): MilValue {
    const shape = this.#common(cond.shape, this.#common(a.shape, b.shape));
    const isWide = sameShape(this.#common(a.shape, b.shape), shape);
    return this.op("select", { cond, a: isWide ? a : this.expand(a, shape), b }, { dataType: a.dataType, shape });
  }

  #common(a: Shape, b: Shape): Shape {
    const shape = broadcast(a, b);
    if (shape === undefined) throw new Error(`${this.#label}: [${a}] and [${b}] do not broadcast`);
    return shape;
  }

  /** Converts to another type. */
  cast(x: MilValue, dataType: MilType): MilValue {
    if (x.dataType === dataType) return x;
    return this.op("cast", { x, dtype: this.text(dataType) }, { dataType, shape: x.shape });
  }

  /** Reshapes. A constant is reshaped at once, without an operation. */
  reshape(x: MilValue, shape: Shape): MilValue {
    if (sameShape(x.shape, shape)) return x;
    if (isConstant(x)) return { ...x, name: this.#constantName(), shape };
    return this.op("reshape", { x, shape: this.ints(shape) }, { dataType: x.dataType, shape });
  }

  /** Permutes the dimensions. A constant is permuted at once; an identity permutation does nothing. */
  transpose(x: MilValue, permutation: readonly number[]): MilValue {
    if (permutation.every((axis, i) => axis === i)) return x;
    const shape = permutation.map((axis) => x.shape[axis]!);
    if (isConstant(x)) {
      const data = transposeBytes(x.data as Uint8Array, x.shape, permutation);
      const constant: MilConstant = { ...x, name: this.#constantName(), shape, data };
      return constant;
    }
    return this.op("transpose", { x, perm: this.ints(permutation) }, { dataType: x.dataType, shape });
  }

  /** Broadcasts `x` to a shape. */
  expand(x: MilValue, shape: Shape): MilValue {
    const missing = shape.length - x.shape.length;
    const aligned = this.reshape(x, [...new Array<number>(missing).fill(1), ...x.shape]);
    return this.tile(aligned, shape.map((dimension, axis) => dimension / aligned.shape[axis]!));
  }

  /** Repeats a value along each dimension. */
  tile(x: MilValue, repetitions: readonly number[]): MilValue {
    if (repetitions.every((count) => count === 1)) return x;
    const shape = x.shape.map((dimension, axis) => dimension * repetitions[axis]!);
    return this.op("tile", { x, reps: this.ints(repetitions) }, { dataType: x.dataType, shape });
  }

  /** Joins values along an axis. */
  concat(values: readonly MilValue[], axis: number): MilValue {
    const [first] = values as [MilValue, ...MilValue[]];
    if (values.length === 1) return first;
    const sum = values.reduce((total, { shape }) => total + shape[axis]!, 0);
    const output = { dataType: first.dataType, shape: first.shape.with(axis, sum) };
    return this.op("concat", { values, axis: this.int(axis), interleave: this.bool(false) }, output);
  }

  /** Splits along an axis into parts of the given sizes. */
  split(x: MilValue, sizes: readonly number[], axis: number): MilValue[] {
    if (sizes.length === 1) return [x];
    const outputs = sizes.map((size) => ({ dataType: x.dataType, shape: x.shape.with(axis, size) }));
    return this.ops("split", { x, split_sizes: this.ints(sizes), axis: this.int(axis) }, outputs);
  }

  /** The elements in [begin, end), every `stride`-th of them. */
  slice(x: MilValue, begin: readonly number[], end: readonly number[], stride: readonly number[]): MilValue {
    const shape = x.shape.map((_, axis) => Math.ceil((end[axis]! - begin[axis]!) / stride[axis]!));
    const none = this.bools(x.shape.map(() => false));
    const masks = { begin_mask: none, end_mask: none, squeeze_mask: none };
    const bounds = { begin: this.ints(begin), end: this.ints(end), stride: this.ints(stride) };
    return this.op("slice_by_index", { x, ...bounds, ...masks }, { dataType: x.dataType, shape });
  }

  /** Picks elements along an axis. All indices must be in range. */
  gather(x: MilValue, indices: MilValue, axis: number): MilValue {
    const shape = x.shape.toSpliced(axis, 1, ...indices.shape);
    const parameters = { axis: this.int(axis), batch_dims: this.int(0), validate_indices: this.bool(false) };
    return this.op("gather", { x, indices, ...parameters }, { dataType: x.dataType, shape });
  }

  /** Reduces along axes; the reduced dimensions stay, with size 1. */
  reduce(type: string, x: MilValue, axes: readonly number[]): MilValue {
    const shape = x.shape.map((dimension, axis) => axes.includes(axis) ? 1 : dimension);
    const parameters = { axes: this.ints(axes), keep_dims: this.bool(true) };
    return this.op(type, { x, ...parameters }, { dataType: x.dataType, shape });
  }

  /** An integer parameter. */
  int(value: number): MilConstant {
    return this.constant("int32", [], [value]);
  }

  /** A parameter that is a list of integers. */
  ints(values: readonly number[]): MilConstant {
    return this.constant("int32", [values.length], values);
  }

  /** A boolean parameter. */
  bool(value: boolean): MilConstant {
    return this.constant("bool", [], [Number(value)]);
  }

  /** A parameter that is a list of booleans. */
  bools(values: readonly boolean[]): MilConstant {
    return this.constant("bool", [values.length], values.map(Number));
  }

  /** A string parameter. */
  text(value: string): MilConstant {
    return this.#shared.getOrInsertComputed(
      `string ${value}`,
      () => ({ name: this.#constantName(), dataType: "string", shape: [], data: value }),
    );
  }

  /** A 0-D constant. */
  scalar(dataType: MilType, value: number): MilConstant {
    return this.constant(dataType, [], [value]);
  }

  /** A constant; small equal constants are shared. A single value fills the whole shape. */
  constant(dataType: MilType, shape: Shape, values: readonly number[]): MilConstant {
    const create = () => ({
      name: this.#constantName(),
      dataType,
      shape,
      data: constantBytes(dataType, shape, values),
    });
    if (values.length > MAX_SHARED_ELEMENTS) return create();
    const key = `${dataType}[${shape}]${values.map((value) => Object.is(value, -0) ? "-0" : value)}`;
    return this.#shared.getOrInsertComputed(key, create);
  }

  /** Converts a constant of 4-bit integers to 8 bits; leaves others as they are. */
  bytewise(constant: MilConstant): MilConstant {
    const { dataType, shape, data } = constant;
    if (dataType !== "int4" && dataType !== "uint4") return constant;
    const elements = new Int32Array(elementCount(shape));
    widen(dataType, data as Uint8Array, elements);
    return {
      name: this.#constantName(),
      dataType: dataType === "int4" ? "int8" : "uint8",
      shape,
      data: Uint8Array.from(elements),
    };
  }

  #userConstant({ dataType, shape }: Value, data: Uint8Array): MilConstant {
    const constant = (dataType: MilType, data: Uint8Array) => ({
      name: this.#constantName(),
      dataType,
      shape: milShape(shape),
      data,
    });
    switch (dataType) {
      case "int8":
      case "uint8":
      case "int4":
      case "uint4":
        return constant(dataType, data);
      case "float32":
        return this.options.float16 ? constant("fp16", halfPrecision(data)) : constant("fp32", data);
      default:
        return constant(featureType(dataType), data);
    }
  }

  #constantName(): string {
    return `const_${this.#constantCount++}`;
  }
}

/** Keeps only the characters that names may have. A number that follows makes names unique. */
function identifier(name: string): string {
  return name.replace(/[^A-Za-z0-9]+/g, "_").slice(0, 64);
}
