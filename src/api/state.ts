/**
 * What the objects of the interfaces hold: their internal slots.
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

/** What a context is. */
export interface ContextState {
  readonly timeline: Timeline;
  readonly lost: Promise<{ readonly message: string }>;
  /** The limits of each operator, computed when they are first needed. */
  readonly limits: Map<OperatorName, OperatorLimits>;
}

/** The internal slots of a context. */
export const contextSlot = slot<ContextState>("MLContext");

/** What a tensor is. */
export type TensorState = DeviceTensorState | ConstantTensorState;

/** A tensor of the device. */
export interface DeviceTensorState extends CommonTensorState {
  readonly kind: "device";
  readonly readable: boolean;
  readonly writable: boolean;
  readonly storage: TimelineTensor;
  /** Of an exportable tensor. */
  readonly rental: Rental | undefined;
}

/** The bytes of a constant, which only builders take. */
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
  /** The dispatch that it was last passed to, to find a tensor that is passed twice. */
  lastDispatch: number;
}

/** The internal slots of a tensor. */
export const tensorSlot = slot<TensorState>("MLTensor");

/** Whether a tensor was destroyed, by itself or with its context. */
export function isDestroyed({ context, storage }: TensorState): boolean {
  return storage.destroyed || context.timeline.isLost;
}

/** A named input or output of a graph. */
export interface Port {
  readonly name: string;
  readonly descriptor: Descriptor;
}

/** What a graph is. */
export interface GraphState {
  readonly context: ContextState;
  readonly graph: TimelineGraph;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** What was built; the blocks of its constants belong to the device. */
  readonly source: Graph<undefined>;
}

/** The internal slots of a graph. */
export const graphSlot = slot<GraphState>("MLGraph");

/** What a builder has been told. */
export interface BuilderState {
  readonly context: ContextState;
  readonly inputs: NamedValue[];
  readonly constants: BuilderConstant[];
  readonly nodes: Node[];
  nextId: number;
  hasBuilt: boolean;
}

/** A constant with bytes of its own, or that of a constant tensor. */
export interface BuilderConstant {
  readonly value: Value;
  readonly block: TimelineBlock;
  readonly tensor: ConstantTensorState | undefined;
}

/** The internal slots of a builder. */
export const builderSlot = slot<BuilderState>("MLGraphBuilder");

/** What an operand is. */
export interface OperandState {
  readonly builder: BuilderState;
  readonly value: Value;
  /** Where it comes from: only what an operator computed may be an output of the graph. */
  readonly origin: "input" | "constant" | "operator";
}

/** The internal slots of an operand. */
export const operandSlot = slot<OperandState>("MLOperand");
