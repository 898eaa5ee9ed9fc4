/**
 * What a device can take, and the dictionaries in which `opSupportLimits()` says it.
 *
 * @module
 */

import type { MLOperandDataType } from "../data_type.ts";
import { byteLength } from "../shape.ts";
import type { Graph, Node, Value } from "./graph.ts";

/** What a device can take. Where it says nothing, the standard's own limits hold. */
export interface DeviceLimits {
  /** The largest input, constant, intermediate value or output, in bytes. */
  readonly maxTensorByteLength: number;
  /** The largest rank of any operand. */
  readonly maxRank: number;
  /** The layout in which convolutions and pools are fastest. */
  readonly preferredInputLayout: "nchw" | "nhwc";
  /** The data types of inputs, constants and outputs of a graph. */
  readonly dataTypes: readonly MLOperandDataType[];
  /** Whether an operator's operand or output may have a data type that the standard allows there. */
  supports(operator: string, operand: string, dataType: MLOperandDataType): boolean;
}

/**
 * The ranks that are supported, both ends included.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlrankrange
 */
export interface MLRankRange {
  /** The least rank. */
  min: number;
  /** The greatest rank. */
  max: number;
}

/**
 * The data types and ranks that are supported for an operand.
 * @see https://www.w3.org/TR/webnn/#dictdef-mltensorlimits
 */
export interface MLTensorLimits {
  /** The data types. */
  dataTypes: MLOperandDataType[];
  /** The ranks. */
  rankRange: MLRankRange;
}

/** Why a device cannot take a graph; `undefined` if it can. */
export function whyNot(graph: Graph<unknown>, limits: DeviceLimits): string | undefined {
  const ends = [...graph.inputs, ...graph.constants, ...graph.outputs];
  return firstOf(ends, ({ value }) => whyNotAtEnds(value, limits)) ??
    firstOf(graph.nodes, (node) => whyNotNode(node, limits));
}

function whyNotAtEnds(value: Value, limits: DeviceLimits): string | undefined {
  const { dataType } = value;
  return limits.dataTypes.includes(dataType) ? whyNotValue(value, limits) : `inputs and outputs cannot be ${dataType}`;
}

function whyNotNode({ operator, operands, outputs }: Node, limits: DeviceLimits): string | undefined {
  return firstOf(
    Object.entries(operands),
    ([name, operand]) =>
      firstOf(
        [operand ?? []].flat(),
        (value) =>
          limits.supports(operator, name, value.dataType)
            ? whyNotValue(value, limits)
            : `${operator} takes no ${name} of ${value.dataType}`,
      ),
  ) ??
    firstOf(outputs, (value) => whyNotValue(value, limits));
}

function whyNotValue(value: Value, { maxRank, maxTensorByteLength }: DeviceLimits): string | undefined {
  if (value.shape.length > maxRank) return `rank ${value.shape.length} is more than ${maxRank}`;
  if (byteLength(value) > maxTensorByteLength) return `${byteLength(value)} bytes are more than ${maxTensorByteLength}`;
  return undefined;
}

function firstOf<T>(items: readonly T[], reason: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const found = reason(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
