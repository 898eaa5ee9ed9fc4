/**
 * An ONNX model as plain data: what the reader gives and the walker reads.
 *
 * @module
 */

import type { MLOperandDataType } from "../data_type.ts";

/**
 * The element types of ONNX that the importer reads. A graph computes in WebNN's types only; the others live in known
 * values and change when they become constants: see `operandType`. Elements of `"string"` and `"other"` (complex, float8)
 * are not read; a node that needs them is refused.
 */
export type ElementType = MLOperandDataType | "bool" | "float64" | "bfloat16" | "int16" | "uint16" | "string" | "other";

/** A tensor whose elements are known while the graph is built: an initializer, or what was folded from them. */
export interface Known {
  readonly type: ElementType;
  readonly shape: readonly number[];
  /** The elements in row-major order, little-endian; often a view of the file. Four-bit types pack two in a byte. */
  readonly bytes: Uint8Array;
}

/** A dimension as a model states it: a size, the name of a free dimension, or `null` for one without a name. */
export type Dimension = number | string | null;

/** The name, type and shape of an input, output or inner value. */
export interface ValueInfo {
  readonly name: string;
  /** `undefined` for what is no tensor of a type that the importer knows; `typeName` then says what it is. */
  readonly type: ElementType | undefined;
  readonly typeName: string;
  /** `undefined` where the model does not state even the rank. */
  readonly shape: readonly Dimension[] | undefined;
}

/** The value of an attribute, by the kind that the file states. Integers beyond 2⁵³ are rounded. */
export type Attribute =
  | { readonly kind: "float" | "int"; readonly value: number }
  | { readonly kind: "floats" | "ints"; readonly value: readonly number[] }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "strings"; readonly value: readonly string[] }
  | { readonly kind: "tensor"; readonly value: Known }
  | { readonly kind: "graph"; readonly value: OnnxGraph }
  /** The attribute of a function's node that takes the value of an attribute of the call. */
  | { readonly kind: "reference"; readonly value: string }
  | { readonly kind: "other"; readonly value: string };

/** One operator of a graph. An empty name among the inputs or outputs is one that is left out. */
export interface OnnxNode {
  /** `""` for ai.onnx. */
  readonly domain: string;
  readonly operator: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, Attribute>;
}

/** A graph: the model's own, or the body of a control-flow operator. */
export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly initializers: ReadonlyMap<string, Known>;
  /** Those that are not initializers too. */
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** What the model states of inner values: read when it is asked for, as it seldom is. */
  readonly values: () => ReadonlyMap<string, ValueInfo>;
}

/** A function of the model: an operator that is defined by nodes. */
export interface OnnxFunction {
  readonly domain: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly defaults: ReadonlyMap<string, Attribute>;
  readonly nodes: readonly OnnxNode[];
  readonly opsets: ReadonlyMap<string, number>;
}

/** A model file. */
export interface ModelProto {
  /** The version of each operator set by domain; ai.onnx is `""`. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly graph: OnnxGraph;
  readonly functions: readonly OnnxFunction[];
}
