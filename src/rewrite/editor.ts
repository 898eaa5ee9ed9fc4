/**
 * Rewrites a graph: the queries that rewrites make, and the replacement of nodes.
 *
 * @module
 */

import type { Steps } from "../event_loop.ts";
import { bitsOf, type MLOperandDataType } from "../data_type.ts";
import { type Constant, type Graph, type Node, operandsOf, type Value } from "../graph/graph.ts";
import { byteLength, type Descriptor, sameShape, type Shape } from "../shape.ts";
import type { AnyName, AnyNode } from "./fused.ts";

/** A backend's storage for the bytes of constants. */
export interface ConstantStore<Block> {
  /** The bytes of a block, not a copy, valid until it is released. */
  read(block: Block): Uint8Array;
  /** Creates a block and lets `write` fill it. */
  store(byteLength: number, write: (bytes: Uint8Array<ArrayBuffer>) => void): Block;
  /** Changes the bytes of a block in place, before they are next read. */
  change(block: Block, edit: (bytes: Uint8Array) => void): void;
  /** Frees a block that no node needs any more. */
  release(block: Block): void;
  /** Returns the block derived from a shared one under this key; computes it if needed. The shared block owns it. */
  derive(shared: Block, key: string, compute: () => Uint8Array): Block;
}

/** The replacement of a node. The node's label and outputs stay. */
export interface Replacement<Name extends AnyName = AnyName> {
  readonly operator: Name;
  /** Additional outputs, which other nodes computed before. */
  readonly furtherOutputs?: readonly Value[];
  readonly operands: AnyNode<Name>["operands"];
  readonly attributes: AnyNode<Name>["attributes"];
}

/** Makes a replacement; operands and attributes are checked against the operator. */
export function become<Name extends AnyName>(
  operator: Name,
  operands: AnyNode<Name>["operands"],
  attributes: AnyNode<Name>["attributes"],
  furtherOutputs: readonly Value[] = [],
): Replacement {
  return { operator, operands, attributes, furtherOutputs } as unknown as Replacement;
}

/** What a rewrite can read of the graph and add to it, for any backend. */
export interface GraphView {
  /** The node that computes a value, if its operator has one of these names. */
  producer<Name extends AnyName>(value: Value | undefined, ...names: readonly Name[]): AnyNode<Name> | undefined;
  /** Whether only these nodes and `last` use the outputs of `nodes`, and none of them is an output of the graph. */
  areInner(nodes: Iterable<Node>, ...last: readonly Node[]): boolean;
  /** The nodes that use a value. */
  users(value: Value): Iterable<Node>;
  /** Whether a value is an output of the graph. */
  isOutput(value: Value): boolean;
  /** Whether a value is a constant, also after reshapes. */
  isConstant(value: Value): boolean;
  /** The bytes of a constant, also after reshapes; `undefined` if the value is computed or an input. */
  bytes(value: Value): Uint8Array | undefined;
  /** The number that all elements of a floating-point constant equal; `undefined` for other values. */
  uniform(value: Value | undefined): number | undefined;
  /** Creates a constant and lets `write` fill it. Its memory is not cleared before. */
  constant(descriptor: Descriptor, write: (bytes: Uint8Array<ArrayBuffer>) => void): Value;
  /**
   * Creates a constant computed from another one. If graphs share the source, it is computed once for all of them.
   * @param key identifies the computation among those of the same source
   */
  derived(source: Value, key: string, descriptor: Descriptor, compute: () => Uint8Array): Value;
  /** The elements of an int8 constant plus 128, as uint8. */
  unsigned(value: Value): Value;
  /** Views a constant as another data type and shape of the same byte length, without a copy. */
  viewOf(value: Value, descriptor: Descriptor): Value;
  /** Inserts a node before the current one, and returns its output. */
  insert<Name extends AnyName>(
    operator: Name,
    operands: AnyNode<Name>["operands"],
    attributes: AnyNode<Name>["attributes"],
    output: Descriptor,
  ): Value;
  /** Reshapes a value. A constant stays a constant. */
  reshaped(value: Value, shape: Shape): Value;
  /** Returns the result for this value and key, and computes it if needed, so that shared constants are made once. */
  remember<T>(value: Value, key: string, compute: () => T): T;
}

/** A set of patterns that are matched together. */
export interface Pass {
  /** Whether a pattern ends with this operator. */
  endsWith(operator: string): boolean;
  /** The replacement of a node; `undefined` if no pattern matches. */
  find(node: Node, graph: GraphView): Replacement | undefined;
}

/** A constant, whose uint8 elements may still be stored as int8, each less 128. */
type EditedConstant<Block> = Constant<Block> & { readonly isSigned?: boolean };

/** A graph that is being rewritten. */
export class Editor<Block> implements GraphView {
  readonly #producers = new Map<Value, Node>();
  readonly #users = new Map<Value, Set<Node>>();
  readonly #constants = new Map<Value, EditedConstant<Block>>();
  readonly #outputs: ReadonlySet<Value>;
  readonly #results = new Map<Value, Map<string, unknown>>();
  #nodes: Node[] = [];
  /** Whether `#nodes` can run in their order. A node may come before a new one whose additional output it uses. */
  #isOrdered = true;
  readonly #created: Block[] = [];
  #label = "";
  #nextId: number;

  constructor(readonly graph: Graph<Block>, readonly store: ConstantStore<Block>) {
    this.#outputs = new Set(graph.outputs.map(({ value }) => value));
    for (const constant of graph.constants) this.#constants.set(constant.value, constant);
    for (const node of graph.nodes) this.#connect(node);
    this.#nextId = 1 + largestId(graph);
  }

  /**
   * Applies the passes one after another to the whole graph. A pass visits each node, and its replacements, until
   * nothing matches. If a pass throws, the given graph is unchanged.
   */
  *rewrite(passes: readonly Pass[]): Steps<Graph<Block>> {
    let { nodes } = this.graph;
    let isChanged = false;
    try {
      for (const pass of passes) {
        if (!nodes.some(({ operator }) => pass.endsWith(operator))) continue;
        const isFound = yield* this.#rewriteAll(nodes, pass);
        if (isFound) nodes = this.#neededNodes();
        isChanged ||= isFound;
        if (this.#nodes.length > nodes.length) this.#dropOthers(nodes);
      }
      if (isChanged) return this.#result(nodes);
    } catch (error) {
      this.#releaseCreated();
      throw error;
    }
    this.#releaseCreated();
    return this.graph;
  }

  /** Releases the constants that were created, because the graph stays unchanged. */
  #releaseCreated(): void {
    for (const block of this.#created) this.store.release(block);
  }

  /** Applies a pass; returns whether it changed anything. */
  *#rewriteAll(nodes: readonly Node[], pass: Pass): Steps<boolean> {
    let isChanged = false;
    this.#nodes = [];
    this.#isOrdered = true;
    for (let i = 0; i < nodes.length; i++) {
      const original = nodes[i]!;
      if (!this.#isCurrent(original)) continue;
      if (this.#becomesConstant(original)) {
        isChanged = true;
        continue;
      }
      if (!pass.endsWith(original.operator)) {
        this.#nodes.push(original);
        continue;
      }
      this.#label = original.label;
      let node = original;
      for (let found = pass.find(node, this); found !== undefined; found = pass.find(node, this)) {
        const { furtherOutputs = [] } = found;
        if (furtherOutputs.length > 0) this.#isOrdered = false;
        node = this.#replace(completeNode(found, node.label, [...node.outputs, ...furtherOutputs]));
      }
      this.#nodes.push(node);
      isChanged ||= node !== original;
      yield;
    }
    return isChanged;
  }

  /** Whether no replacement has taken over all outputs of a node. */
  #isCurrent(node: Node): boolean {
    const { outputs } = node;
    for (let i = 0; i < outputs.length; i++) if (this.#producers.get(outputs[i]!) === node) return true;
    return false;
  }

  /** Replaces a reshape of a constant by a constant, so that lowerings see its bytes. */
  #becomesConstant(node: Node): boolean {
    if (node.operator !== "reshape" && node.operator !== "identity") return false;
    const [value] = node.outputs as [Value];
    const constant = this.#constantOf(value);
    if (!constant || this.isOutput(value)) return false;
    this.#constants.set(value, { ...constant, value });
    this.#producers.delete(value);
    this.#disconnect(node);
    return true;
  }

  producer<Name extends AnyName>(value: Value | undefined, ...names: readonly Name[]): AnyNode<Name> | undefined {
    const node = value && this.#producers.get(value);
    return node && names.includes(node.operator as Name) ? node as AnyNode<Name> : undefined;
  }

  areInner(nodes: Iterable<Node>, ...last: readonly Node[]): boolean {
    const inside = [...nodes, ...last];
    const isInner = (value: Value) => !this.isOutput(value) && this.#areUsers(inside, value);
    return inside.every((node) => last.includes(node) || node.outputs.every(isInner));
  }

  /** Whether all users of a value are among these few nodes. */
  #areUsers(nodes: readonly Node[], value: Value): boolean {
    for (const user of this.users(value)) if (!nodes.includes(user)) return false;
    return true;
  }

  users(value: Value): ReadonlySet<Node> {
    return this.#users.get(value) ?? NO_NODES;
  }

  isOutput(value: Value): boolean {
    return this.#outputs.has(value);
  }

  isConstant(value: Value): boolean {
    return this.#constantOf(value) !== undefined;
  }

  bytes(value: Value): Uint8Array | undefined {
    const constant = this.#constantOf(value);
    if (!constant) return undefined;
    const bytes = this.store.read(constant.block);
    return constant.isSigned ? flippedSigns(bytes) : bytes;
  }

  uniform(value: Value | undefined): number | undefined {
    if (!value) return undefined;
    const bytes = this.bytes(value);
    return bytes && uniformNumber(bytes, value.dataType);
  }

  constant(descriptor: Descriptor, write: (bytes: Uint8Array<ArrayBuffer>) => void): Value {
    return this.#addConstant(descriptor, { block: this.#store(byteLength(descriptor), write), shared: false });
  }

  derived(source: Value, key: string, descriptor: Descriptor, compute: () => Uint8Array): Value {
    const constant = this.#constantOf(source);
    if (!constant?.shared) {
      const bytes = compute();
      return this.constant(descriptor, (copy) => copy.set(bytes));
    }
    return this.#addConstant(descriptor, { block: this.store.derive(constant.block, key, compute), shared: true });
  }

  unsigned(value: Value): Value {
    return this.remember(value, "unsigned", () => {
      const descriptor = { dataType: "uint8", shape: value.shape } as const;
      const constant = this.#constantOf(value)!;
      if (constant.shared) return this.derived(value, "unsigned", descriptor, () => flippedSigns(this.bytes(value)!));
      return this.#addConstant(descriptor, { ...constant, isSigned: true });
    });
  }

  viewOf(value: Value, descriptor: Descriptor): Value {
    const { dataType, shape } = value;
    if (dataType === descriptor.dataType && sameShape(shape, descriptor.shape)) return value;
    if (byteLength(value) !== byteLength(descriptor)) throw new Error("A view must be as long as its constant");
    const constant = this.#constantOf(value);
    if (!constant) throw new Error(`Value ${value.id} is not a constant`);
    return this.#addConstant(descriptor, constant);
  }

  insert<Name extends AnyName>(
    operator: Name,
    operands: AnyNode<Name>["operands"],
    attributes: AnyNode<Name>["attributes"],
    output: Descriptor,
  ): Value {
    const value = this.#newValue(output);
    const node = completeNode(become(operator, operands, attributes), this.#label, [value]);
    this.#connect(node);
    this.#nodes.push(node);
    return value;
  }

  reshaped(value: Value, shape: Shape): Value {
    if (sameShape(value.shape, shape)) return value;
    const { dataType } = value;
    if (this.#constantOf(value)) {
      return this.remember(value, `[${shape}]`, () => this.viewOf(value, { dataType, shape }));
    }
    return this.insert("reshape", { input: value }, { newShape: shape as number[] }, { ...value, shape });
  }

  remember<T>(value: Value, key: string, compute: () => T): T {
    const known = this.#results.getOrInsertComputed(value, () => new Map<string, unknown>());
    return known.getOrInsertComputed(key, compute) as T;
  }

  /** The constant of a value, also if the value is a reshape of it. */
  #constantOf(value: Value): EditedConstant<Block> | undefined {
    const constant = this.#constants.get(value);
    if (constant) return constant;
    const node = this.producer(value, "reshape", "identity");
    return node && this.#constantOf(node.operands.input);
  }

  #addConstant(descriptor: Descriptor, constant: Omit<EditedConstant<Block>, "value">): Value {
    const value = this.#newValue(descriptor);
    this.#constants.set(value, { ...constant, value });
    return value;
  }

  #store(byteLength: number, write: (bytes: Uint8Array<ArrayBuffer>) => void): Block {
    const block = this.store.store(byteLength, write);
    this.#created.push(block);
    return block;
  }

  #newValue({ dataType, shape }: Descriptor): Value {
    return { id: this.#nextId++, dataType, shape };
  }

  #connect(node: Node): void {
    for (const output of node.outputs) this.#producers.set(output, node);
    for (const operand of operandsOf(node)) {
      const users = this.#users.get(operand);
      if (users) users.add(node);
      // Constants have no users: nobody asks for them, and they are the most of all operands.
      else if (!this.#constants.has(operand)) this.#users.set(operand, new Set([node]));
    }
  }

  #replace(replacement: Node): Node {
    const before = replacement.outputs.map((output) => this.#producers.get(output)!);
    this.#connect(replacement);
    for (const replaced of before) this.#disconnect(replaced);
    return replacement;
  }

  /** Removes a node, and the nodes before it whose outputs are no longer used. */
  #disconnect(node: Node): void {
    for (const operand of operandsOf(node)) {
      this.#users.get(operand)?.delete(node);
      const producer = this.#producers.get(operand);
      if (producer && !this.#isNeeded(producer)) this.#disconnect(producer);
    }
  }

  #isNeeded({ outputs }: Node): boolean {
    for (const value of outputs) if (this.users(value).size > 0 || this.isOutput(value)) return true;
    return false;
  }

  /** The nodes on which the graph's outputs depend. */
  #neededNodes(): Node[] {
    const needed = new Set<Node>();
    const values = this.graph.outputs.map(({ value }) => value);
    for (let value = values.pop(); value !== undefined; value = values.pop()) {
      const node = this.#producers.get(value);
      if (node === undefined || needed.has(node)) continue;
      needed.add(node);
      values.push(...operandsOf(node));
    }
    const nodes = this.#nodes.filter((node) => needed.has(node));
    return this.#isOrdered ? nodes : inOrder(nodes, this.#producers);
  }

  /** Drops unused nodes, such as those that a rewrite inserted before its pattern failed to match. */
  #dropOthers(nodes: readonly Node[]): void {
    const kept = new Set(nodes);
    for (const node of this.#nodes) {
      if (!kept.has(node)) { for (const operand of operandsOf(node)) this.#users.get(operand)?.delete(node); }
    }
  }

  #result(nodes: readonly Node[]): Graph<Block> {
    const used = this.#remainingConstants(new Set(nodes.flatMap(operandsOf)));
    const constants = used.map((constant) => {
      const { block, isSigned, shared, value } = constant;
      if (!isSigned) return constant;
      this.store.change(block, flipSigns); // In place, because no other constant has the block.
      return { block, shared, value };
    });
    return { ...this.graph, constants, nodes };
  }

  /** The constants that nodes use. Each owned block goes to one of them, or is released. */
  #remainingConstants(values: ReadonlySet<Value>): EditedConstant<Block>[] {
    const used = [...this.#constants.values()].filter(({ value }) => values.has(value));
    const kept = new Set<Block>();
    const remaining = used.map((constant) => {
      const { block, shared } = constant;
      if (shared) return constant;
      if (kept.has(block)) {
        const bytes = this.store.read(block);
        return { ...constant, block: this.#store(bytes.byteLength, (copy) => copy.set(bytes)) };
      }
      kept.add(block);
      return constant;
    });
    const owned = new Set(this.#constants.values().filter(({ shared }) => !shared).map(({ block }) => block));
    for (const block of owned) if (!kept.has(block)) this.store.release(block);
    return remaining;
  }
}

const NO_NODES: ReadonlySet<Node> = new Set();

function completeNode(
  { operator, operands, attributes }: Replacement,
  label: string,
  outputs: readonly Value[],
): Node {
  return { operator, label, operands, attributes, outputs };
}

/** The nodes and those that they depend on, in topological order, otherwise in the given order. */
function inOrder(nodes: readonly Node[], producers: ReadonlyMap<Value, Node>): Node[] {
  const ordered = new Set<Node>();
  // Without recursion, because a graph can be too deep for the stack.
  const stack = nodes.toReversed();
  for (let node = stack.at(-1); node !== undefined; node = stack.at(-1)) {
    const size = stack.length;
    if (!ordered.has(node)) {
      for (const operand of operandsOf(node).reverse()) {
        const before = producers.get(operand);
        if (before !== undefined && !ordered.has(before)) stack.push(before);
      }
    }
    if (stack.length === size) ordered.add(stack.pop()!);
  }
  return [...ordered];
}

function largestId({ inputs, constants, nodes }: Graph<unknown>): number {
  let largest = 0;
  for (const { value } of inputs) largest = Math.max(largest, value.id);
  for (const { value } of constants) largest = Math.max(largest, value.id);
  for (const { outputs } of nodes) for (const { id } of outputs) largest = Math.max(largest, id);
  return largest;
}

/** Flips the highest bit of each byte, which adds 128 to it, four at a time. */
function flipSigns(bytes: Uint8Array): void {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2);
  for (let i = 0; i < words.length; i++) words[i]! ^= 0x80808080;
  for (let i = 4 * words.length; i < bytes.byteLength; i++) bytes[i]! ^= 0x80;
}

function flippedSigns(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  flipSigns(copy);
  return copy;
}

function uniformNumber(bytes: Uint8Array, dataType: MLOperandDataType): number | undefined {
  if (dataType !== "float32" && dataType !== "float16") return undefined;
  const width = bitsOf(dataType) / 8;
  for (let i = width; i < bytes.length; i++) if (bytes[i] !== bytes[i - width]) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return dataType === "float32" ? view.getFloat32(0, true) : view.getFloat16(0, true);
}
