/**
 * One node as its row sees it: inputs, attributes, and the builder with a few helpers.
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

/** What a walk offers to each of its nodes. */
export interface Walk {
  readonly builder: MLGraphBuilder;
  readonly limits: MLOpSupportLimits;
  /** The constant of a known value; one for each value, however often it is asked for. */
  constant(value: Known): MLOperand;
  /** Whether a value is a weight whose bytes only a tensor holds. */
  isWeight(value: Value): boolean;
  /** The elements of a value, where the walk can find them; else it throws what makes the caller find them. */
  demand(value: Value, what: string): Known;
}

/** One node of the model with its inputs. */
export class NodeView {
  /** The version of the operator's domain that the model asks for. */
  readonly opset: number;
  /** The version at which the operator got the definition that applies: an item of the row's `since`. */
  readonly since: number;

  /** `inputs` are the values by position; `undefined` for one that is left out. */
  constructor(
    readonly walk: Walk,
    readonly node: OnnxNode,
    readonly inputs: readonly (Value | undefined)[],
    versions: { readonly opset: number; readonly since: number },
  ) {
    this.opset = versions.opset;
    this.since = versions.since;
  }

  /** The builder, for every operator of WebNN. */
  get builder(): MLGraphBuilder {
    return this.walk.builder;
  }

  /** What the context supports. */
  get limits(): MLOpSupportLimits {
    return this.walk.limits;
  }

  /** The number of outputs that the node names, at least 1. */
  get outputCount(): number {
    return Math.max(1, this.node.outputs.length);
  }

  /** Whether the model uses an output. */
  wants(output: number): boolean {
    return (this.node.outputs[output] ?? "") !== "";
  }

  /** Gives the node up. */
  refuse(reason: string): never {
    throw new Unsupported(reason);
  }

  /** Whether an input is given. */
  has(i: number): boolean {
    return this.inputs[i] !== undefined;
  }

  /** An input, known or computed. */
  value(i: number): Value {
    return this.inputs[i] ?? this.refuse(`input ${i} is missing`);
  }

  /** The element type of an input; a known one may have a type that WebNN has not. */
  type(i: number): ElementType {
    return this.value(i).type;
  }

  /** The shape of an input. */
  shape(i: number): readonly number[] {
    return this.value(i).shape;
  }

  /** An input as an operand; a known value becomes a constant. */
  input(i: number): MLOperand {
    return this.operand(this.value(i));
  }

  /** An input as an operand, or `undefined` if it is left out. */
  optional(i: number): MLOperand | undefined {
    return this.has(i) ? this.input(i) : undefined;
  }

  /** A value as an operand. */
  operand(value: Value): MLOperand {
    return isKnown(value) ? this.walk.constant(value) : value.operand;
  }

  /** An input whose elements the row must know, such as axes; refuses the node if they cannot be known. */
  known(i: number, what: string = `input ${i}`): Known {
    return this.walk.demand(this.value(i), what);
  }

  /** An input if it is known or a weight, else `undefined`: it is no reason to make a graph for the values of an input. */
  ifKnown(i: number): Known | undefined {
    const value = this.inputs[i];
    if (value === undefined || isKnown(value)) return value;
    return this.walk.isWeight(value) ? this.walk.demand(value, `input ${i}`) : undefined;
  }

  /** The elements of a known input as numbers, or `undefined` if it is left out. */
  numbers(i: number, what?: string): number[] | undefined {
    return this.has(i) ? numbersOf(this.known(i, what)) : undefined;
  }

  /** The elements of a known input as numbers. */
  neededNumbers(i: number, what: string = `input ${i}`): number[] {
    return numbersOf(this.known(i, what));
  }

  /** The one element of a known input. */
  neededNumber(i: number, what: string = `input ${i}`): number {
    return this.neededNumbers(i, what)[0] ?? this.refuse(`${what} is empty`);
  }

  /** The one element of a known input, or `undefined` if it is left out. */
  number(i: number, what?: string): number | undefined {
    return this.numbers(i, what)?.[0];
  }

  /** Whether the node has an attribute. */
  hasAttribute(name: string): boolean {
    return this.node.attributes.has(name);
  }

  /** A number attribute, float or integer. */
  float(name: string, otherwise?: number): number {
    return this.#attribute(name, ["float", "int"], otherwise) as number;
  }

  /** An integer attribute. */
  int(name: string, otherwise?: number): number {
    return this.#attribute(name, ["int"], otherwise) as number;
  }

  /** An integer attribute that is 0 or 1. */
  flag(name: string, otherwise = false): boolean {
    return this.int(name, otherwise ? 1 : 0) !== 0;
  }

  /** A text attribute. */
  string(name: string, otherwise?: string): string {
    return this.#attribute(name, ["string"], otherwise) as string;
  }

  /** A list of texts, or `undefined` where it is missing. */
  strings(name: string): readonly string[] | undefined {
    return this.hasAttribute(name) ? this.#attribute(name, ["strings"]) as readonly string[] : undefined;
  }

  /** A list of integers, or `undefined` where it is missing. */
  ints(name: string): readonly number[] | undefined {
    return this.hasAttribute(name) ? this.#attribute(name, ["ints"]) as readonly number[] : undefined;
  }

  /** A list of integers. */
  neededInts(name: string): readonly number[] {
    return this.ints(name) ?? this.refuse(`attribute ${name} is missing`);
  }

  /** A list of numbers, or `undefined` where it is missing. */
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
    if (!kinds.includes(found.kind)) this.refuse(`attribute ${name} is of the kind ${found.kind}, not ${kinds[0]}`);
    return found.value;
  }

  /** An axis from 0, of one that may count from the end. */
  axis(axis: number, rank: number): number {
    const from0 = axis < 0 ? axis + rank : axis;
    if (!Number.isInteger(from0) || from0 < 0 || from0 >= rank) this.refuse(`axis ${axis} is not one of rank ${rank}`);
    return from0;
  }

  /** A constant of a data type with one element for each position, or one for all. */
  constant(type: MLOperandDataType, shape: readonly number[], elements: MLNumber | Iterable<MLNumber>): MLOperand {
    if (type === "int4" || type === "uint4") return this.refuse(`constants of ${type} come from the model only`);
    const list = typeof elements === "object" ? elements : new Array(sizeOf(shape)).fill(elements);
    return this.walk.constant(known(type, shape, list));
  }

  /** A scalar constant of the data type of another operand. */
  scalar(like: MLOperand | MLOperandDataType, value: MLNumber): MLOperand {
    const type = typeof like === "string" ? like : like.dataType;
    return this.builder.constant(type, is64Bit(type) ? BigInt(value) : Number(value));
  }

  /** The operand in a data type; itself if it has it. */
  cast(operand: MLOperand, type: MLOperandDataType): MLOperand {
    return operand.dataType === type ? operand : this.builder.cast(operand, type);
  }

  /** The operand in a shape; itself if it has it. */
  reshape(operand: MLOperand, shape: readonly number[]): MLOperand {
    return sameShape(operand.shape, shape) ? operand : this.builder.reshape(operand, shape);
  }

  /** The operand with its axes in another order; itself if the order stays. */
  transpose(operand: MLOperand, permutation: readonly number[]): MLOperand {
    return permutation.every((axis, i) => axis === i) ? operand : this.builder.transpose(operand, { permutation });
  }

  /** The operand expanded to a shape; itself if it has it. */
  expand(operand: MLOperand, shape: readonly number[]): MLOperand {
    return sameShape(operand.shape, shape) ? operand : this.builder.expand(operand, shape);
  }

  /** Whether an operand of an operator of WebNN may have a data type on this context. */
  supports(operator: keyof MLOpSupportLimits, operand: string, type: MLOperandDataType): boolean {
    const entry = this.limits[operator] as unknown as Record<string, { dataTypes?: readonly string[] } | undefined>;
    return entry[operand]?.dataTypes?.includes(type) ?? false;
  }

  /** The first element of a known value, for rows that read scalars. */
  first(value: Known): number | bigint {
    return elementsOf(value)[0] ?? this.refuse("an empty tensor where one element is needed");
  }

  /** The data type in which WebNN computes an input, known ones too. */
  operandType(i: number): MLOperandDataType {
    return operandType(this.type(i), this.limits);
  }

  /** The data type for integers that ONNX has as int64: int64, or int32 where the context lacks it. */
  get integer(): MLOperandDataType {
    return operandType("int64", this.limits);
  }
}
