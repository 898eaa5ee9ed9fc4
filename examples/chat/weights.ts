/**
 * Copies the weights of a model to a WebNN context, stage by stage: as constant tensors that the graphs of a stage
 * share, if the context supports them.
 *
 * @module
 */
import type { Architecture } from "./architecture.ts";
import {
  type Allocate,
  type BlockMatrix,
  decodeBlocks,
  decodeFloats,
  decodeRows,
  dequantize,
  emptyMatrix,
  isFloat,
} from "./blocks.ts";
import { bytesOfBlocks } from "./block_types.ts";
import type { ByteSource } from "./byte_source.ts";
import type { GgufHeader, GgufTensor } from "./gguf.ts";

/** Adds a weight to a graph. */
export type Weight = (builder: MLGraphBuilder) => MLOperand;

/** A matrix `[rows, inner]` of 4 or 8 bits in blocks: `(elements - zeroPoints) · scales + minima`. */
export interface BlockWeight {
  readonly rows: number;
  readonly inner: number;
  readonly blockSize: number;
  readonly elements: Weight;
  readonly scales: Weight;
  readonly zeroPoints: Weight;
  readonly minima: Weight | undefined;
  /**
   * `[inner, inner / blockSize]`: 1 where an element belongs to a block, otherwise 0. The product with it sums each
   * block. `undefined` if it would be large.
   */
  readonly membership: Weight | undefined;
}

/** A matrix `[rows, inner]` of float32. */
export interface FloatWeight {
  readonly rows: number;
  readonly inner: number;
  readonly numbers: Weight;
}

/** A matrix; or its parts, stacked along the rows, if their types differ. */
export type MatrixWeight = BlockWeight | FloatWeight;

/** The weights of a layer before its attention. */
export interface BeforeAttention {
  readonly attentionNorm: Weight;
  /** The matrices for queries, keys and values, stacked along the rows. */
  readonly qkv: readonly MatrixWeight[];
  /** `[heads + keyValueHeads, headSize]`: the gains of the normalisation of queries and keys. */
  readonly qkNorm: Weight | undefined;
}

/** The weights of a layer after its attention. */
export interface AfterAttention {
  readonly output: readonly MatrixWeight[];
  readonly outputNorm: Weight | undefined;
  readonly feedForwardNorm: Weight;
  readonly gateUp: readonly MatrixWeight[];
  readonly down: readonly MatrixWeight[];
  readonly downNorm: Weight | undefined;
}

/** The weights between two attentions. The first stage has none before it, the last one has the head instead. */
export interface StageWeights {
  readonly after: AfterAttention | undefined;
  readonly before: BeforeAttention | undefined;
  readonly head: { readonly norm: Weight; readonly matrix: readonly MatrixWeight[] } | undefined;
}

/** Loads the weights of a model, one stage at a time. */
export interface WeightLoader {
  /** Returns the weights of a stage, and destroys those of the previously loaded one. */
  stage(index: number): Promise<StageWeights>;
  /** Destroys the weights of the last stage. */
  destroy(): void;
}

/** The scaled embeddings of tokens, concatenated. */
export type Embed = (ids: readonly number[]) => Promise<Float32Array<ArrayBuffer>>;

/** Creates a loader, which copies one tensor at a time to the context. */
export function weightLoader(
  context: MLContext,
  header: GgufHeader,
  source: ByteSource,
  architecture: Architecture,
): WeightLoader {
  return new Loader(context, header, source, architecture);
}

/** Reads rows of the embedding from the file: they are few, and usually in the system's file cache. */
export function embeddingOf(header: GgufHeader, source: ByteSource, architecture: Architecture): Embed {
  const { embeddingScale, width } = architecture;
  const { offset, shape, type } = tensorOf(header, "token_embd.weight", 2);
  const rowBytes = bytesOfBlocks(type, [width]);
  return async (ids) => {
    const vectors = new Float32Array(ids.length * width);
    for (const [i, id] of ids.entries()) {
      if (!(id >= 0 && id < shape[0]!)) throw new Error(`the vocabulary has no token ${id}`);
      const bytes = await source.read(offset + id * rowBytes, rowBytes);
      vectors.set(
        isFloat(type) ? decodeFloats(type, bytes) : dequantize(decodeBlocks(type, bytes, 1, width)),
        i * width,
      );
    }
    return embeddingScale === 1 ? vectors : vectors.map((value) => value * embeddingScale);
  };
}

function tensorOf({ tensors }: GgufHeader, name: string, rank: number): GgufTensor {
  const tensor = tensors.get(name);
  if (!tensor) throw new Error(`the file has no tensor ${name}`);
  if (tensor.shape.length !== rank) throw new Error(`the tensor ${name} must have ${rank} dimensions`);
  return tensor;
}

/** The data type of elements: unsigned, or signed if the context supports only that, as in browsers. */
type ElementType = "uint4" | "int4" | "uint8" | "int8";

/** Reads weights from the file, and copies them to the context. */
class Loader implements WeightLoader {
  readonly #zeroPoints = new Map<string, Weight>();
  readonly #memberships = new Map<string, Weight>();
  readonly #types: ReadonlySet<string>;
  /** Whether the context supports constant tensors; assumed until it rejects one. */
  #hasConstantTensors = true;
  /**
   * Memory for a matrix and for the bytes read from the file. It is reused, because constant tensors have their own
   * copy.
   */
  readonly scratch = reusedMemory();
  /** The constant tensors of the stage. */
  #ofStage: MLTensor[] = [];
  /** The constant tensors that stages share. */
  readonly #shared: MLTensor[] = [];

  constructor(
    readonly context: MLContext,
    readonly header: GgufHeader,
    readonly source: ByteSource,
    readonly architecture: Architecture,
  ) {
    this.#types = new Set(context.opSupportLimits().dequantizeLinear.input.dataTypes);
  }

  async stage(index: number): Promise<StageWeights> {
    this.#destroyStage();
    const { layers } = this.architecture;
    const weights = {
      after: index > 0 ? await this.#afterAttention(index - 1) : undefined,
      before: index < layers ? await this.#beforeAttention(index) : undefined,
      head: index === layers ? await this.#head() : undefined,
    };
    // The head has the largest matrix, and the others are much smaller.
    if (weights.head && this.#hasConstantTensors) this.scratch.free();
    return weights;
  }

  destroy(): void {
    this.#destroyStage();
    for (const tensor of this.#shared) tensor.destroy();
    this.scratch.free();
  }

  #destroyStage(): void {
    for (const tensor of this.#ofStage) tensor.destroy();
    this.#ofStage = [];
  }

  async #beforeAttention(layer: number): Promise<BeforeAttention> {
    const name = nameIn(layer);
    return {
      attentionNorm: await this.vector(name("attn_norm")),
      qkv: await this.matrix([name("attn_q"), name("attn_k"), name("attn_v")]),
      qkNorm: this.header.tensors.has(name("attn_q_norm"))
        ? await this.#qkNorm(name("attn_q_norm"), name("attn_k_norm"))
        : undefined,
    };
  }

  async #afterAttention(layer: number): Promise<AfterAttention> {
    const name = nameIn(layer);
    const optional = (part: string) => this.header.tensors.has(name(part)) ? this.vector(name(part)) : undefined;
    return {
      output: await this.matrix([name("attn_output")]),
      outputNorm: await optional("post_attention_norm"),
      feedForwardNorm: await this.vector(name("ffn_norm")),
      gateUp: await this.matrix([name("ffn_gate"), name("ffn_up")]),
      down: await this.matrix([name("ffn_down")]),
      downNorm: await optional("post_ffw_norm"),
    };
  }

  async #head(): Promise<StageWeights["head"]> {
    const name = this.header.tensors.has("output.weight") ? "output.weight" : "token_embd.weight";
    return { norm: await this.vector("output_norm.weight"), matrix: await this.matrix([name]) };
  }

  async vector(name: string): Promise<Weight> {
    const numbers = await this.#floats(name);
    return this.#constant("float32", [numbers.length], numbers);
  }

  /** Stacks matrices of the same width along the rows, to need as few products as their types allow. */
  async matrix(names: readonly string[]): Promise<MatrixWeight[]> {
    const groups: GgufTensor[][] = [];
    for (const tensor of names.map((name) => tensorOf(this.header, name, 2))) {
      const last = groups.at(-1);
      if (last?.[0]?.type === tensor.type) last.push(tensor);
      else groups.push([tensor]);
    }
    const weights: MatrixWeight[] = [];
    for (const group of groups) weights.push(await this.#stacked(group));
    return weights;
  }

  async #floats(name: string): Promise<Float32Array<ArrayBuffer>> {
    const { byteLength, offset, type } = tensorOf(this.header, name, 1);
    if (!isFloat(type)) throw new Error(`the tensor ${name} must be F32 or F16, not ${type.name}`);
    return decodeFloats(type, await this.source.read(offset, byteLength));
  }

  async #qkNorm(queryName: string, keyName: string): Promise<Weight> {
    const { heads, headSize, keyValueHeads } = this.architecture;
    const [query, key] = [await this.#floats(queryName), await this.#floats(keyName)];
    const rows = [...Array(heads).fill(query), ...Array(keyValueHeads).fill(key)] as Float32Array[];
    const numbers = new Float32Array(rows.length * headSize);
    rows.forEach((row, i) => numbers.set(row, i * headSize));
    return this.#constant("float32", [rows.length, headSize], numbers);
  }

  async #stacked(tensors: readonly GgufTensor[]): Promise<MatrixWeight> {
    const { type, shape } = tensors[0]!;
    const inner = shape[1]!;
    for (const { name, shape } of tensors) {
      if (shape[1] !== inner) throw new Error(`the tensor ${name} must have rows of ${inner} elements`);
    }
    const rows = tensors.reduce((sum, { shape }) => sum + shape[0]!, 0);
    return isFloat(type) ? await this.#floatMatrix(tensors, rows, inner) : await this.#blocks(tensors, rows, inner);
  }

  async #floatMatrix(tensors: readonly GgufTensor[], rows: number, inner: number): Promise<FloatWeight> {
    const numbers = new Float32Array(rows * inner);
    let row = 0;
    for (const tensor of tensors) {
      for await (const bytes of this.#pieces(tensor)) {
        const part = decodeFloats(tensor.type, bytes);
        numbers.set(part, row * inner);
        row += part.length / inner;
      }
    }
    return { rows, inner, numbers: await this.#constant("float32", [rows, inner], numbers) };
  }

  /** Reads the rows of a tensor in pieces; all at once if their order changes. */
  async *#pieces(tensor: GgufTensor): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const { byteLength, offset, shape, type } = tensor;
    if (this.#isReordered(tensor)) return yield this.#ordered(tensor, await this.#read(offset, byteLength));
    const rowBytes = bytesOfBlocks(type, [shape[1]!]);
    const step = Math.max(1, Math.floor(PIECE / rowBytes)) * rowBytes;
    for (let at = 0; at < byteLength; at += step) {
      yield await this.#read(offset + at, Math.min(step, byteLength - at));
    }
  }

  /** Bytes of the file, valid until the next read. */
  #read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    return this.source.read(offset, length, this.scratch.take("read", length));
  }

  #isReordered({ name }: GgufTensor): boolean {
    return this.architecture.hasNeighbourPairs && /attn_[qk]\.weight$/.test(name);
  }

  /** Reorders the rows of queries and keys, so that the two numbers of each rotation are half a head apart. */
  #ordered({ shape, type }: GgufTensor, bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    const { headSize } = this.architecture;
    const rowBytes = bytesOfBlocks(type, [shape[1]!]);
    const ordered = this.scratch.take("ordered", bytes.length);
    for (let row = 0; row < shape[0]!; row++) {
      const inHead = row % headSize;
      const from = row - inHead + (inHead * 2) % headSize + Math.floor(inHead * 2 / headSize);
      ordered.set(bytes.subarray(from * rowBytes, (from + 1) * rowBytes), row * rowBytes);
    }
    return ordered;
  }

  async #blocks(tensors: readonly GgufTensor[], rows: number, inner: number): Promise<BlockWeight> {
    const { type } = tensors[0]!;
    const matrix = emptyMatrix(type, rows, inner, this.#hasConstantTensors ? this.scratch.take : undefined);
    let row = 0;
    for (const tensor of tensors) {
      for await (const bytes of this.#pieces(tensor)) {
        decodeRows(type, bytes, matrix, row);
        row += bytes.length / bytesOfBlocks(type, [inner]);
      }
    }
    const { bits, blockSize, minima, scales } = matrix;
    const ofBlocks = [rows, inner / blockSize];
    const elementType = this.#elementType(bits);
    return {
      rows,
      inner,
      blockSize,
      elements: await this.#constant(elementType, [rows, inner], withSign(matrix, elementType)),
      scales: await this.#constant("float32", ofBlocks, scales),
      zeroPoints: await this.#zeroPointsOf(elementType, ofBlocks),
      minima: minima && await this.#constant("float32", ofBlocks, minima),
      membership: minima && inner <= MAX_MEMBERSHIP ? await this.#membershipOf(inner, blockSize) : undefined,
    };
  }

  async #membershipOf(inner: number, blockSize: number): Promise<Weight> {
    const key = `${inner} ${blockSize}`;
    const blocks = inner / blockSize;
    const ones = new Float32Array(inner * blocks);
    for (let k = 0; k < inner; k++) ones[k * blocks + Math.floor(k / blockSize)] = 1;
    const membership = this.#memberships.get(key) ??
      await this.#constant("float32", [inner, blocks], ones, this.#shared);
    this.#memberships.set(key, membership);
    return membership;
  }

  #elementType(bits: BlockMatrix["bits"]): ElementType {
    return this.#types.has(`uint${bits}`) ? `uint${bits}` : `int${bits}`;
  }

  /** The middle of the range for unsigned elements; 0 for signed ones. */
  async #zeroPointsOf(type: ElementType, shape: readonly number[]): Promise<Weight> {
    const key = `${type} ${shape}`;
    const count = shape[0]! * shape[1]!;
    const bytes = new Uint8Array(type.endsWith("4") ? Math.ceil(count / 2) : count);
    const known = this.#zeroPoints.get(key) ??
      await this.#constant(type, shape, bytes.fill(MIDDLES[type]), this.#shared);
    this.#zeroPoints.set(key, known);
    return known;
  }

  async #constant(
    dataType: MLOperandDataType,
    shape: readonly number[],
    data: Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer>,
    owner: MLTensor[] = this.#ofStage,
  ): Promise<Weight> {
    const descriptor = { dataType, shape: [...shape] };
    const tensor = await this.#constantTensor(descriptor, data);
    if (tensor === undefined) return (builder) => builder.constant(descriptor, data);
    owner.push(tensor);
    return (builder) => builder.constant(tensor);
  }

  /**
   * Creates a constant tensor; returns `undefined` if the context does not support them, as in Chromium on the CPU. The
   * first weight is small, so a failed attempt costs little.
   */
  async #constantTensor(descriptor: MLOperandDescriptor, data: AllowSharedBufferSource): Promise<MLTensor | undefined> {
    if (!this.#hasConstantTensors) return undefined;
    try {
      return await this.context.createConstantTensor(descriptor, data);
    } catch (error) {
      if (!(error instanceof DOMException && error.name === "NotSupportedError")) throw error;
      this.#hasConstantTensors = false;
      return undefined;
    }
  }
}

/** The name of a tensor of a layer, by its part. */
function nameIn(layer: number): (part: string) => string {
  return (part) => `blk.${layer}.${part}.weight`;
}

/** Memory that is reused, and grows when necessary. */
function reusedMemory(): { take: Allocate; free(): void } {
  const memory = new Map<string, Uint8Array<ArrayBuffer>>();
  return {
    take(name, bytes) {
      const known = memory.get(name);
      const enough = known && known.length >= bytes ? known : new Uint8Array(bytes);
      memory.set(name, enough);
      return enough.subarray(0, bytes);
    },
    // Frees the memory immediately; the garbage collector may wait for long.
    free() {
      for (const { buffer } of memory.values()) buffer.transfer(0);
      memory.clear();
    },
  };
}

/**
 * The largest number of elements for which a product sums the blocks of a row faster than a reshape and a reduction.
 */
const MAX_MEMBERSHIP = 1024;

/** The maximum number of bytes of a tensor to read at once. */
const PIECE = 2 ** 20;

/** A byte of zero points for each type; a byte contains two 4-bit ones. */
const MIDDLES = { uint4: 0x88, uint8: 0x80, int4: 0, int8: 0 } as const;

/** Converts unsigned elements to the type: for signed types, the highest bit is inverted. */
function withSign({ elements }: BlockMatrix, type: ElementType): Uint8Array<ArrayBuffer> {
  if (type.startsWith("uint")) return elements;
  const sign = type === "int4" ? 0x88 : 0x80;
  return elements.map((byte) => byte ^ sign);
}
