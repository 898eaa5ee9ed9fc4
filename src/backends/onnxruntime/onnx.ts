/**
 * An ONNX graph as plain data: the lowering produces it, writers consume it.
 *
 * @see https://github.com/onnx/onnx/blob/main/docs/IR.md
 * @module
 */

import type { MLOperandDataType } from "../../data_type.ts";
import type { Node } from "../../graph/graph.ts";
import type { Shape } from "../../shape.ts";

/** The version of the default operator set for which the lowering is written. */
export const OPSET = 21;

/** The domain of ONNX Runtime's own operators. */
export const MICROSOFT = "com.microsoft";

/** The element types of ONNX values that are used here. */
export type OnnxType = MLOperandDataType | "bool" | "float64";

/** A float attribute; plain numbers are integer attributes. */
export class Float {
  constructor(readonly value: number) {}
}

/** The value of an attribute: an integer, integers, a {@linkcode Float}, a string, or strings. */
export type OnnxAttribute = number | readonly number[] | Float | string | readonly string[];

/** The attributes of a node. `undefined` ones are left out. */
export type OnnxAttributes = Readonly<Record<string, OnnxAttribute | undefined>>;

/** An operation. A missing optional input has an empty name. */
export interface OnnxNode {
  readonly op: string;
  /** `""` is the default domain. */
  readonly domain: string;
  /** Unique. The engine's errors quote it. */
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: OnnxAttributes;
}

/** The name, type and shape of an input or output of the graph. */
export interface OnnxValueInfo {
  readonly name: string;
  readonly dataType: OnnxType;
  readonly shape: Shape;
}

/** The bytes of a user's constant; a native block if a session will use them. */
export interface ConstantData {
  readonly bytes: Uint8Array;
  readonly byteLength: number;
}

/** A constant: a small one that the lowering creates, with its bytes, or a constant of the user. */
export interface OnnxInitializer extends OnnxValueInfo {
  readonly data: Uint8Array | ConstantData;
}

/** A graph, with nodes in topological order. */
export interface OnnxGraph {
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
  readonly initializers: readonly OnnxInitializer[];
  readonly nodes: readonly OnnxNode[];
}

/** A graph that was lowered from a WebNN graph. */
export interface LoweredGraph extends OnnxGraph {
  /** For each node, the WebNN operation that it belongs to. */
  readonly origins: readonly Node[];
}

/** Attributes as JSON values that are equal only for identical bits. JSON has no NaN, infinity or −0. */
export function describeAttributes(attributes: OnnxAttributes): unknown {
  return Object.entries(attributes).map(([key, value]) => [
    key,
    value instanceof Float ? { bits: new Uint32Array(Float32Array.of(value.value).buffer)[0] } : value,
  ]);
}
