/**
 * The network's architecture, read from the metadata of a file: llama or gemma3.
 *
 * @module
 */
import type { GgufHeader, MetadataValue } from "./gguf.ts";

/** The sizes of a network, and the properties in which networks differ. */
export interface Architecture {
  readonly layers: number;
  /** The length of a token's vector between layers. */
  readonly width: number;
  /** The number of query heads; each key and value head serves `heads / keyValueHeads` of them. */
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headSize: number;
  readonly epsilon: number;
  readonly activation: "silu" | "gelu";
  /** The factor for the vectors of the embedding. */
  readonly embeddingScale: number;
  /** The base of the rotary embedding of each layer. */
  readonly rotaryBases: readonly number[];
  /** The attention window of each layer, in positions; `undefined` if a token attends to all earlier ones. */
  readonly windows: readonly (number | undefined)[];
  /** Whether the two numbers of each rotation are adjacent in the file; otherwise, they are half a head apart. */
  readonly hasNeighbourPairs: boolean;
  readonly vocabulary: number;
  /** The number of positions that the network was trained for. */
  readonly maxContext: number;
}

/** Every sixth layer of gemma3 attends to all positions. */
const GEMMA_PERIOD = 6;
const GEMMA_LOCAL_BASE = 10000;

/** @throws Error if the architecture is not supported, or a number is missing or invalid */
export function architectureOf({ metadata, tensors }: GgufHeader): Architecture {
  const name = metadata.get("general.architecture");
  if (name !== "llama" && name !== "gemma3") {
    throw new Error(`the model's architecture is ${JSON.stringify(name)}; only llama and gemma3 are supported`);
  }
  const number = (key: string, fallback?: number) =>
    positive(metadata.get(`${name}.${key}`), `${name}.${key}`, fallback);
  const layers = number("block_count");
  const width = number("embedding_length");
  const heads = number("attention.head_count");
  const common = {
    layers,
    width,
    heads,
    keyValueHeads: number("attention.head_count_kv", heads),
    headSize: number("attention.key_length", width / heads),
    epsilon: number("attention.layer_norm_rms_epsilon"),
    vocabulary: tensors.get("token_embd.weight")?.shape[0] ?? 0,
    maxContext: number("context_length"),
  };
  if (common.heads % common.keyValueHeads !== 0) {
    throw new Error(
      `the model's ${common.heads} query heads are not a multiple of its ${common.keyValueHeads} key heads`,
    );
  }
  const all = <T>(value: (layer: number) => T) => Array.from({ length: layers }, (_, layer) => value(layer));
  if (name === "llama") {
    const base = number("rope.freq_base", 10000);
    return {
      ...common,
      activation: "silu",
      embeddingScale: 1,
      rotaryBases: all(() => base),
      windows: all(() => undefined),
      hasNeighbourPairs: true,
    };
  }
  const base = number("rope.freq_base", 1e6);
  const window = number("attention.sliding_window", 512);
  const isLocal = (layer: number) => (layer + 1) % GEMMA_PERIOD !== 0;
  return {
    ...common,
    activation: "gelu",
    embeddingScale: Math.sqrt(width),
    rotaryBases: all((layer) => isLocal(layer) ? GEMMA_LOCAL_BASE : base),
    windows: all((layer) => isLocal(layer) ? window : undefined),
    hasNeighbourPairs: false,
  };
}

function positive(value: MetadataValue | undefined, key: string, fallback: number | undefined): number {
  const number = value ?? fallback;
  if (typeof number === "number" && number > 0) return number;
  throw new Error(`the file's ${key} must be a positive number, not ${JSON.stringify(number)}`);
}
