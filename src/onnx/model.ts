/**
 * An ONNX model as plain data, which the reader creates and the walker reads.
 *
 * @module
 */

import type { MLOperandDataType } from "../data_type.ts";
import type { LateRange } from "./protobuf.ts";

/**
 * The element types of ONNX. Graphs compute only in the data types of WebNN; a `KnownTensor` of another type is
 * converted when it becomes a constant, see `operandType`. The importer does not read the elements of `"string"` and
 * `"other"` (complex, float8), and a node that needs them is unsupported.
 */
export type ElementType = MLOperandDataType | "bool" | "float64" | "bfloat16" | "int16" | "uint16" | "string" | "other";

/** A tensor whose elements are known while the graph is built: an initializer, or the result of constant folding. */
export interface KnownTensor {
  readonly type: ElementType;
  readonly shape: readonly number[];
  /**
   * The elements in row-major order, little-endian; often a view of the file. Four-bit types have two elements per
   * byte.
   */
  readonly bytes: Uint8Array;
  /** Where the bytes are in a file, if they were not read with it: then `bytes` reads them, on the calling thread. */
  readonly range?: LateRange;
}

/** A dimension in a model: a size, the name of a free dimension, or `null` for a free one without a name. */
export type Dimension = number | string | null;

/** The name, type and shape of an input, an output or an intermediate value. */
export interface ValueInfo {
  readonly name: string;
  /** `undefined` if it is not a tensor of a known type; `typeName` then describes the type. */
  readonly type: ElementType | undefined;
  readonly typeName: string;
  /** `undefined` if the model does not specify the rank. */
  readonly shape: readonly Dimension[] | undefined;
}

/** The kind and value of an attribute. Integers beyond 2⁵³ are rounded. */
export type Attribute =
  | { readonly kind: "float" | "int"; readonly value: number }
  | { readonly kind: "floats" | "ints"; readonly value: readonly number[] }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "strings"; readonly value: readonly string[] }
  | { readonly kind: "tensor"; readonly value: KnownTensor }
  | { readonly kind: "graph"; readonly value: OnnxGraph }
  /** In a node of a function: `value` is the name of the call's attribute that supplies the value. */
  | { readonly kind: "reference"; readonly value: string }
  | { readonly kind: "other"; readonly value: string };

/** A node of a graph. An empty name stands for an input or output that is omitted. */
export interface OnnxNode {
  /** `""` for ai.onnx. */
  readonly domain: string;
  readonly operator: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, Attribute>;
}

/** A graph: the model's main graph, or the body of a control-flow operator. */
export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly initializers: ReadonlyMap<string, KnownTensor>;
  /** The inputs that are not also initializers. */
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** The types and shapes of intermediate values, read on demand because they are rarely needed. */
  readonly values: () => ReadonlyMap<string, ValueInfo>;
}

/** An operator that the model itself defines, by nodes. */
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
  /** The versions of the operator sets, by domain; ai.onnx is `""`. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly graph: OnnxGraph;
  readonly functions: readonly OnnxFunction[];
}
