/**
 * A node for its row: inputs, attributes, the builder, and helpers.
 *
 * @module
 */

import type { MLGraphBuilder } from "../api/ml_graph_builder.ts";
import type { MLOperand } from "../api/ml_operand.ts";
import type { MLOpSupportLimits } from "../api/support_limits.ts";
import type { MLNumber } from "../api/dictionaries.ts";
import { is64Bit, type MLOperandDataType } from "../data_type.ts";
import { sameShape } from "../shape.ts";
import type { ElementType, Known, OnnxGraph, OnnxNode } from "./model.ts";
import { elementsOf, isKnown, known, numbersOf, operandType, sizeOf, Unsupported, type Value } from "./value.ts";

/** What a walk provides to its nodes. */
export interface Walk {
  readonly builder: MLGraphBuilder;
  readonly limits: MLOpSupportLimits;
  /** The constant for a known value, in another shape if given; each value has only one in each shape. */
  constant(value: Known, shape?: readonly number[]): MLOperand;
  /** A number as a scalar constant; each number of a type has only one. */
  scalar(type: MLOperandDataType, value: MLNumber): MLOperand;
  /** A small constant in another shape; `undefined` if the operand is something else. */
  reshaped(operand: MLOperand, shape: readonly number[]): MLOperand | undefined;
  /** Whether a value is a weight whose bytes only a tensor has. */
  isWeight(value: Value): boolean;
  /** The elements of a value if the walk can determine them; otherwise it throws, and the caller then provides them. */
  demand(value: Value, what: string): Known;
}

/** A node of the model, with its inputs. */
export class NodeView {
  /** The version of the operator's domain that the model uses. */
  readonly opset: number;
  /** The version of the operator's definition that applies: one item of the row's `since`. */
  readonly since: number;

  /** `inputs` are the values by position; `undefined` if omitted. */
  constructor(
    readonly walk: Walk,
    readonly node: OnnxNode,
    readonly inputs: readonly (Value | undefined)[],
    versions: { readonly opset: number; readonly since: number },
  ) {
    this.opset = versions.opset;
    this.since = versions.since;
  }

  /** The builder, with all operators of WebNN. */
  get builder(): MLGraphBuilder {
    return this.walk.builder;
  }

  /** The support limits of the context. */
  get limits(): MLOpSupportLimits {
    return this.walk.limits;
  }

  /** The number of outputs, at least 1. */
  get outputCount(): number {
    return Math.max(1, this.node.outputs.length);
  }

  /** Whether an output is used in the model. */
  wants(output: number): boolean {
    return (this.node.outputs[output] ?? "") !== "";
  }

  /** Rejects the node as unsupported. */
  refuse(reason: string): never {
    throw new Unsupported(reason);
  }

  /** Whether an input is present. */
  has(i: number): boolean {
    return this.inputs[i] !== undefined;
  }

  /** An input, known or computed. */
  value(i: number): Value {
    return this.inputs[i] ?? this.refuse(`input ${i} is missing`);
  }

  /** The element type of an input. Known inputs may have types that WebNN does not have. */
  type(i: number): ElementType {
    return this.value(i).type;
  }

  /** The shape of an input. */
  shape(i: number): readonly number[] {
    return this.value(i).shape;
  }

  /** An input as an operand. A known value becomes a constant. */
  input(i: number): MLOperand {
    return this.operand(this.value(i));
  }

  /** An input as an operand, or `undefined` if omitted. */
  optional(i: number): MLOperand | undefined {
    return this.has(i) ? this.input(i) : undefined;
  }

  /** A value as an operand, in another shape if given. */
  operand(value: Value, shape: readonly number[] = value.shape): MLOperand {
    return isKnown(value) ? this.walk.constant(value, shape) : this.reshape(value.operand, shape);
  }

  /** An input whose elements the row must know, such as axes. The node is rejected if they cannot be known. */
  known(i: number, what: string = `input ${i}`): Known {
    return this.walk.demand(this.value(i), what);
  }

  /**
   * An input if it is known or a weight; otherwise `undefined`. Never causes a graph to be built for the elements of an
   * input.
   */
  ifKnown(i: number): Known | undefined {
    const value = this.inputs[i];
    if (value === undefined || isKnown(value)) return value;
    return this.walk.isWeight(value) ? this.walk.demand(value, `input ${i}`) : undefined;
  }

  /** The elements of a known input as numbers, or `undefined` if omitted. */
  numbers(i: number, what?: string): number[] | undefined {
    return this.has(i) ? numbersOf(this.known(i, what)) : undefined;
  }

  /** The elements of a known input as numbers. */
  neededNumbers(i: number, what: string = `input ${i}`): number[] {
    return numbersOf(this.known(i, what));
  }

  /** The only element of a known input. */
  neededNumber(i: number, what: string = `input ${i}`): number {
    return this.neededNumbers(i, what)[0] ?? this.refuse(`${what} is empty`);
  }

  /** The only element of a known input, or `undefined` if omitted. */
  number(i: number, what?: string): number | undefined {
    return this.numbers(i, what)?.[0];
  }

  /** Whether the node has an attribute. */
  hasAttribute(name: string): boolean {
    return this.node.attributes.has(name);
  }

  /** A float or integer attribute. */
  float(name: string, otherwise?: number): number {
    return this.#attribute(name, ["float", "int"], otherwise) as number;
  }

  /** An integer attribute. */
  int(name: string, otherwise?: number): number {
    return this.#attribute(name, ["int"], otherwise) as number;
  }

  /** An integer attribute with the value 0 or 1. */
  flag(name: string, otherwise = false): boolean {
    return this.int(name, otherwise ? 1 : 0) !== 0;
  }

  /** A string attribute. */
  string(name: string, otherwise?: string): string {
    return this.#attribute(name, ["string"], otherwise) as string;
  }

  /** A list of strings, or `undefined` if missing. */
  strings(name: string): readonly string[] | undefined {
    return this.hasAttribute(name) ? this.#attribute(name, ["strings"]) as readonly string[] : undefined;
  }

  /** A list of integers, or `undefined` if missing. */
  ints(name: string): readonly number[] | undefined {
    return this.hasAttribute(name) ? this.#attribute(name, ["ints"]) as readonly number[] : undefined;
  }

  /** A list of integers. */
  neededInts(name: string): readonly number[] {
    return this.ints(name) ?? this.refuse(`attribute ${name} is missing`);
  }

  /** A list of numbers, or `undefined` if missing. */
  floats(name: string): readonly number[] | undefined {
    return this.hasAttribute(name) ? this.#attribute(name, ["floats", "ints"]) as readonly number[] : undefined;
  }

  /** A tensor attribute. */
  tensor(name: string): Known {
    return this.#attribute(name, ["tensor"]) as Known;
  }

  /** A graph attribute. */
  graph(name: string): OnnxGraph {
    return this.#attribute(name, ["graph"]) as OnnxGraph;
  }

  #attribute(name: string, kinds: readonly string[], otherwise?: unknown): unknown {
    const found = this.node.attributes.get(name);
    if (found === undefined) return otherwise ?? this.refuse(`attribute ${name} is missing`);
    if (!kinds.includes(found.kind)) this.refuse(`attribute ${name} has the kind ${found.kind}, not ${kinds[0]}`);
    return found.value;
  }

  /** Converts an axis that may count from the end to one that counts from 0. */
  axis(axis: number, rank: number): number {
    const from0 = axis < 0 ? axis + rank : axis;
    if (!Number.isInteger(from0) || from0 < 0 || from0 >= rank) {
      this.refuse(`axis ${axis} is out of range for rank ${rank}`);
    }
    return from0;
  }

  /** A constant of a data type, with one element per position, or one for all. */
  constant(type: MLOperandDataType, shape: readonly number[], elements: MLNumber | Iterable<MLNumber>): MLOperand {
    if (type === "int4" || type === "uint4") return this.refuse(`constants of type ${type} must come from the model`);
    const list = typeof elements === "object" ? elements : new Array(sizeOf(shape)).fill(elements);
    return this.walk.constant(known(type, shape, list));
  }

  /** A scalar constant with the data type of another operand. */
  scalar(like: MLOperand | MLOperandDataType, value: MLNumber): MLOperand {
    const type = typeof like === "string" ? like : like.dataType;
    return this.walk.scalar(type, is64Bit(type) ? BigInt(value) : Number(value));
  }

  /** Casts an operand, if it does not have the data type yet. */
  cast(operand: MLOperand, type: MLOperandDataType): MLOperand {
    return operand.dataType === type ? operand : this.builder.cast(operand, type);
  }

  /** Reshapes an operand, if it does not have the shape yet. */
  reshape(operand: MLOperand, shape: readonly number[]): MLOperand {
    if (sameShape(operand.shape, shape)) return operand;
    return this.walk.reshaped(operand, shape) ?? this.builder.reshape(operand, shape);
  }

  /** Transposes an operand, if the permutation changes the order. */
  transpose(operand: MLOperand, permutation: readonly number[]): MLOperand {
    return permutation.every((axis, i) => axis === i) ? operand : this.builder.transpose(operand, { permutation });
  }

  /** Expands an operand, if it does not have the shape yet. */
  expand(operand: MLOperand, shape: readonly number[]): MLOperand {
    return sameShape(operand.shape, shape) ? operand : this.builder.expand(operand, shape);
  }

  /** Whether the context supports a data type for an operand of a WebNN operator. */
  supports(operator: keyof MLOpSupportLimits, operand: string, type: MLOperandDataType): boolean {
    const entry = this.limits[operator] as unknown as Record<string, { dataTypes?: readonly string[] } | undefined>;
    return entry[operand]?.dataTypes?.includes(type) ?? false;
  }

  /** The first element of a known value, for rows that read scalars. */
  first(value: Known): number | bigint {
    return elementsOf(value)[0] ?? this.refuse("a scalar input is empty");
  }

  /** The data type in which WebNN computes an input, known or not. */
  operandType(i: number): MLOperandDataType {
    return operandType(this.type(i), this.limits);
  }

  /** The data type for int64 values of ONNX: int64, or int32 if the context does not support int64. */
  get integer(): MLOperandDataType {
    return operandType("int64", this.limits);
  }
}
