/**
 * What a row sees of a node: its attributes, its inputs, and the versions that apply.
 *
 * @module
 */

import type { MLOpSupportLimits } from "../api/support_limits.ts";
import type { MLOperandDataType } from "../data_type.ts";
import type { ElementType, KnownTensor, OnnxGraph, OnnxNode } from "./model.ts";
import type { AttributeName } from "./attribute_name.ts";
import { constant, Operand, type Recorder } from "./operand.ts";
import { elementType, operandType, type PlainType } from "./element_type.ts";
import { unsupported } from "./errors.ts";

/** A node of the model, as its row sees it. */
export class NodeView {
  /** The version of the operator set that the model uses for the operator's domain. */
  readonly opset: number;
  /** The operator set version that defined the operator as it applies here: one of the row's `since`. */
  readonly since: number;

  /** `inputs` are the operands by position; `undefined` if omitted. */
  constructor(
    readonly recorder: Recorder,
    readonly node: OnnxNode,
    readonly inputs: readonly (Operand | undefined)[],
    versions: { readonly opset: number; readonly since: number },
  ) {
    this.opset = versions.opset;
    this.since = versions.since;
  }

  /** The number of outputs, at least 1. */
  get outputCount(): number {
    return Math.max(1, this.node.outputs.length);
  }

  /** Whether the node has an output: one without a name is omitted. */
  wants(output: number): boolean {
    return (this.node.outputs[output] ?? "") !== "";
  }

  /** A required input. */
  input(i: number): Operand {
    return this.inputs[i] ?? unsupported(`input ${i} is missing`);
  }

  /** Whether the node has an attribute. */
  hasAttribute(name: AttributeName): boolean {
    return this.node.attributes.has(name);
  }

  /** A float or integer attribute. */
  float(name: AttributeName, otherwise?: number): number {
    return this.#attribute(name, ["float", "int"], otherwise) as number;
  }

  /** An integer attribute. */
  int(name: AttributeName, otherwise?: number): number {
    return this.#attribute(name, ["int"], otherwise) as number;
  }

  /** An integer attribute with the value 0 or 1. */
  flag(name: AttributeName, otherwise = false): boolean {
    return this.int(name, otherwise ? 1 : 0) !== 0;
  }

  /** A string attribute. */
  string(name: AttributeName, otherwise?: string): string {
    return this.#attribute(name, ["string"], otherwise) as string;
  }

  /** A list of strings, or `undefined` if missing. */
  strings(name: AttributeName): readonly string[] | undefined {
    return this.hasAttribute(name) ? this.#attribute(name, ["strings"]) as readonly string[] : undefined;
  }

  /** A list of integers, or `undefined` if missing. */
  ints(name: AttributeName): readonly number[] | undefined {
    return this.hasAttribute(name) ? this.#attribute(name, ["ints"]) as readonly number[] : undefined;
  }

  /** A required list of integers. */
  neededInts(name: AttributeName): readonly number[] {
    return this.#attribute(name, ["ints"]) as readonly number[];
  }

  /** A list of numbers, or `undefined` if missing. */
  floats(name: AttributeName): readonly number[] | undefined {
    return this.hasAttribute(name) ? this.#attribute(name, ["floats", "ints"]) as readonly number[] : undefined;
  }

  /** A tensor attribute. */
  tensor(name: AttributeName): Operand {
    return new Operand(this.recorder, this.#attribute(name, ["tensor"]) as KnownTensor);
  }

  /** A graph attribute. */
  graph(name: AttributeName): OnnxGraph {
    return this.#attribute(name, ["graph"]) as OnnxGraph;
  }

  /** The element type whose number is the value of an attribute; `undefined` if missing or 0. */
  elementType(name: AttributeName): ElementType | undefined {
    const code = this.int(name, 0);
    if (code === 0) return undefined;
    return elementType(code) ?? unsupported(`${name} is ${code}, which is not an element type of ONNX`);
  }

  /** The value of an attribute. It is required if there is no default, `otherwise`. */
  #attribute(name: AttributeName, kinds: readonly string[], otherwise?: unknown): unknown {
    const found = this.node.attributes.get(name);
    if (found === undefined) return otherwise ?? unsupported(`attribute ${name} is missing`);
    if (!kinds.includes(found.kind)) unsupported(`attribute ${name} must be of type ${kinds[0]}, not ${found.kind}`);
    return found.value;
  }

  /** A constant. A single number fills all of it. */
  constant(
    type: PlainType,
    shape: readonly number[],
    elements: number | bigint | Iterable<number | bigint>,
  ): Operand {
    return constant(this.recorder, type, shape, elements);
  }

  /** Whether the context supports a data type for an operand of a WebNN operator. */
  supports(operator: keyof MLOpSupportLimits, operand: string, type: MLOperandDataType): boolean {
    const { limits } = this.recorder;
    const entry = limits[operator] as unknown as Record<string, { dataTypes?: readonly string[] } | undefined>;
    return entry[operand]?.dataTypes?.includes(type) ?? false;
  }

  /** The data type for int64 values of ONNX: int64, or int32 if the context does not support int64. */
  get integer(): MLOperandDataType {
    return operandType("int64", this.recorder.limits);
  }

  /** A known value as an operand. */
  operand(value: KnownTensor): Operand {
    return new Operand(this.recorder, value);
  }
}
