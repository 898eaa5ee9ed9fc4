/**
 * An ONNX graph as plain data, between the lowering that produces it and the writers that consume it.
 *
 * @see https://github.com/onnx/onnx/blob/main/docs/IR.md
 * @module
 */

import type { MLOperandDataType } from "../../data_type.ts";
import type { Node } from "../../graph/graph.ts";
import type { Shape } from "../../shape.ts";

/** The version of the default operator set that the lowering is written for. */
export const OPSET = 21;

/** The domain of ONNX Runtime's own operators. */
export const MICROSOFT = "com.microsoft";

/** The element types that ONNX values have here. */
export type OnnxType = MLOperandDataType | "bool" | "float64";

/** A floating-point attribute; plain numbers are integer attributes. */
export class Float {
  constructor(readonly value: number) {}
}

/** The value of an attribute: an integer, integers, a {@linkcode Float}, a string, or strings. */
export type OnnxAttribute = number | readonly number[] | Float | string | readonly string[];

/** The attributes of a node; those that are `undefined` are left out. */
export type OnnxAttributes = Readonly<Record<string, OnnxAttribute | undefined>>;

/** An operation. An input that is left out is the empty name. */
export interface OnnxNode {
  readonly op: string;
  /** `""` is the default domain. */
  readonly domain: string;
  /** Unique; errors of the engine carry it. */
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

/** Where the bytes of a constant of the user's lie: a native block, where a session will use them. */
export interface ConstantData {
  readonly bytes: Uint8Array;
  readonly byteLength: number;
}

/** A constant: small ones that the lowering made have their bytes here, the user's lie elsewhere. */
export interface OnnxInitializer extends OnnxValueInfo {
  readonly data: Uint8Array | ConstantData;
}

/** A graph; nodes stand in an order in which they can run. */
export interface OnnxGraph {
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
  readonly initializers: readonly OnnxInitializer[];
  readonly nodes: readonly OnnxNode[];
}

/** A graph that was lowered from one of WebNN. */
export interface LoweredGraph extends OnnxGraph {
  /** For each of the nodes, the operation of WebNN that it is a part of. */
  readonly origins: readonly Node[];
}

/** Attributes as JSON values: equal ones if they are the same to the last bit. JSON has no NaN, no infinity and no -0. */
export function describeAttributes(attributes: OnnxAttributes): unknown {
  return Object.entries(attributes).map(([key, value]) => [
    key,
    value instanceof Float ? { bits: new Uint32Array(Float32Array.of(value.value).buffer)[0] } : value,
  ]);
}
