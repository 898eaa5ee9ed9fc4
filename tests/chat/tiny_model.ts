/** Language models with two layers and random weights, as GGUF files, and their results in float64. */
import { ggufFile, numbersOf, randomBlocks, type TensorSpec, type TypeName } from "./gguf_writer.ts";

/** The properties of a model. */
export interface TinyModel {
  readonly architecture: "llama" | "gemma3";
  /** The block types of the layers' matrices, used in turn; widths must be multiples of their block sizes. */
  readonly types: readonly TypeName[];
  readonly headType: TypeName;
}

/** The sizes of the models: rows of 256 elements, because the largest blocks have as many. */
export const SIZES = {
  layers: 2,
  width: 256,
  heads: 4,
  keyValueHeads: 2,
  headSize: 64,
  inner: 512,
  window: 40,
} as const;
const NORMAL_BASE = 10000;
const GLOBAL_BASE = 1e6;
const EPSILON = 1e-5;

/** The vocabulary starts with control tokens, followed by one token per byte, then pairs. */
const CONTROL = ["<|end|>", "<|user|>", "<|assistant|>", "<|system|>"];
const PAIRS = ["h e", "l l", "o Ġ", "t h", "th e", "Ġ t", "i n", "a n", "e r", "in g"];
const TEMPLATE = "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}<|end|>{% endfor %}" +
  "{% if add_generation_prompt %}<|assistant|>{% endif %}";

/** A model file, and the numbers of its tensors. */
export interface TinyFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly numbers: ReadonlyMap<string, Float64Array>;
  readonly vocabulary: number;
}

/** Creates the file of a model. */
export function tinyFile({ architecture, headType, types }: TinyModel): TinyFile {
  const tokens = vocabulary();
  const tensors = tensorsOf(architecture, types, headType, tokens.length);
  const { headSize, heads, inner, layers, keyValueHeads, width, window } = SIZES;
  const bytes = ggufFile({
    "general.architecture": architecture,
    [`${architecture}.block_count`]: layers,
    [`${architecture}.context_length`]: 1024,
    [`${architecture}.embedding_length`]: width,
    [`${architecture}.feed_forward_length`]: inner,
    [`${architecture}.attention.head_count`]: heads,
    [`${architecture}.attention.head_count_kv`]: keyValueHeads,
    [`${architecture}.attention.key_length`]: headSize,
    [`${architecture}.attention.layer_norm_rms_epsilon`]: EPSILON,
    [`${architecture}.attention.sliding_window`]: window,
    [`${architecture}.rope.freq_base`]: architecture === "llama" ? NORMAL_BASE : GLOBAL_BASE,
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.pre": "gpt-2",
    "tokenizer.ggml.tokens": tokens,
    "tokenizer.ggml.token_type": tokens.map((_, id) => id < CONTROL.length ? 3 : 1),
    "tokenizer.ggml.merges": PAIRS,
    "tokenizer.ggml.eos_token_id": 0,
    "tokenizer.chat_template": TEMPLATE,
  }, tensors);
  const numbers = new Map(tensors.map(({ bytes, name, type }) => [name, numbersOf(type, bytes)]));
  return { bytes, numbers, vocabulary: tokens.length };
}

function vocabulary(): string[] {
  const isPrintable = (byte: number) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
  let next = 256;
  const bytes = Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(isPrintable(byte) ? byte : next++));
  return [...CONTROL, ...bytes, ...PAIRS.map((pair) => pair.replace(" ", ""))];
}

function tensorsOf(
  architecture: TinyModel["architecture"],
  types: readonly TypeName[],
  headType: TypeName,
  tokens: number,
): TensorSpec[] {
  const { headSize, heads, inner, layers, keyValueHeads, width } = SIZES;
  const tensors: TensorSpec[] = [];
  let matrices = 0;
  const add = (name: string, type: TypeName, shape: number[], size: number) => {
    const count = shape.reduce((product, dimension) => product * dimension, 1);
    tensors.push({ name, type, shape, bytes: randomBlocks(type, count, size, 1000 + tensors.length) });
  };
  const matrix = (name: string, rows: number, columns: number) =>
    add(name, types[matrices++ % types.length]!, [rows, columns], 2 / Math.sqrt(columns));
  const vector = (name: string, length: number) => add(name, "F32", [length], 1.5);
  add("token_embd.weight", headType, [tokens, width], 1);
  for (let layer = 0; layer < layers; layer++) {
    const name = (part: string) => `blk.${layer}.${part}.weight`;
    vector(name("attn_norm"), width);
    matrix(name("attn_q"), heads * headSize, width);
    matrix(name("attn_k"), keyValueHeads * headSize, width);
    matrix(name("attn_v"), keyValueHeads * headSize, width);
    matrix(name("attn_output"), width, heads * headSize);
    vector(name("ffn_norm"), width);
    matrix(name("ffn_gate"), inner, width);
    matrix(name("ffn_up"), inner, width);
    matrix(name("ffn_down"), width, inner);
    if (architecture === "llama") continue;
    vector(name("attn_q_norm"), headSize);
    vector(name("attn_k_norm"), headSize);
    vector(name("post_attention_norm"), width);
    vector(name("post_ffw_norm"), width);
  }
  vector("output_norm.weight", width);
  return tensors;
}

/** The logits after each token of a sequence, in float64. */
export function referenceLogits({ numbers, vocabulary }: TinyFile, architecture: string, ids: readonly number[]) {
  const { layers, width } = SIZES;
  const table = numbers.get("token_embd.weight")!;
  const scale = architecture === "llama" ? 1 : Math.sqrt(width);
  let rows: Float64Array[] = ids.map((id) =>
    Float64Array.from(table.subarray(id * width, (id + 1) * width), (value) => value * scale)
  );
  for (let layer = 0; layer < layers; layer++) rows = referenceLayer(numbers, architecture, layer, rows);
  return rows.map((row) => times(normalized(row, numbers.get("output_norm.weight")!), table, vocabulary));
}

type Numbers = TinyFile["numbers"];

function referenceLayer(numbers: Numbers, architecture: string, layer: number, rows: Float64Array[]): Float64Array[] {
  const { inner, width } = SIZES;
  const weight = (part: string) => numbers.get(`blk.${layer}.${part}.weight`)!;
  const optional = (row: Float64Array, part: string) => architecture === "llama" ? row : normalized(row, weight(part));
  const mixed = referenceAttention(weight, architecture, rows.map((row) => normalized(row, weight("attn_norm"))));
  return rows.map((row, i) => {
    const after = optional(times(mixed[i]!, weight("attn_output"), width), "post_attention_norm");
    const sum = row.map((value, k) => value + after[k]!);
    const h = normalized(sum, weight("ffn_norm"));
    const [gate, up] = [times(h, weight("ffn_gate"), inner), times(h, weight("ffn_up"), inner)];
    const activate = architecture === "llama" ? silu : gelu;
    const down = times(gate.map((value, k) => activate(value) * up[k]!), weight("ffn_down"), width);
    const last = optional(down, "post_ffw_norm");
    return sum.map((value, k) => value + last[k]!);
  });
}

function referenceAttention(weight: (part: string) => Float64Array, architecture: string, rows: Float64Array[]) {
  const { headSize, heads, keyValueHeads, window } = SIZES;
  const isLlama = architecture === "llama";
  const project = (part: string, count: number, position: number) =>
    Array.from({ length: count }, (_, head) => {
      const row = times(rows[position]!, weight(part), count * headSize).slice(head * headSize, (head + 1) * headSize);
      if (part === "attn_v") return row;
      return rotated(isLlama ? row : normalized(row, weight(`${part}_norm`)), position, isLlama);
    });
  const positions = rows.map((_, position) => position);
  const queries = positions.map((position) => project("attn_q", heads, position));
  const keys = positions.map((position) => project("attn_k", keyValueHeads, position));
  const values = positions.map((position) => project("attn_v", keyValueHeads, position));
  const reach = isLlama ? Infinity : window;
  return positions.map((position) => {
    const seen = positions.filter((other) => other <= position && position - other < reach);
    const mixed = new Float64Array(heads * headSize);
    for (let head = 0; head < heads; head++) {
      const shared = Math.floor(head / (heads / keyValueHeads));
      const dot = (other: number) =>
        queries[position]![head]!.reduce((s, q, k) => s + q * keys[other]![shared]![k]!, 0);
      const shares = softmax(seen.map((other) => dot(other) / Math.sqrt(headSize)));
      seen.forEach((other, i) =>
        values[other]![shared]!.forEach((value, k) => mixed[head * headSize + k]! += shares[i]! * value)
      );
    }
    return mixed;
  });
}

/** Rotates adjacent numbers in llama, and numbers half a head apart in gemma3, whose two layers are both local. */
function rotated(row: Float64Array, position: number, hasNeighbourPairs: boolean): Float64Array {
  const half = row.length / 2;
  const turned = new Float64Array(row.length);
  for (let i = 0; i < half; i++) {
    const angle = position * NORMAL_BASE ** (-i / half);
    const [a, b] = hasNeighbourPairs ? [2 * i, 2 * i + 1] : [i, i + half];
    turned[a] = row[a]! * Math.cos(angle) - row[b]! * Math.sin(angle);
    turned[b] = row[b]! * Math.cos(angle) + row[a]! * Math.sin(angle);
  }
  return turned;
}

function times(row: Float64Array, matrix: Float64Array, rows: number): Float64Array {
  return Float64Array.from({ length: rows }, (_, n) => {
    let sum = 0;
    for (let k = 0; k < row.length; k++) sum += row[k]! * matrix[n * row.length + k]!;
    return sum;
  });
}

function normalized(row: Float64Array, gain: Float64Array): Float64Array {
  const mean = row.reduce((sum, value) => sum + value * value, 0) / row.length;
  return row.map((value, k) => value / Math.sqrt(mean + EPSILON) * gain[k]!);
}

function softmax(scores: number[]): number[] {
  const best = Math.max(...scores);
  const shares = scores.map((score) => Math.exp(score - best));
  const total = shares.reduce((sum, share) => sum + share, 0);
  return shares.map((share) => share / total);
}

function silu(x: number): number {
  return x / (1 + Math.exp(-x));
}

function gelu(x: number): number {
  return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
}
