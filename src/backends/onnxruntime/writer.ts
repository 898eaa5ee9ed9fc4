/**
 * Collects the nodes of an ONNX graph while a WebNN graph is lowered.
 *
 * @module
 */

import { ElementType } from "../../../ffi/onnxruntime/enums.ts";
import { type Constant, type Node, operandsOf, type Value } from "../../graph/graph.ts";
import { sameShape, type Shape } from "../../shape.ts";
import {
  type ConstantData,
  describeAttributes,
  type LoweredGraph,
  MICROSOFT,
  type OnnxAttributes,
  type OnnxInitializer,
  type OnnxNode,
  type OnnxType,
  type OnnxValueInfo,
} from "./onnx.ts";
import { elementBytes } from "./element_bytes.ts";

/** An operand of an ONNX node: a value of the WebNN graph, the name of a lowered value, or a missing optional one. */
export type Operand = Value | string | undefined;

/** The settings that determine how operators are written. */
export interface LoweringSettings {
  /** Whether float32 may be computed with reduced precision. */
  readonly allowReducedPrecision?: boolean | undefined;
  /** The name of the provider; by default, that of the CPU. */
  readonly provider?: string | undefined;
}

/** The size up to which a user's constant is compared with others. */
const MAX_SHARED_BYTES = 64;

/** Nodes that can keep all elements in order; the engine drops them if they do. */
const ORDER_KEEPING: readonly string[] = ["Expand", "Identity", "Reshape", "Slice", "Transpose"];

/** A graph under construction. Methods that add a node return the name of its output. */
export class OnnxWriter {
  readonly #names = new Map<Value, string>();
  /** The names of shared initializers, by what determines them. */
  readonly #shared = new Map<string, string>();
  /** The outputs of every node, by everything that determines them. */
  readonly #computed = new Map<string, string[]>();
  /** The constants of the WebNN graph. They become initializers when a node uses them. */
  readonly #constants = new Map<Value, Constant<ConstantData>>();
  readonly #producers = new Map<Value, Node>();
  readonly #inputs: OnnxValueInfo[] = [];
  readonly #outputs: OnnxValueInfo[] = [];
  readonly #initializers: OnnxInitializer[] = [];
  readonly #nodes: OnnxNode[] = [];
  readonly #origins: Node[] = [];
  #origin: Node | undefined;
  #label = "";
  #count = 0;

  constructor(readonly settings: LoweringSettings) {}

  /** The graph so far. */
  get graph(): LoweredGraph {
    return {
      inputs: this.#inputs,
      outputs: this.#outputs,
      initializers: this.#initializers,
      nodes: this.#nodes,
      origins: this.#origins,
    };
  }

  /** Adds a node with one output, or returns the output of an equal node. */
  node(op: string, inputs: readonly Operand[], attributes: OnnxAttributes = {}): string {
    return this.nodes(op, inputs, 1, attributes)[0]!;
  }

  /** Adds a node with several outputs. */
  nodes(op: string, inputs: readonly Operand[], outputCount: number, attributes: OnnxAttributes = {}): string[] {
    return this.#add("", op, inputs, outputCount, attributes);
  }

  /** Adds a node of ONNX Runtime's own domain. */
  microsoft(op: string, inputs: readonly Operand[], attributes: OnnxAttributes = {}): string {
    return this.#add(MICROSOFT, op, inputs, 1, attributes)[0]!;
  }

  /** Casts to another element type. */
  cast(input: Operand, dataType: OnnxType): string {
    return this.node("Cast", [input], { to: ElementType[dataType] });
  }

  /** Permutes the dimensions. Does nothing for the identity permutation. */
  transpose(input: Operand, permutation: readonly number[]): Operand {
    return permutation.every((axis, i) => axis === i) ? input : this.node("Transpose", [input], { perm: permutation });
  }

  /** Reshapes. */
  reshape(input: Operand, shape: Shape): string {
    return this.node("Reshape", [input, this.ints(shape)]);
  }

  /** A 1-D int64 constant, for axes and shapes. */
  ints(values: readonly number[]): string {
    return this.constant("int64", [values.length], values);
  }

  /** A 0-D constant. */
  scalar(dataType: OnnxType, value: number | bigint): string {
    return this.constant(dataType, [], [value]);
  }

  /** A constant; equal constants are shared. A single value fills the whole shape. */
  constant(dataType: OnnxType, shape: Shape, values: readonly (number | bigint)[]): string {
    const key = `${dataType}[${shape}]${values.map((value) => Object.is(value, -0) ? "-0" : value)}`;
    return this.#shared.getOrInsertComputed(key, () => {
      const name = `c${this.#shared.size}`;
      this.#initializers.push({ name, dataType, shape, data: elementBytes(dataType, shape, values) });
      return name;
    });
  }

  /** Declares an input of the graph. */
  addInput(value: Value): void {
    const name = `v${value.id}`;
    this.#names.set(value, name);
    this.#inputs.push({ name, dataType: value.dataType, shape: value.shape });
  }

  /** Makes a constant with its bytes in a block known to the nodes. */
  addConstant(constant: Constant<ConstantData>): void {
    this.#constants.set(constant.value, constant);
  }

  /** Whether a value is a user's constant. */
  isConstant(value: Value): boolean {
    return this.#constants.has(value);
  }

  /** The bytes of a value that is a user's constant, for lowerings that benefit from knowing them. */
  constantBytes(value: Value): Uint8Array | undefined {
    return this.isConstant(value) ? this.#constants.get(value)!.block.bytes : undefined;
  }

  /** Whether a node of this type has been written. */
  has(op: string): boolean {
    return this.#nodes.some((node) => node.op === op);
  }

  /** The type of the node that computes the elements of a value. Skips nodes that can keep all elements in order. */
  originOf(operand: Operand): string | undefined {
    const name = this.#nameOf(operand);
    const node = this.#nodes.find(({ outputs }) => outputs.includes(name));
    return node && ORDER_KEEPING.includes(node.op) ? this.originOf(node.inputs[0]) : node?.op;
  }

  /**
   * A user's constant with another shape and its own bytes: for small ones that must be constants, not results of a
   * node.
   */
  reshapedConstant(value: Value, shape: Shape): Operand {
    if (sameShape(value.shape, shape)) return value;
    const { dataType, id } = value;
    return this.#initializer({ name: `v${id}[${shape}]`, dataType, shape, data: this.constantBytes(value)!.slice() });
  }

  /** Declares an output of the graph. ONNX requires unique names, so a value that is already an output is copied. */
  addOutput(value: Value): void {
    const name = this.#nameOf(value);
    const isTaken = [...this.#outputs, ...this.#inputs].some((other) => other.name === name);
    const { dataType, shape } = value;
    this.#outputs.push({ name: isTaken ? this.#append("", "Identity", [name], 1, {})[0]! : name, dataType, shape });
  }

  /** Assigns the results of a lowering to the outputs of a WebNN node. */
  bind(node: Node, names: readonly Operand[]): void {
    for (let i = 0; i < node.outputs.length; i++) {
      this.#names.set(node.outputs[i]!, this.#nameOf(names[i]));
      this.#producers.set(node.outputs[i]!, node);
    }
  }

  /** The node that computes a value; `undefined` for inputs and constants. */
  producerOf(value: Value): Node | undefined {
    return this.#producers.get(value);
  }

  /** Whether a value does not depend on the graph's inputs. */
  isFixed(value: Value): boolean {
    const node = this.producerOf(value);
    return node ? operandsOf(node).every((operand) => this.isFixed(operand)) : this.isConstant(value);
  }

  /** Starts a WebNN node: errors about the following nodes name its operator and label. */
  begin(node: Node): void {
    const { label, operator } = node;
    this.#origin = node;
    // deno-lint-ignore no-control-regex -- C strings end at NUL, and a log line at the next control character
    this.#label = label === "" ? operator : `${operator} [${label.replace(/[\0-\x1f\x7f]/g, "\uFFFD")}]`;
  }

  #add(
    domain: string,
    op: string,
    inputs: readonly Operand[],
    outputCount: number,
    attributes: OnnxAttributes,
  ): string[] {
    const inputNames = this.#inputNames(inputs);
    const key = JSON.stringify([domain, op, inputNames, outputCount, describeAttributes(attributes)]);
    return this.#computed.getOrInsertComputed(key, () => this.#append(domain, op, inputNames, outputCount, attributes));
  }

  #append(
    domain: string,
    op: string,
    inputs: readonly string[],
    outputCount: number,
    attributes: OnnxAttributes,
  ): string[] {
    const outputs: string[] = [];
    for (let i = 0; i < outputCount; i++) outputs.push(`t${this.#count++}`);
    this.#nodes.push({ op, domain, name: `${this.#label} #${this.#nodes.length}`, inputs, outputs, attributes });
    this.#origins.push(this.#origin!);
    return outputs;
  }

  /** Leaves out missing optional inputs at the end: some of ONNX Runtime's optimisers crash on an empty name there. */
  #inputNames(inputs: readonly Operand[]): string[] {
    const names: string[] = [];
    for (let i = 0; i < inputs.length; i++) names.push(this.#nameOf(inputs[i]));
    while (names.at(-1) === "") names.pop();
    return names;
  }

  #nameOf(operand: Operand): string {
    if (operand === undefined) return "";
    if (typeof operand === "string") return operand;
    return this.#names.getOrInsertComputed(operand, () => this.#constantName(operand));
  }

  /** Declares a constant that a node uses for the first time. */
  #constantName(value: Value): string {
    const constant = this.#constants.get(value);
    if (!constant) throw new Error(`Operand ${value.id} is used before it is computed`);
    const { dataType, shape } = value;
    return this.#initializer({ name: `v${value.id}`, dataType, shape, data: constant.block });
  }

  /** Declares an initializer. Small equal ones are shared. */
  #initializer(initializer: OnnxInitializer): string {
    const { name, dataType, shape, data } = initializer;
    const bytes = data.byteLength > MAX_SHARED_BYTES ? undefined : data instanceof Uint8Array ? data : data.bytes;
    return this.#shared.getOrInsertComputed(bytes ? `${dataType}[${shape}]=${bytes.toHex()}` : name, () => {
      this.#initializers.push({ name, dataType, shape, data });
      return name;
    });
  }
}
