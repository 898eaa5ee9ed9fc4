/**
 * The walk through a model, node by node: known values are folded, and rows build the rest. The result has operands for
 * the outputs, or the list of obstacles.
 *
 * @module
 */

import type { MLGraphBuilder } from "../api/ml_graph_builder.ts";
import type { MLNumber } from "../api/dictionaries.ts";
import type { MLOperand } from "../api/ml_operand.ts";
import type { MLTensor } from "../api/ml_tensor.ts";
import type { MLOpSupportLimits } from "../api/support_limits.ts";
import type { MLOperandDataType } from "../data_type.ts";
import { byteLength, sameShape } from "../shape.ts";
import { messageOf } from "../errors.ts";
import { type MakeConstant, placeholder, WEIGHT_BYTES } from "./constants.ts";
import { controlFlow } from "./control_flow.ts";
import { type Evaluator, evaluatorOf } from "./evaluate/evaluate.ts";
import { callFunction, functionOf } from "./functions.ts";
import type { Known, ModelProto, OnnxGraph, OnnxNode, ValueInfo } from "./model.ts";
import { neededNodes } from "./needed.ts";
import { NodeView } from "./node.ts";
import type { Steps } from "../event_loop.ts";
import type { RowResult } from "./row.ts";
import { Scope, UNKNOWN, type Walking } from "./scope.ts";
import { keeps16Bits, takes16Bits } from "./sixteen_bits.ts";
import { Sources } from "./sources.ts";
import { rowOf } from "./rows/rows.ts";
import { type Computed, is16Bit, isKnown, operandType, sizeOf, Unsupported, type Value } from "./value.ts";
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

/** The input of a walk. */
export interface WalkPlan {
  readonly model: ModelProto;
  readonly builder: MLGraphBuilder;
  readonly limits: MLOpSupportLimits;
  readonly makeConstant: MakeConstant;
  /** The shape of each input of the model that is a tensor of WebNN; nodes that take another are not tried. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** Operands to use for inputs; `undefined` creates inputs of the builder. */
  readonly operands?: Readonly<Record<string, MLOperand>> | undefined;
  /** The known inputs and inner values, by key. */
  readonly known: ReadonlyMap<string, Known>;
  /** The tensors that have the weights, whose bytes were freed. */
  readonly stored?: ReadonlyMap<Known, MLTensor>;
  /** The outputs of the main graph's nodes to compute; by default those of the model. */
  readonly targets?: readonly string[];
  /** The keys of inner values to return. */
  readonly watched?: ReadonlySet<string>;
}

/** The result of a walk. */
export interface WalkResult {
  /** The values of the outputs, without those of unsupported nodes. */
  readonly outputs: ReadonlyMap<string, Value>;
  readonly refusals: readonly UnsupportedNode[];
  /** The inputs whose elements rows demanded. */
  readonly demandedInputs: ReadonlySet<string>;
  /** The values without sources whose elements rows demanded. */
  readonly demandedConstants: ReadonlyMap<string, Computed>;
  /** The watched values that were found. */
  readonly watched: ReadonlyMap<string, Computed>;
  /** The operands that are not results of an operator; they cannot be outputs of a graph directly. */
  readonly leaves: ReadonlySet<MLOperand>;
  /** The inputs of the model that the graph has. */
  readonly inputs: ReadonlyMap<string, MLOperand>;
}

/** Thrown if elements are demanded that are available, but not in this walk. */
class Demand extends Error {}

/** The maximum number of elements of known inputs to fold; larger ones are left to the engine. */
const FOLD_ELEMENTS = 65536;

/** Limits against malicious files. */
const MAX_UNROLLED = 16384;
const MAX_CONSTANT_BYTES = 2 ** 30;
const MAX_CALLS = 64;

export class Walker implements Walking {
  readonly builder: MLGraphBuilder;
  readonly limits: MLOpSupportLimits;
  readonly #plan: WalkPlan;
  readonly #constants = new Map<Known, MLOperand>();
  readonly #scalars = new Map<string, MLOperand>();
  /** The values of small constants. */
  readonly #small = new Map<MLOperand, Known>();
  /** Known values in other shapes. */
  readonly #shapes = new Map<Known, Map<string, Known>>();
  readonly #sources = new Sources();
  readonly #inputs = new Map<string, MLOperand>();
  readonly #leaves = new Set<MLOperand>();
  readonly #weights = new Set<MLOperand>();
  readonly #watched = new Map<string, Computed>();
  readonly #refusals: UnsupportedNode[] = [];
  readonly #demandedInputs = new Set<string>();
  readonly #demandedConstants = new Map<string, Computed>();
  readonly #infos: ReadonlyMap<string, ValueInfo>;
  /** The number of bodies and functions around the current node. */
  #depth = 0;
  #root = "";
  #steps = 0;

  constructor(plan: WalkPlan) {
    this.#plan = plan;
    this.builder = this.#sources.track(plan.builder);
    this.limits = plan.limits;
    this.#infos = new Map(plan.model.graph.inputs.map((info) => [info.name, info]));
  }

  /** Walks the whole model. */
  *run(): Steps<WalkResult> {
    const { model: { graph, opsets }, targets } = this.#plan;
    const scope = new Scope(undefined, "", opsets, graph.values);
    for (const input of graph.inputs) scope.set(input.name, this.#input(input));
    const wanted = targets ?? graph.outputs.map(({ name }) => name);
    yield* this.walkGraph(graph, scope, wanted);
    const outputs = new Map<string, Value>();
    for (const name of wanted) {
      const value = this.#output(scope, name);
      if (value !== undefined) outputs.set(name, value);
    }
    return {
      outputs,
      refusals: this.#refusals,
      demandedInputs: this.#demandedInputs,
      demandedConstants: this.#demandedConstants,
      watched: this.#watched,
      leaves: this.#leaves,
      inputs: this.#inputs,
    };
  }

  #output(scope: Scope, name: string): Value | undefined {
    const value = scope.find(name);
    if (value === undefined) this.#refusals.push({ operator: "output", name, reason: "no node computes it" });
    return value === UNKNOWN ? undefined : value;
  }

  /** The value of an input of the model: known, an operand from the caller, or an input of the builder. */
  #input({ name, type }: ValueInfo): Value | typeof UNKNOWN {
    const { known, shapes, operands } = this.#plan;
    const found = known.get(name);
    if (found) return found;
    const shape = shapes.get(name);
    if (shape === undefined || type === undefined) return UNKNOWN;
    const descriptor = { dataType: operandType(type, this.limits), shape };
    const operand = operands?.[name] ?? this.builder.input(name, descriptor);
    this.#inputs.set(name, operand);
    this.#leaves.add(operand);
    this.#sources.set(operand, name);
    return { ...this.computed(operand), key: name, root: name, is16Bit: type === "int16" || type === "uint16" };
  }

  /** @see Walking.walkGraph */
  *walkGraph(graph: OnnxGraph, scope: Scope, wanted: readonly string[]): Steps<void> {
    for (const [name, value] of graph.initializers) scope.set(name, this.#weight(value, scope.prefix + name));
    yield* this.walkNodes(graph.nodes, scope, wanted);
  }

  /** An initializer: a known value, or the constant of a tensor. */
  #weight(value: Known, key: string): Value {
    const tensor = this.#plan.stored?.get(value);
    if (!tensor) return value;
    const known = this.#plan.known.get(key);
    if (known) return known;
    const operand = this.builder.constant(tensor);
    this.#leaves.add(operand);
    this.#weights.add(operand);
    return this.renamed({ ...this.computed(operand), is16Bit: is16Bit(value) }, key);
  }

  /** @see Walking.walkNodes */
  *walkNodes(nodes: readonly OnnxNode[], scope: Scope, wanted: readonly string[]): Steps<void> {
    for (const node of neededNodes(nodes, wanted)) {
      this.step();
      if (this.#depth === 0) this.#root = node.outputs.find((name) => name !== "") ?? "";
      yield* this.#visit(node, scope);
      yield;
    }
  }

  /** @see Walking.step */
  step(): void {
    if (++this.#steps > MAX_UNROLLED + this.#plan.model.graph.nodes.length) {
      throw new Unsupported(`bodies and functions unroll to more than ${MAX_UNROLLED} nodes`);
    }
  }

  /** @see Walking.within */
  *within(steps: Steps<void>): Steps<void> {
    if (this.#depth >= MAX_CALLS) throw new Unsupported(`functions and bodies are nested more than ${MAX_CALLS} deep`);
    this.#depth++;
    try {
      yield* steps;
    } finally {
      this.#depth--;
    }
  }

  /** Builds a node, or records why that is not possible. */
  *#visit(node: OnnxNode, scope: Scope): Steps<void> {
    try {
      if (this.#isFolded(node, scope)) return;
      const results = yield* this.#results(node, scope);
      if (results !== undefined) return this.#define(node, scope, results);
    } catch (error) {
      if (!(error instanceof Demand)) this.#refuse(node, error);
    }
    for (const name of node.outputs) if (name !== "") scope.set(name, this.#stand(name, scope));
  }

  /** Whether earlier walks found all results of the node. */
  #isFolded(node: OnnxNode, scope: Scope): boolean {
    const { known } = this.#plan;
    if (known.size === 0) return false;
    const names = node.outputs.filter((name) => name !== "");
    const found = names.map((name) => known.get(scope.prefix + name));
    if (found.some((value) => value === undefined)) return false;
    names.forEach((name, i) => scope.set(name, found[i]!));
    return true;
  }

  /** The results of a node; `undefined` if an input is unknown. */
  *#results(node: OnnxNode, scope: Scope): Steps<RowResult | undefined> {
    const inputs = node.inputs.map((name) => name === "" ? undefined : this.#find(scope, name));
    const call = functionOf(this.#plan.model, node);
    if (!call && !isOperator(node.domain, node.operator)) throw new Unsupported(NO_SUCH_OPERATOR);
    if (inputs.includes(UNKNOWN)) return undefined;
    const values = inputs as (Value | undefined)[];
    if (call) return yield* callFunction(this, call, node, values, scope);
    const flow = controlFlow(node.domain, node.operator);
    const row = rowOf(node.domain, node.operator);
    const evaluator = evaluatorOf(node.domain, node.operator);
    const view = new NodeView(this, node, values, definitionOf(node, scope.opsets, row?.since));
    if (flow) return yield* flow(this, view, scope);
    const folded = evaluator && fold(evaluator, view);
    if (folded !== undefined) return folded;
    if (!row) throw new Unsupported("the importer computes it only if all inputs are constants");
    if (!values.some((value) => value && is16Bit(value))) return row.build(view);
    if (!takes16Bits(node)) throw new Unsupported("16-bit integers would wrap, but WebNN's int32 does not");
    const built = row.build(view);
    return keeps16Bits(node) ? this.#as16Bits(built) : built;
  }

  /** Marks operands whose type in the model is a 16-bit integer. */
  #as16Bits(results: RowResult): readonly (Value | undefined)[] {
    const list = Array.isArray(results) ? results as readonly (MLOperand | Value | undefined)[] : [results];
    return (list as readonly (MLOperand | Value | undefined)[]).map((result) =>
      result === undefined || isValue(result) ? result : { ...this.computed(result), is16Bit: true }
    );
  }

  #find(scope: Scope, name: string): Value | typeof UNKNOWN {
    const found = scope.find(name);
    if (found === undefined) throw new Unsupported(`no earlier node computes its input ${JSON.stringify(name)}`);
    return found;
  }

  /** Assigns the outputs of a node. */
  #define(node: OnnxNode, scope: Scope, results: RowResult): void {
    const list = Array.isArray(results) ? results as readonly (MLOperand | Value | undefined)[] : [results];
    node.outputs.forEach((name, i) => {
      if (name === "") return;
      const result = list[i] as MLOperand | Value | undefined;
      if (result === undefined) throw new Unsupported(`output ${i} is not supported`);
      if (isValue(result)) return scope.set(name, this.renamed(result, scope.prefix + name));
      scope.set(name, this.renamed(this.computed(result), scope.prefix + name));
    });
  }

  /** @see Walking.renamed */
  renamed(value: Value, key: string): Value {
    if (isKnown(value)) return value;
    const found = this.#plan.known.get(key);
    if (found) return found;
    const renamed: Computed = { ...value, key, root: this.#root };
    if (this.#plan.watched?.has(key)) this.#watched.set(key, renamed);
    return renamed;
  }

  /** @see Walking.computed */
  computed(operand: MLOperand): Computed {
    const sources = this.#sources.of(operand);
    if (sources.size === 0 && byteLength(operand) > MAX_CONSTANT_BYTES) {
      throw new Unsupported(
        `its result is a constant of ${byteLength(operand)} bytes; the limit is ${MAX_CONSTANT_BYTES} bytes`,
      );
    }
    return { operand, type: operand.dataType, shape: operand.shape, sources, key: "", root: this.#root };
  }

  /**
   * Replaces the result of an unsupported node by an input with the declared shape, so that later nodes are tried too.
   */
  #stand(name: string, scope: Scope): Value | typeof UNKNOWN {
    const info = scope.infos().get(name);
    if (!info?.type || info.type === "string" || !info.shape?.every((size) => typeof size === "number" && size > 0)) {
      return UNKNOWN;
    }
    // A demanded value may lead to another shape.
    if (this.#demandedInputs.size + this.#demandedConstants.size > 0) return UNKNOWN;
    const shape = info.shape as number[];
    try {
      const operand = this.builder.input(name, { dataType: operandType(info.type, this.limits), shape });
      this.#sources.set(operand, `the output ${name} of an unsupported node`);
      return { ...this.computed(operand), key: scope.prefix + name };
    } catch {
      return UNKNOWN;
    }
  }

  #refuse(node: OnnxNode, error: unknown): void {
    const name = node.name || (node.outputs[0] ?? "");
    const operator = node.domain === "" ? node.operator : `${node.domain}.${node.operator}`;
    this.#refusals.push({ operator, name, reason: messageOf(error) });
  }

  /** @see Walk.constant */
  constant(value: Known, shape: readonly number[] = value.shape): MLOperand {
    const shaped = this.#inShape(value, shape);
    let operand = this.#constants.get(shaped);
    if (!operand) {
      // The walk will not result in a graph any more, so no weights need to be copied.
      const make = this.#isInVain ? placeholder : this.#plan.makeConstant;
      operand = make(this.builder, shaped, this.limits);
      this.#constants.set(shaped, operand);
      this.#leaves.add(operand);
      if (value.bytes.byteLength < WEIGHT_BYTES) this.#small.set(operand, value);
    }
    return operand;
  }

  /** A known value in another shape: one for each shape, so that each has only one constant. */
  #inShape(value: Known, shape: readonly number[]): Known {
    if (sameShape(value.shape, shape)) return value;
    const shapes = this.#shapes.get(value) ?? new Map<string, Known>();
    this.#shapes.set(value, shapes);
    const shaped = shapes.get(`${shape}`) ?? { ...value, shape };
    shapes.set(`${shape}`, shaped);
    return shaped;
  }

  /** @see Walk.scalar */
  scalar(type: MLOperandDataType, value: MLNumber): MLOperand {
    const key = `${type} ${Object.is(value, -0) ? "-0" : value}`;
    let operand = this.#scalars.get(key);
    if (!operand) {
      operand = this.builder.constant(type, value);
      this.#scalars.set(key, operand);
      this.#leaves.add(operand);
    }
    return operand;
  }

  /** @see Walk.reshaped */
  reshaped(operand: MLOperand, shape: readonly number[]): MLOperand | undefined {
    const value = this.#small.get(operand);
    return value && this.constant(value, shape);
  }

  get #isInVain(): boolean {
    return this.#refusals.length + this.#demandedInputs.size + this.#demandedConstants.size > 0;
  }

  /** @see Walk.isWeight */
  isWeight(value: Value): boolean {
    return !isKnown(value) && this.#weights.has(value.operand);
  }

  /** @see Walk.demand */
  demand(value: Value, what: string): Known {
    if (isKnown(value)) return value;
    if (value.sources.size === 0) this.#demandedConstants.set(value.key, value);
    for (const source of value.sources) {
      const info = this.#infos.get(source);
      const shape = this.#plan.shapes.get(source);
      if (!info || !shape || !decides(info, shape)) {
        throw new Unsupported(`${what} depends on ${info ? `the elements of the input ${source}` : source}`);
      }
    }
    for (const source of value.sources) this.#demandedInputs.add(source);
    throw new Demand();
  }
}

function isValue(result: MLOperand | Value): result is Value {
  return "sources" in result || "bytes" in result;
}

/** Whether the importer knows an operator. */
export function isOperator(domain: string, name: string): boolean {
  return (rowOf(domain, name) ?? controlFlow(domain, name) ?? evaluatorOf(domain, name)) !== undefined;
}

/** The reason for a node with an unknown operator. */
export const NO_SUCH_OPERATOR = "the importer does not support the operator";

/** The result of the evaluator for a node, if possible. */
function fold(evaluator: Evaluator, node: NodeView): RowResult | undefined {
  if (!evaluator.appliesTo(node)) return undefined;
  const size = node.inputs.reduce((sum, value) => sum + (value && isKnown(value) ? sizeOf(value.shape) : 0), 0);
  return evaluator.anySize || size <= FOLD_ELEMENTS ? evaluator.evaluate(node) : undefined;
}

/** Whether graphs may be built for the elements of an input: if there are few, or a moderate number of integers. */
function decides({ type }: ValueInfo, shape: readonly number[]): boolean {
  const count = sizeOf(shape);
  return count <= 16 || (count <= 4096 && /^u?int|^bool/.test(type ?? ""));
}
