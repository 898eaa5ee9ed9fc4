/**
 * The internal slots of the interface objects.
 *
 * @module
 */

import type { Graph, NamedValue, Node, Value } from "../graph/graph.ts";
import type { Rental } from "../interop/webgpu.ts";
import type { OperatorLimits } from "../ops/limits.ts";
import type { OperatorName } from "../ops/operators.ts";
import type { Descriptor } from "../shape.ts";
import type { Timeline, TimelineBlock, TimelineGraph, TimelineTensor } from "../timeline/timeline.ts";
import { slot } from "../webidl/platform_object.ts";

/** The state of an MLContext. */
export interface ContextState {
  readonly timeline: Timeline;
  readonly lost: Promise<{ readonly message: string }>;
  /** The limits of each operator, computed on first use. */
  readonly limits: Map<OperatorName, OperatorLimits>;
}

export const contextSlot = slot<ContextState>("MLContext");

/** The state of an MLTensor. */
export type TensorState = DeviceTensorState | ConstantTensorState;

/** A tensor that dispatches use. */
export interface DeviceTensorState extends CommonTensorState {
  readonly kind: "device";
  readonly readable: boolean;
  readonly writable: boolean;
  readonly storage: TimelineTensor;
  /** The export to WebGPU; `undefined` if the tensor is not exportable. */
  readonly rental: Rental | undefined;
}

/** A constant tensor, which only `MLGraphBuilder.constant()` takes. */
export interface ConstantTensorState extends CommonTensorState {
  readonly kind: "constant";
  readonly readable: false;
  readonly writable: false;
  readonly storage: TimelineBlock;
  readonly rental: undefined;
}

interface CommonTensorState {
  readonly context: ContextState;
  readonly descriptor: Descriptor;
  /** The number of the last dispatch that used the tensor. It shows whether a dispatch gets a tensor twice. */
  lastDispatch: number;
}

export const tensorSlot = slot<TensorState>("MLTensor");

/** Whether a tensor was destroyed, or its context lost. */
export function isDestroyed({ context, storage }: TensorState): boolean {
  return storage.destroyed || context.timeline.isLost;
}

/** A named input or output of a graph. */
export interface Port {
  readonly name: string;
  readonly descriptor: Descriptor;
}

/** The state of an MLGraph. */
export interface GraphState {
  readonly context: ContextState;
  readonly graph: TimelineGraph;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** The graph that was built, without the blocks of its constants, which belong to the device. */
  readonly source: Graph<undefined>;
}

export const graphSlot = slot<GraphState>("MLGraph");

/** The state of an MLGraphBuilder. */
export interface BuilderState {
  readonly context: ContextState;
  readonly inputs: NamedValue[];
  readonly constants: BuilderConstant[];
  readonly nodes: Node[];
  nextId: number;
  hasBuilt: boolean;
}

/** A constant, with its own bytes or those of a constant tensor. */
export interface BuilderConstant {
  readonly value: Value;
  readonly block: TimelineBlock;
  readonly tensor: ConstantTensorState | undefined;
}

export const builderSlot = slot<BuilderState>("MLGraphBuilder");

/** The state of an MLOperand. */
export interface OperandState {
  readonly builder: BuilderState;
  readonly value: Value;
  /** What created it. Only the outputs of operators may be outputs of a graph. */
  readonly origin: "input" | "constant" | "operator";
}

export const operandSlot = slot<OperandState>("MLOperand");
