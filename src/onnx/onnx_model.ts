/**
 * A loaded model, with its inputs, outputs and runs.
 *
 * @module
 */

import type { MLNamedTensors } from "../api/dictionaries.ts";
import type { MLContext } from "../api/ml_context.ts";
import type { MLTensor } from "../api/ml_tensor.ts";
import { invalidStateError } from "../errors.ts";
import type { KnownTensor, ValueInfo } from "./model.ts";
import {
  checkInput,
  fixedShape,
  type GivenInput,
  knownInput,
  type ModelPort,
  outputOf,
  type TensorData,
  type TensorInput,
  type TensorOutput,
} from "./ports.ts";
import { createTensors, type Material, Preparation, type Prepared, type Runtime } from "./prepare.ts";
import { storeWeights } from "./weights.ts";

/** What an {@linkcode OnnxModel} is made of. */
export interface ModelParts {
  readonly runtime: Runtime;
  readonly material: Material;
  readonly inputs: readonly ModelPort[];
  readonly outputs: readonly ModelPort[];
  /** The maximum number of graphs to keep. */
  readonly maxGraphs: number;
  /** Whether the context was created for this model and is destroyed with it. */
  readonly ownsContext: boolean;
  /** Frees the files of the model. Called when the model no longer has views of them; later calls do nothing. */
  readonly releaseFiles: () => void;
}

/** A graph, with the tensors for its runs. */
interface Entry {
  readonly prepared: Prepared;
  readonly inputs: Readonly<Record<string, MLTensor>>;
  readonly outputs: Readonly<Record<string, MLTensor>>;
  /** The number of runs in progress. */
  users: number;
  dropped: boolean;
}

/** Inputs of a run, by name. */
export type RunInputs = Readonly<Record<string, TensorData | TensorInput>>;

/**
 * A loaded ONNX model. It keeps a graph for each of the most recent sets of input shapes.
 */
export class OnnxModel {
  /** The inputs of the model. */
  readonly inputs: readonly ModelPort[];
  /** The outputs of the model. */
  readonly outputs: readonly ModelPort[];
  readonly #parts: Omit<ModelParts, "material" | "inputs" | "outputs">;
  readonly #infos: ReadonlyMap<string, ValueInfo>;
  /** The graphs by the key of their inputs; the most recently used graph is the last. */
  readonly #entries = new Map<string, Entry>();
  /** Settles when the last requested graph is built. */
  #turn: Promise<unknown> = Promise.resolve();
  /** The inputs whose elements, not only shapes, determine the graph. */
  readonly #deciding = new Set<string>();
  #material: Material | undefined;
  #disposed = false;

  /** @ignore Models are created by `loadOnnx()`. */
  constructor({ material, inputs, outputs, ...parts }: ModelParts) {
    this.#parts = parts;
    this.#material = material;
    this.inputs = inputs;
    this.outputs = outputs;
    this.#infos = new Map(material.model.graph.inputs.map((info) => [info.name, info]));
  }

  /** The context on which the model runs. */
  get context(): MLContext {
    return this.#parts.runtime.context;
  }

  /** Whether the model already has a graph; otherwise, the first run builds it. */
  get isBuilt(): boolean {
    return this.#entries.size > 0;
  }

  /**
   * Runs the model.
   * @param inputs the elements of each input, or `{ data, shape }` if more than one dimension of the input is free
   * @returns the outputs by name; rejects with a TypeError that names the input if one is missing or unknown, or its
   * type or shape does not match; a NotSupportedError that lists the nodes that WebNN cannot compute with these shapes;
   * or an InvalidStateError if the model is disposed
   */
  async run(inputs: RunInputs): Promise<Record<string, TensorOutput>> {
    const given = this.#checkInputs(inputs, "OnnxModel.run");
    const acquired = this.#acquire(given);
    const entry = acquired instanceof Promise ? await acquired : acquired;
    try {
      const { prepared, inputs: tensors, outputs } = entry;
      if (prepared.graph) {
        for (const { name } of prepared.inputs) this.context.writeTensor(tensors[name]!, given.get(name)!.bytes);
        this.context.dispatch(prepared.graph, tensors, outputs);
      }
      return await this.#results(entry);
    } finally {
      this.#release(entry);
    }
  }

  /**
   * Runs the model on tensors of its context. Inputs whose elements determine shapes are passed as elements. If the
   * model has a graph for these shapes, the run is queued before the method returns; otherwise, it is queued once the
   * graph is built.
   * @returns resolves when the run is queued; rejects as {@linkcode OnnxModel.run} does
   */
  async dispatch(
    inputs: Readonly<Record<string, MLTensor | TensorData | TensorInput>>,
    outputs: MLNamedTensors,
  ): Promise<void> {
    const where = "OnnxModel.dispatch";
    const tensors: Record<string, MLTensor> = {};
    const given = this.#checkInputs(inputs, where, (value, { name }) => {
      if (!isTensor(value)) return undefined;
      tensors[name] = value;
      return { bytes: NO_BYTES, shape: value.shape };
    });
    const acquired = this.#acquire(given);
    const entry = acquired instanceof Promise ? await acquired : acquired;
    try {
      this.#dispatchOn(entry, given, tensors, outputs, where);
    } finally {
      this.#release(entry);
    }
  }

  /** Queues a run. If the caller passed no tensor for an input or output, the graph's own is used. */
  #dispatchOn(
    entry: Entry,
    given: ReadonlyMap<string, GivenInput>,
    tensors: MLNamedTensors,
    outputs: MLNamedTensors,
    where: string,
  ): void {
    const { graph, inputs: ports, outputs: computed, known } = entry.prepared;
    const results: Record<string, MLTensor> = { ...entry.outputs };
    for (const [name, tensor] of Object.entries(outputs)) {
      const value = known.get(name);
      if (value) this.context.writeTensor(tensor, value.bytes);
      else if (computed.some((port) => port.name === name)) results[name] = tensor;
      else throw new TypeError(`${where}: the model has no output ${JSON.stringify(name)}`);
    }
    const used: Record<string, MLTensor> = {};
    for (const { name } of ports) {
      const tensor = tensors[name];
      used[name] = tensor ?? entry.inputs[name]!;
      if (!tensor) this.context.writeTensor(used[name], given.get(name)!.bytes);
    }
    if (graph) this.context.dispatch(graph, used, results);
  }

  /** Releases the graphs and weights, and the context if it was created for the model. Later calls do nothing. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const key of [...this.#entries.keys()]) this.#drop(key);
    this.#releaseMaterial();
    if (this.#parts.ownsContext) this.context.destroy();
  }

  /** Releases the weights, which graphs that are built do not need. */
  #releaseMaterial(): void {
    for (const tensor of this.#material?.stored?.values() ?? []) tensor.destroy();
    this.#material = undefined;
    this.#parts.releaseFiles();
  }

  /** Calls {@linkcode OnnxModel.dispose} at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /**
   * Builds the graph for the inputs of a run, without running it. Inputs of fixed shapes may be left out; then it
   * rejects with NeedsElements if the graph depends on their elements. @ignore
   */
  async build(inputs: RunInputs): Promise<void> {
    const isLeftOut = (value: unknown, { shape }: ModelPort) => {
      const fixed = value === undefined ? fixedShape(shape) : undefined;
      return fixed && { bytes: NO_BYTES, shape: fixed };
    };
    this.#release(await this.#acquire(this.#checkInputs(inputs, "compileOnnx", isLeftOut)));
  }

  /** Builds the graph for shapes before the first run. @ignore */
  async prepare(shapes: ReadonlyMap<string, readonly number[]>): Promise<void> {
    const given = new Map(Array.from(shapes, ([name, shape]) => [name, { shape, bytes: NO_BYTES }]));
    this.#release(await this.#make(given, true));
  }

  /** Checks inputs and returns their bytes and shapes. `withoutBytes` handles those that are given in another way. */
  #checkInputs(
    inputs: Readonly<Record<string, unknown>>,
    where: string,
    withoutBytes: (value: unknown, port: ModelPort) => GivenInput | undefined = () => undefined,
  ): Map<string, GivenInput> {
    if (this.#disposed) throw disposedError(where);
    const given = new Map<string, GivenInput>();
    const sizes = new Map<string, { size: number; input: string }>();
    for (const port of this.inputs) {
      const value = inputs[port.name];
      const other = withoutBytes(value, port);
      if (value === undefined && !other) {
        throw new TypeError(`${where}: the input ${JSON.stringify(port.name)} is missing`);
      }
      given.set(port.name, other ?? checkInput(port, value, sizes, where));
    }
    for (const name of Object.keys(inputs)) {
      if (!given.has(name)) {
        const names = this.inputs.map((port) => JSON.stringify(port.name)).join(", ");
        throw new TypeError(`${where}: the model has no input ${JSON.stringify(name)}; its inputs are ${names}`);
      }
    }
    return given;
  }

  /** Finds or builds the graph for inputs; synchronous if it exists. The caller must call `#release`. */
  #acquire(given: ReadonlyMap<string, GivenInput>): Entry | Promise<Entry> {
    const entry = this.#find(given);
    if (!entry) return this.#make(given);
    entry.users++;
    return entry;
  }

  #release(entry: Entry): void {
    entry.users--;
    if (entry.dropped && entry.users === 0) destroyTensors(entry);
  }

  #find(given: ReadonlyMap<string, GivenInput>): Entry | undefined {
    const key = this.#keyOf(given);
    const entry = this.#entries.get(key);
    if (entry && this.#entries.size > 1) {
      this.#entries.delete(key);
      this.#entries.set(key, entry);
    }
    return entry;
  }

  #keyOf(given: ReadonlyMap<string, GivenInput>): string {
    if (this.#material === undefined) return "";
    let key = "";
    for (const [name, { shape, bytes }] of given) {
      key += `${shape.join()};`;
      if (this.#deciding.has(name)) key += `${bytes.join()};`;
    }
    return key;
  }

  /** Builds the graph for inputs. Builds are sequential, because a waiting one may find that its graph now exists. */
  #make(given: ReadonlyMap<string, GivenInput>, alone = false): Promise<Entry> {
    const made = this.#turn.then(async () => {
      const entry = this.#find(given) ?? await this.#makeNow(given, alone);
      entry.users++;
      return entry;
    });
    this.#turn = made.catch(() => {});
    return made;
  }

  /** `alone` means that no graph for other inputs is possible. */
  async #makeNow(given: ReadonlyMap<string, GivenInput>, alone: boolean): Promise<Entry> {
    if (this.#disposed) throw disposedError("OnnxModel.run");
    const situation = {
      shapes: new Map(Array.from(given, ([name, { shape }]) => [name, shape])),
      elements: (name: string) => this.#elements(name, given),
    };
    const preparation = new Preparation(this.#parts.runtime, this.#material!, situation, this.#deciding);
    const prepared = await preparation.build(alone ? this.#parts.releaseFiles : undefined);
    if (this.#disposed) {
      prepared.graph?.destroy();
      throw disposedError("OnnxModel.run");
    }
    for (const name of preparation.deciding) this.#deciding.add(name);
    if (alone) this.#releaseMaterial();
    const inputs = await createTensors(this.context, prepared.inputs, { writable: true });
    const outputs = await createTensors(this.context, prepared.outputs, { readable: true });
    return this.#keep(this.#keyOf(given), { prepared, inputs, outputs, users: 0, dropped: false });
  }

  #keep(key: string, entry: Entry): Entry {
    this.#entries.set(key, entry);
    const surplus = this.#entries.size - this.#parts.maxGraphs;
    for (const oldest of [...this.#entries.keys()].slice(0, Math.max(surplus, 0))) this.#drop(oldest);
    return entry;
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key)!;
    this.#entries.delete(key);
    entry.prepared.graph?.destroy();
    entry.dropped = true;
    if (entry.users === 0) destroyTensors(entry);
  }

  /** Moves the weights to tensors, which the graphs share, and frees the file. @ignore */
  async store(): Promise<void> {
    const material = this.#material!;
    const { model, tensors } = await storeWeights(material.model, this.context, material.limits);
    this.#material = { ...material, model, stored: tensors };
    this.#parts.releaseFiles();
  }

  #elements(name: string, given: ReadonlyMap<string, GivenInput>): KnownTensor | undefined {
    const value = given.get(name);
    const port = this.inputs.find((input) => input.name === name);
    const info = this.#infos.get(name);
    return value && port && info && value.bytes.byteLength > 0 ? knownInput(info, port, value) : undefined;
  }

  async #results({ prepared, outputs }: Entry): Promise<Record<string, TensorOutput>> {
    const results: Record<string, TensorOutput> = {};
    const reads = prepared.outputs.map(({ name }) => this.context.readTensor(outputs[name]!));
    const buffers = reads.length === 1 ? [await reads[0]!] : await Promise.all(reads);
    for (const { name } of this.outputs) {
      const value = prepared.known.get(name);
      if (value) results[name] = outputOf(value.type, value.shape, value.bytes.slice().buffer);
      else {
        const i = prepared.outputs.findIndex((port) => port.name === name);
        const { dataType, shape } = prepared.outputs[i]!;
        results[name] = outputOf(dataType, shape, buffers[i]!);
      }
    }
    return results;
  }
}

const NO_BYTES = new Uint8Array(0);

function isTensor(value: unknown): value is MLTensor {
  return typeof value === "object" && value !== null && "writable" in value && "readable" in value && "shape" in value;
}

function disposedError(where: string): DOMException {
  return invalidStateError(`${where}: the model is disposed`);
}

function destroyTensors({ inputs, outputs }: Entry): void {
  for (const tensor of [...Object.values(inputs), ...Object.values(outputs)]) tensor.destroy();
}
