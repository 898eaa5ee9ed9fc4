/**
 * The limits of a device, and the dictionaries of `opSupportLimits()`.
 *
 * @module
 */

import type { MLOperandDataType } from "../data_type.ts";
import { byteLength } from "../shape.ts";
import type { Graph, Node, Value } from "./graph.ts";

/** What a device supports, within the limits of the standard. */
export interface DeviceLimits {
  /** The size limit of any input, constant, intermediate value or output, in bytes. */
  readonly maxTensorByteLength: number;
  /** The highest rank of any operand. */
  readonly maxRank: number;
  /** The layout in which convolutions and pools are fastest. */
  readonly preferredInputLayout: "nchw" | "nhwc";
  /** The data types of inputs, constants and outputs of a graph. */
  readonly dataTypes: readonly MLOperandDataType[];
  /** Whether an operand or output of an operator may have a data type that the standard allows there. */
  supports(operator: string, operand: string, dataType: MLOperandDataType): boolean;
}

/**
 * A range of supported ranks, both ends included.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlrankrange
 */
export interface MLRankRange {
  /** The lowest rank. */
  min: number;
  /** The highest rank. */
  max: number;
}

/**
 * The supported data types and ranks of an operand or output.
 * @see https://www.w3.org/TR/webnn/#dictdef-mltensorlimits
 */
export interface MLTensorLimits {
  /** The data types. */
  dataTypes: MLOperandDataType[];
  /** The ranks. */
  rankRange: MLRankRange;
}

/** Why a device does not support a graph; `undefined` if it does. */
export function whyUnsupported(graph: Graph<unknown>, limits: DeviceLimits): string | undefined {
  const whyEnd = (ends: "inputs" | "constants" | "outputs") =>
    firstReason<{ readonly value: Value }>(graph[ends], ({ value }) => whyEndUnsupported(ends, value, limits));
  return whyEnd("inputs") ?? whyEnd("constants") ?? whyEnd("outputs") ??
    firstReason(graph.nodes, (node) => whyNodeUnsupported(node, limits));
}

function whyEndUnsupported(ends: string, value: Value, limits: DeviceLimits): string | undefined {
  return limits.dataTypes.includes(value.dataType)
    ? whyValueUnsupported(value, limits)
    : `${ends} cannot be ${value.dataType}`;
}

function whyNodeUnsupported({ operator, operands, outputs }: Node, limits: DeviceLimits): string | undefined {
  return firstReason(
    Object.entries(operands),
    ([name, operand]) =>
      firstReason(
        [operand ?? []].flat(),
        (value) =>
          limits.supports(operator, name, value.dataType)
            ? whyValueUnsupported(value, limits)
            : `the operand ${name} of ${operator} cannot be ${value.dataType}`,
      ),
  ) ??
    firstReason(outputs, (value) => whyValueUnsupported(value, limits));
}

function whyValueUnsupported(value: Value, { maxRank, maxTensorByteLength }: DeviceLimits): string | undefined {
  if (value.shape.length > maxRank) return `a tensor has rank ${value.shape.length}; at most ${maxRank} is supported`;
  if (byteLength(value) > maxTensorByteLength) {
    return `a tensor has ${byteLength(value)} bytes; at most ${maxTensorByteLength} are supported`;
  }
  return undefined;
}

function firstReason<T>(items: readonly T[], reason: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const found = reason(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
