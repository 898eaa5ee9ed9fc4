/**
 * The walk through a model, node by node: known values are folded, and rows build the rest. The result has the
 * outputs, or the unsupported nodes and demanded values that prevent a graph.
 *
 * @module
 */

import type { MLGraphBuilder } from "../api/ml_graph_builder.ts";
import type { MLOperand } from "../api/ml_operand.ts";
import type { MLTensor } from "../api/ml_tensor.ts";
import type { MLOpSupportLimits } from "../api/support_limits.ts";
import { byteLength, elementCount } from "../shape.ts";
import { messageOf } from "../errors.ts";
import { type MakeConstant, placeholder } from "./constants.ts";
import { controlFlow } from "./control_flow.ts";
import { callFunction, functionOf } from "./functions.ts";
import type { KnownTensor, ModelProto, OnnxGraph, OnnxNode, ValueInfo } from "./model.ts";
import { neededNodes } from "./needed.ts";
import { NodeView } from "./node.ts";
import { type Host, Operand, Recorder } from "./operand.ts";
import type { Steps } from "../event_loop.ts";
import type { RowResult } from "./row.ts";
import { Scope, UNKNOWN, type Walking } from "./scope.ts";
import { rowOf } from "./rows/rows.ts";
import { operandType } from "./element_type.ts";
import { unsupported } from "./errors.ts";
import { type Computed, isKnown, type Value } from "./value.ts";
import { definitionOf } from "./versions.ts";

/** A node that WebNN cannot compute. */
export interface UnsupportedNode {
  /** The operator, with its domain if that is not ai.onnx. */
  readonly operator: string;
  /** The name of the node, or of its first output. */
  readonly name: string;
  /** The reason. */
  readonly reason: string;
}

/** Describes a node that WebNN cannot compute. */
export function unsupportedNode(node: OnnxNode, reason: string): UnsupportedNode {
  return { operator: operatorName(node), name: node.name || (node.outputs[0] ?? ""), reason };
}

/** The operator of a node, with its domain if that is not ai.onnx. */
export function operatorName({ domain, operator }: OnnxNode): string {
  return domain === "" ? operator : `${domain}.${operator}`;
}

/** What a walk needs. */
export interface WalkPlan {
  readonly model: ModelProto;
  readonly builder: MLGraphBuilder;
  readonly limits: MLOpSupportLimits;
  readonly makeConstant: MakeConstant;
  /** The shapes of inputs that can be WebNN tensors. Nodes that use any other input are not tried. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** Operands to use for inputs, by name. For other inputs, the walk creates inputs of the builder. */
  readonly operands?: Readonly<Record<string, MLOperand>> | undefined;
  /** The known inputs and inner values, by key. */
  readonly known: ReadonlyMap<string, KnownTensor>;
  /** The tensors of weights whose bytes were freed. */
  readonly stored?: ReadonlyMap<KnownTensor, MLTensor>;
  /** The outputs of the main graph's nodes to compute; by default those of the model. */
  readonly targets?: readonly string[];
  /** The keys of inner values to return. */
  readonly watched?: ReadonlySet<string>;
}

/** The result of a walk. */
export interface WalkResult {
  /** The values of the outputs, without those of unsupported nodes. */
  readonly outputs: ReadonlyMap<string, Value>;
  readonly unsupported: readonly UnsupportedNode[];
  /** The inputs whose elements rows demanded. */
  readonly demandedInputs: ReadonlySet<string>;
  /** The values whose elements rows demanded, and which depend only on constants. */
  readonly demandedConstants: ReadonlyMap<string, Computed>;
  /** The watched values that were found. */
  readonly watched: ReadonlyMap<string, Computed>;
  /** The inputs and constants: WebNN does not allow them as outputs of a graph. */
  readonly leaves: ReadonlySet<MLOperand>;
  /** The inputs of the model that became inputs of the graph. */
  readonly inputs: ReadonlyMap<string, MLOperand>;
}

/** Thrown if a row demands elements that only the next walk can have. */
class Demand extends Error {}

/** Limits against malicious files. */
const MAX_UNROLLED = 16384;
const MAX_CONSTANT_BYTES = 2 ** 30;
const MAX_CALLS = 64;

export class Walker implements Walking, Host {
  readonly recorder: Recorder;
  readonly #plan: WalkPlan;
  readonly #result = {
    outputs: new Map<string, Value>(),
    unsupported: [] as UnsupportedNode[],
    demandedInputs: new Set<string>(),
    demandedConstants: new Map<string, Computed>(),
    watched: new Map<string, Computed>(),
    inputs: new Map<string, MLOperand>(),
  };
  readonly #infos: ReadonlyMap<string, ValueInfo>;
  /** The number of bodies and functions around the current node. */
  #depth = 0;
  #root = "";
  #steps = 0;

  constructor(plan: WalkPlan) {
    this.#plan = plan;
    this.recorder = new Recorder(plan.builder, plan.limits, this);
    this.#infos = new Map(plan.model.graph.inputs.map((info) => [info.name, info]));
  }

  /** Walks the whole model. */
  *run(): Steps<WalkResult> {
    const { model: { graph, opsets }, targets } = this.#plan;
    const scope = new Scope(undefined, "", opsets, graph.values);
    for (const input of graph.inputs) scope.set(input.name, this.#input(input));
    const wanted = targets ?? graph.outputs.map(({ name }) => name);
    yield* this.#walkGraph(graph, scope, wanted);
    for (const name of wanted) {
      const value = scope.find(name);
      if (value === undefined) {
        this.#result.unsupported.push({ operator: "output", name, reason: "no node computes it" });
      } else if (value !== UNKNOWN) this.#result.outputs.set(name, value);
    }
    return { ...this.#result, leaves: this.recorder.leaves };
  }

  /** The value of an input of the model: known, an operand from the caller, or an input of the builder. */
  #input({ name, type }: ValueInfo): Value | typeof UNKNOWN {
    const { known, shapes, operands } = this.#plan;
    const found = known.get(name);
    if (found) return found;
    const shape = shapes.get(name);
    if (shape === undefined || type === undefined) return UNKNOWN;
    const { builder, limits } = this.#plan;
    const operand = operands?.[name] ?? builder.input(name, { dataType: operandType(type, limits), shape });
    this.#result.inputs.set(name, operand);
    return { ...this.recorder.leaf(operand, type, name), key: name, root: name };
  }

  /** The value of an initializer: known, or a constant made from its tensor. */
  #weight(value: KnownTensor, key: string): Value {
    const tensor = this.#plan.stored?.get(value);
    if (!tensor) return value;
    const known = this.#plan.known.get(key);
    return known ?? this.#renamed(this.recorder.leaf(this.#plan.builder.constant(tensor), value.type), key);
  }

  /** Walks the nodes of a graph on which the wanted values depend. */
  *#walkGraph(
    { nodes, initializers }: Pick<OnnxGraph, "nodes"> & Partial<Pick<OnnxGraph, "initializers">>,
    scope: Scope,
    wanted: readonly string[],
  ): Steps<void> {
    for (const [name, value] of initializers ?? []) scope.set(name, this.#weight(value, scope.prefix + name));
    for (const node of neededNodes(nodes, wanted)) {
      this.step();
      if (this.#depth === 0) this.#root = node.outputs.find((name) => name !== "") ?? "";
      yield* this.#visit(node, scope);
      yield;
    }
  }

  /** @see Walking.walkInner */
  *walkInner(
    ...[graph, scope, names, inputs]: Parameters<Walking["walkInner"]>
  ): Steps<(Operand | undefined)[] | undefined> {
    if (this.#depth >= MAX_CALLS) unsupported(`functions and bodies are nested more than ${MAX_CALLS} deep`);
    names.inputs.forEach((name, i) => {
      const value = inputs[i]?.value;
      if (value) scope.set(name, this.#renamed(value, scope.prefix + name));
    });
    this.#depth++;
    try {
      yield* this.#walkGraph(graph, scope, names.outputs);
    } finally {
      this.#depth--;
    }
    const outputs = names.outputs.map((name) => scope.find(name));
    if (outputs.includes(UNKNOWN)) return undefined;
    return outputs.map((value) => value && new Operand(this.recorder, value as Value));
  }

  /** @see Walking.step */
  step(): void {
    if (++this.#steps > MAX_UNROLLED + this.#plan.model.graph.nodes.length) {
      unsupported(`bodies and functions unroll to more than ${MAX_UNROLLED} nodes`);
    }
  }

  /** Builds a node, or records why that is not possible. */
  *#visit(node: OnnxNode, scope: Scope): Steps<void> {
    try {
      if (this.#isFolded(node, scope)) return;
      const made = this.#results(node, scope);
      const results = made && "next" in made ? yield* made : made;
      if (results !== undefined) return this.#define(node, scope, results);
    } catch (error) {
      if (!(error instanceof Demand)) this.#result.unsupported.push(unsupportedNode(node, messageOf(error)));
    }
    for (const name of node.outputs) if (name !== "") scope.set(name, this.#stand(name, scope));
  }

  /** If earlier walks found all results of the node, assigns them and returns true. */
  #isFolded(node: OnnxNode, scope: Scope): boolean {
    const { known } = this.#plan;
    if (known.size === 0) return false;
    const names = node.outputs.filter((name) => name !== "");
    const found = names.map((name) => known.get(scope.prefix + name));
    if (found.some((value) => value === undefined)) return false;
    names.forEach((name, i) => scope.set(name, found[i]!));
    return true;
  }

  /** The results of a node, or the steps that compute them; `undefined` if an input is unknown. */
  #results(node: OnnxNode, scope: Scope): RowResult | undefined | Steps<RowResult | undefined> {
    const operands: (Operand | undefined)[] = [];
    let hasUnknown = false;
    for (const name of node.inputs) {
      const value = name === "" ? undefined : this.#find(scope, name);
      if (value === UNKNOWN) hasUnknown = true;
      else operands.push(value && new Operand(this.recorder, value));
    }
    const call = functionOf(this.#plan.model, node);
    const row = rowOf(node);
    const flow = row ? undefined : controlFlow(node);
    if (!call && !row && !flow) unsupported(NO_SUCH_OPERATOR);
    if (hasUnknown) return undefined;
    if (call) return callFunction(this, call, node, operands, scope);
    const view = new NodeView(this.recorder, node, operands, definitionOf(node, scope.opsets, row?.since));
    if (!row) return flow!(this, view, scope);
    for (let i = 0; i < row.inputs; i++) view.input(i);
    return row.build(view, ...operands as Operand[]);
  }

  #find(scope: Scope, name: string): Value | typeof UNKNOWN {
    return scope.find(name) ?? unsupported(`no earlier node computes its input ${JSON.stringify(name)}`);
  }

  /** Assigns the outputs of a node. */
  #define(node: OnnxNode, scope: Scope, results: RowResult): void {
    const list = results instanceof Operand ? [results] : results;
    for (const [i, name] of node.outputs.entries()) {
      if (name === "") continue;
      const { value } = list[i] ?? unsupported(`output ${i} is not supported`);
      if (!isKnown(value)) checkSize(value);
      scope.set(name, this.#renamed(value, scope.prefix + name));
    }
  }

  /** The value with a new key; or the known value, if an earlier walk found one for that key. */
  #renamed(value: Value, key: string): Value {
    if (isKnown(value)) return value;
    const found = this.#plan.known.get(key);
    if (found) return found;
    const renamed: Computed = { ...value, key, root: this.#root };
    if (this.#plan.watched?.has(key)) this.#result.watched.set(key, renamed);
    return renamed;
  }

  /**
   * Replaces the result of an unsupported node by an input with the declared shape, so that later nodes are tried too.
   */
  #stand(name: string, scope: Scope): Value | typeof UNKNOWN {
    const info = scope.infos().get(name);
    if (!info?.type || info.type === "string" || !info.shape?.every((size) => typeof size === "number" && size > 0)) {
      return UNKNOWN;
    }
    // The declared shape may be wrong once a demanded value is known.
    if (this.#hasDemands) return UNKNOWN;
    const shape = info.shape as number[];
    try {
      const { builder, limits } = this.#plan;
      const operand = builder.input(name, { dataType: operandType(info.type, limits), shape });
      const value = this.recorder.leaf(operand, info.type, `the output ${name} of an unsupported node`);
      return { ...value, key: scope.prefix + name };
    } catch {
      return UNKNOWN;
    }
  }

  get #hasDemands(): boolean {
    return this.#result.demandedInputs.size + this.#result.demandedConstants.size > 0;
  }

  /** @see Host.makeConstant */
  makeConstant(): MakeConstant {
    // This walk will not give a graph, so copying weights would waste time.
    return this.#hasDemands || this.#result.unsupported.length > 0 ? placeholder : this.#plan.makeConstant;
  }

  /** @see Host.demand */
  demand(value: Value, what: string): KnownTensor {
    if (isKnown(value)) return value;
    if (value.sources.size === 0) this.#result.demandedConstants.set(value.key, value);
    for (const source of value.sources) {
      const info = this.#infos.get(source);
      const shape = this.#plan.shapes.get(source);
      if (!info || !shape || !decides(info, shape)) {
        unsupported(
          `${what} must be constant, not computed from ${info ? `the input ${source}` : source}`,
        );
      }
    }
    for (const source of value.sources) this.#result.demandedInputs.add(source);
    throw new Demand();
  }
}

/** Limits the memory for constants that the engine computes. */
function checkSize({ operand, sources }: Computed): void {
  const bytes = byteLength(operand);
  if (sources.size > 0 || bytes <= MAX_CONSTANT_BYTES) return;
  unsupported(`its constant result has ${bytes} bytes; the limit is ${MAX_CONSTANT_BYTES}`);
}

/** Whether the importer knows the operator of a node, or the model defines it. */
export function isOperator(model: ModelProto, node: OnnxNode): boolean {
  return (rowOf(node) ?? controlFlow(node) ?? functionOf(model, node)) !== undefined;
}

/** The reason for a node with an unknown operator. */
export const NO_SUCH_OPERATOR = "the importer does not support the operator";

/** Whether a graph may depend on an input's elements. New elements need a new graph, so only small inputs may. */
function decides({ type }: ValueInfo, shape: readonly number[]): boolean {
  const count = elementCount(shape);
  return count <= 16 || (count <= 4096 && /^u?int|^bool/.test(type ?? ""));
}
