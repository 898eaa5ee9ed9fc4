/**
 * Makes a graph from a model and the shapes of its inputs. Walks the model until a walk demands no more values, and
 * then builds the graph.
 *
 * @module
 */

import type { MLContext } from "../api/ml_context.ts";
import type { MLGraph } from "../api/ml_graph.ts";
import type { MLGraphBuilder } from "../api/ml_graph_builder.ts";
import type { MLOperand } from "../api/ml_operand.ts";
import type { MLOpSupportLimits } from "../api/support_limits.ts";
import type { MLTensor } from "../api/ml_tensor.ts";
import type { MLOperandDataType } from "../data_type.ts";
import { notSupportedError } from "../errors.ts";
import type { Descriptor } from "../shape.ts";
import { asOperandType, copiedConstant, type MakeConstant, placeholder } from "./constants.ts";
import { NeedsElements } from "./errors.ts";
import type { KnownTensor, ModelProto } from "./model.ts";
import { inTurns, startStretch } from "../event_loop.ts";
import type { LateRange } from "./protobuf.ts";
import { type Computed, isKnown, sizeOf, type Value } from "./value.ts";
import { type UnsupportedNode, Walker, type WalkPlan, type WalkResult } from "./walk.ts";

/** The WebNN implementation that the importer uses: this package's, or a browser's. */
export interface Runtime {
  readonly context: MLContext;
  /** The class that creates builders for the context. */
  readonly MLGraphBuilder: new (context: MLContext) => MLGraphBuilder;
  /** The limits of the context; by default, `opSupportLimits()`. */
  readonly limits?: MLOpSupportLimits;
  /** How constants are made from files; by default, their bytes are read and then copied. */
  readonly reading?: {
    /** Creates a constant with the right number of bytes. */
    constant(builder: MLGraphBuilder, descriptor: Descriptor, contents: Uint8Array | LateRange): MLOperand;
    /** Starts to read the bytes of constants that are not read yet. */
    start(context: MLContext): void;
    /** Resolves when all bytes are read; rejects if some could not be. */
    done(): Promise<void>;
  };
}

/** The parts of a model that a walk needs, apart from the inputs. */
export interface Material {
  readonly model: ModelProto;
  /** The tensors of the weights, if the weights were moved to tensors. */
  readonly stored?: ReadonlyMap<KnownTensor, MLTensor>;
  readonly limits: MLOpSupportLimits;
}

/** The inputs for which a graph is built. */
export interface Situation {
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** The elements of an input, if available. */
  readonly elements: (name: string) => KnownTensor | undefined;
}

/** A graph that computes a model for certain inputs. */
export interface Prepared {
  /** `undefined` if all outputs are known. */
  readonly graph: MLGraph | undefined;
  /** The inputs of the graph. */
  readonly inputs: readonly Port[];
  /** The outputs of the graph. */
  readonly outputs: readonly Port[];
  /** The outputs that are known without a run. */
  readonly known: ReadonlyMap<string, KnownTensor & { readonly type: MLOperandDataType }>;
}

/** An input or output of a graph. */
export interface Port {
  readonly name: string;
  readonly dataType: MLOperandDataType;
  readonly shape: readonly number[];
}

/** The maximum number of walks, each with more known values. */
const MAX_WALKS = 64;

/** The error that lists every unsupported node. */
export function unsupportedError(unsupported: readonly UnsupportedNode[]): DOMException {
  const lines = unsupported.map(({ operator, name, reason }) => `  ${operator} (${name}): ${reason}`);
  return notSupportedError(`WebNN cannot compute these parts of the model:\n${lines.join("\n")}`);
}

/** Repeats the walk, each time with the values that the previous one demanded, until it demands none. */
export class Preparation {
  /** The known inputs and inner values, by key. */
  readonly known = new Map<string, KnownTensor>();
  /** The inputs whose elements determine the graph. */
  readonly deciding = new Set<string>();
  readonly #runtime: Runtime;
  readonly #situation: Situation;
  readonly #material: Material;

  constructor(runtime: Runtime, material: Material, situation: Situation, deciding: Iterable<string> = []) {
    this.#runtime = runtime;
    this.#material = material;
    this.#situation = situation;
    for (const [name, shape] of situation.shapes) if (shape.includes(0)) this.#takeElements(name);
    for (const name of deciding) this.#takeElements(name);
  }

  /**
   * Walks without copying weights.
   * @returns the result, with the unsupported nodes; rejects with NeedsElements if it needs the elements of an input
   */
  survey(): Promise<WalkResult> {
    return this.#walkUntilKnown(() => this.#walk(placeholder));
  }

  /**
   * Builds the graph.
   * @param onCopied called when the bytes of the model are no longer needed
   * @returns the graph; rejects with a NotSupportedError that lists every unsupported node, or with NeedsElements
   */
  async build(onCopied?: () => void): Promise<Prepared> {
    const stretch = startStretch();
    const { outputs, leaves, inputs, builder, unsupported } = await this.#walkAndRead();
    await stretch.pause();
    if (unsupported.length > 0) throw unsupportedError(unsupported);
    const known = new Map<string, KnownTensor & { readonly type: MLOperandDataType }>();
    const operands: Record<string, MLOperand> = {};
    for (const [name, value] of outputs) {
      if (isKnown(value)) known.set(name, finished(value, this.#material.limits));
      else operands[name] = leaves.has(value.operand) ? builder.identity(value.operand) : value.operand;
    }
    const ports = Object.entries(operands).map(([name, operand]) => portOf(name, operand));
    if (ports.length === 0) return { graph: undefined, inputs: [], outputs: [], known };
    await this.#runtime.reading?.done();
    onCopied?.();
    const graph = await builder.build(operands);
    const used = reachedInputs(inputs, outputs);
    return { graph, inputs: used.map(([name, operand]) => portOf(name, operand)), outputs: ports, known };
  }

  /** Walks, and starts to read the constants, also those of a walk that fails: only then is their memory freed. */
  async #walkAndRead() {
    const { context, reading } = this.#runtime;
    try {
      return await this.#walkUntilKnown(() => this.#walk(this.#makeConstant));
    } finally {
      reading?.start(context);
    }
  }

  async #walkUntilKnown<Result extends WalkResult>(walk: () => Promise<Result>): Promise<Result> {
    for (let i = 0; i < MAX_WALKS; i++) {
      const result = await walk();
      const { demandedInputs, demandedConstants, unsupported } = result;
      if (demandedInputs.size + demandedConstants.size === 0) return result;
      const missing = [...demandedInputs].filter((name) => !this.#takeElements(name));
      // The missing elements would not help the unsupported nodes found so far: report these first.
      if (missing.length > 0) {
        if (unsupported.length > 0) return result;
        throw new NeedsElements("OnnxModel", missing);
      }
      if (demandedConstants.size > 0) await this.#foldConstants(demandedConstants);
    }
    throw notSupportedError(
      `The graph cannot be built in ${MAX_WALKS} steps: each needs values that the one before computed.`,
    );
  }

  #takeElements(name: string): boolean {
    const shape = this.#situation.shapes.get(name);
    const elements = this.#situation.elements(name) ??
      (shape?.includes(0) ? emptyInput(this.#material, name, shape) : undefined);
    if (!elements) return false;
    this.known.set(name, elements);
    if (!shape?.includes(0)) this.deciding.add(name);
    return true;
  }

  readonly #makeConstant: MakeConstant = (builder, value, limits) => {
    const { reading } = this.#runtime;
    if (!reading) return copiedConstant(builder, value, limits);
    const known = asOperandType(value, limits);
    return reading.constant(builder, { dataType: known.type, shape: known.shape }, known.range ?? known.bytes);
  };

  async #walk(makeConstant: MakeConstant, more: Partial<WalkPlan> = {}) {
    const builder = new this.#runtime.MLGraphBuilder(this.#runtime.context);
    const { shapes } = this.#situation;
    const plan: WalkPlan = { ...this.#material, builder, makeConstant, shapes, known: this.known, ...more };
    return { ...await inTurns(new Walker(plan).run()), builder };
  }

  /** Computes values that depend only on constants, with a graph that runs once. */
  async #foldConstants(demanded: ReadonlyMap<string, Computed>): Promise<void> {
    const targets = [...new Set(Array.from(demanded.values(), ({ root }) => root))];
    const { watched, builder } = await this.#walk(copiedConstant, { targets, watched: new Set(demanded.keys()) });
    const keys = [...watched.keys()];
    if (keys.length === 0) throw notSupportedError("The constants that determine shapes cannot be computed.");
    const operands = Object.fromEntries(keys.map((key, i) => [`o${i}`, builder.identity(watched.get(key)!.operand)]));
    using graph = await builder.build(operands);
    const { context } = this.#runtime;
    const ports = Object.entries(operands).map(([name, operand]) => portOf(name, operand));
    const tensors = await createTensors(context, ports, { readable: true });
    try {
      context.dispatch(graph, {}, tensors);
      for (const [i, { name, dataType, shape }] of ports.entries()) {
        const bytes = new Uint8Array(await context.readTensor(tensors[name]!));
        this.known.set(keys[i]!, { type: dataType, shape, bytes });
      }
    } finally {
      for (const tensor of Object.values(tensors)) tensor.destroy();
    }
  }
}

/** Creates tensors for the inputs or outputs of a graph. */
export async function createTensors(
  context: MLContext,
  ports: readonly Port[],
  usage: { readonly readable?: boolean; readonly writable?: boolean },
): Promise<Record<string, MLTensor>> {
  const tensors: Record<string, MLTensor> = {};
  for (const { name, dataType, shape } of ports) {
    tensors[name] = await context.createTensor({ dataType, shape, ...usage });
  }
  return tensors;
}

function portOf(name: string, { dataType, shape }: MLOperand): Port {
  return { name, dataType, shape };
}

/** The inputs on which the outputs depend; the built graph has only these. */
function reachedInputs(
  inputs: ReadonlyMap<string, MLOperand>,
  outputs: ReadonlyMap<string, Value>,
): [string, MLOperand][] {
  const reached = new Set<string>();
  for (const value of outputs.values()) if (!isKnown(value)) { for (const name of value.sources) reached.add(name); }
  return [...inputs].filter(([name]) => reached.has(name));
}

/** Converts a known output to WebNN's type, and copies its bytes, because the file may be freed. */
function finished(value: KnownTensor, limits: MLOpSupportLimits): KnownTensor & { readonly type: MLOperandDataType } {
  if (sizeOf(value) > 0) {
    const { type, shape, bytes } = asOperandType(value, limits);
    return { type, shape, bytes: bytes.slice() };
  }
  return { ...value, type: value.type === "bool" ? "uint8" : value.type as MLOperandDataType };
}

function emptyInput({ model }: Material, name: string, shape: readonly number[]): KnownTensor | undefined {
  const type = model.graph.inputs.find((input) => input.name === name)?.type;
  return type && { type, shape, bytes: new Uint8Array(0) };
}
