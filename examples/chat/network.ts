/**
 * Builds the network of a language model with WebNN: RMS normalisation, rotary embedding, grouped-query attention over
 * a cache, a gated perceptron, and the output head. It uses only the standard, so it also runs in a browser.
 *
 * The network is split before and after each attention. The graphs between attentions are its stages: stage `i` goes
 * from the attention of layer `i - 1` to that of layer `i`. Stages have the weights, and do not depend on the length of
 * the cache. The graph of the attention has no weights, so all layers share it, and one for a longer cache is built
 * quickly.
 *
 * The keys and values of earlier tokens are in a history of fixed length, `[key-value heads, 1, history, headSize]` per
 * layer. A chunk of tokens is added to it. A single token is appended to the block of recent positions after it,
 * `[key-value heads, 1, block, headSize]`, whose first row is dropped.
 *
 * @module
 */
import type { Architecture } from "./architecture.ts";
import type { AfterAttention, BeforeAttention, BlockWeight, MatrixWeight, StageWeights, Weight } from "./weights.ts";

/**
 * The number of prompt tokens that are evaluated at once. With 128, a prompt takes a fifth less time, but more memory.
 */
export const CHUNK = 32;
/**
 * The positions in a block. Each token copies a block, and a full block copies the histories: this balances the costs.
 */
export const BLOCK = 32;

/** The keys, or the values, of earlier tokens. */
export interface History {
  /** The number of positions. */
  readonly length: number;
  readonly dataType: "float32" | "float16";
}

/** The parts of a graph that its operations share. */
interface Common {
  readonly builder: MLGraphBuilder;
  readonly architecture: Architecture;
  readonly tokens: number;
}

/**
 * Builds a stage for a number of tokens.
 *
 * Inputs: `x`, the embeddings or the `sum` of the previous stage; `mixed`, the result of the attention; for several
 * tokens in the last stage `last`, the index of the token whose logits are computed. Outputs: `sum` and `qkv`, the
 * queries, keys and values for the next attention; of the last stage `logits` and `token`, the most likely one.
 */
export function buildStage(
  builder: MLGraphBuilder,
  architecture: Architecture,
  { after, before, head }: StageWeights,
  tokens: number,
): Record<string, MLOperand> {
  const { headSize, heads, width } = architecture;
  const input = (name: string, size: number) => builder.input(name, { dataType: "float32", shape: [tokens, size] });
  const outputs: Record<string, MLOperand> = {};
  let x = input("x", width);
  if (after) {
    let mixed = input("mixed", heads * headSize);
    if (head && tokens > 1) {
      const last = builder.input("last", { dataType: "int32", shape: [1] });
      [x, mixed] = [builder.gather(x, last, { axis: 0 }), builder.gather(mixed, last, { axis: 0 })];
    }
    const common = { builder, architecture, tokens: x.shape[0]! };
    x = feedForward(common, after, attended(common, after, x, mixed));
    if (!head) outputs.sum = x;
  }
  if (before) outputs.qkv = queriesKeysValues({ builder, architecture, tokens }, before, x);
  if (head) {
    const normal = norm({ builder, architecture, tokens: 1 }, x, head.norm);
    const logits = linear(builder, normal, head.matrix)[0]!;
    Object.assign(outputs, { logits, token: builder.argMax(logits, 1, { outputDataType: "int32" }) });
  }
  return outputs;
}

/**
 * Builds the attention of one token.
 *
 * Inputs: `qkv`; `cos`, `sin` and `mask`; `keys` and `values`, the history; `recent_keys` and `recent_values`, the
 * block. Outputs: `mixed`, and `new_recent_keys` and `new_recent_values`, the block with the token as its last row.
 */
export function buildTokenAttention(
  builder: MLGraphBuilder,
  architecture: Architecture,
  history: History,
): Record<string, MLOperand> {
  const common = { builder, architecture, tokens: 1 };
  const { keysValues, queries } = rotated(common);
  const [pastKeys, pastValues] = converted(common, histories(common, history), "float32");
  const block = recentBlock(common);
  const [keys, values] = splitKeysValues(common, keysValues);
  const [recentKeys, recentValues] = [appended(builder, block[0], keys), appended(builder, block[1], values)];
  const scores = builder.concat([scoresOf(builder, queries, recentKeys), scoresOf(builder, queries, pastKeys)], 3);
  const [ofRecent, ofPast] = builder.split(probabilities(common, scores), [BLOCK, history.length], { axis: 3 }) as [
    MLOperand,
    MLOperand,
  ];
  const mixed = builder.add(builder.matmul(ofPast, pastValues), builder.matmul(ofRecent, recentValues));
  return { mixed: merged(common, mixed), new_recent_keys: recentKeys, new_recent_values: recentValues };
}

/**
 * Builds the attention of a chunk.
 *
 * Inputs: `qkv`; `cos`, `sin` and `mask`; `keys` and `values`, the history, and `places`, where the chunk goes.
 * Outputs: `mixed`, and `new_keys` and `new_values`, the history with the chunk.
 */
export function buildChunkAttention(
  builder: MLGraphBuilder,
  architecture: Architecture,
  history: History,
  tokens: number,
): Record<string, MLOperand> {
  const common = { builder, architecture, tokens };
  const { keysValues, queries } = rotated(common);
  const all = extended(common, histories(common, history), splitKeysValues(common, keysValues));
  const [keys, values] = converted(common, all, "float32");
  const mixed = builder.matmul(probabilities(common, scoresOf(builder, queries, keys)), values);
  return { mixed: merged(common, mixed), new_keys: all[0], new_values: all[1] };
}

/**
 * Builds a graph that copies a block to the history: inputs `keys`, `values`, `recent_keys`, `recent_values` and
 * `places`, outputs `new_keys` and `new_values`.
 */
export function buildPut(
  builder: MLGraphBuilder,
  architecture: Architecture,
  history: History,
): Record<string, MLOperand> {
  const common = { builder, architecture, tokens: BLOCK };
  const [keys, values] = extended(common, histories(common, history), recentBlock(common));
  return { new_keys: keys, new_values: values };
}

/**
 * Builds a graph that copies a history to a longer one: inputs `keys` and `values`, outputs `new_keys` and
 * `new_values`.
 */
export function buildGrow(
  builder: MLGraphBuilder,
  architecture: Architecture,
  from: History,
  to: History,
): Record<string, MLOperand> {
  const common = { builder, architecture, tokens: 0 };
  const [keys, values] = converted(common, histories(common, from), to.dataType);
  const longer = (history: MLOperand) => builder.pad(history, [0, 0, 0, 0], [0, 0, to.length - from.length, 0]);
  return { new_keys: longer(keys), new_values: longer(values) };
}

/** The shape of keys or values for a number of positions. */
export function cacheShape({ headSize, keyValueHeads }: Architecture, positions: number): number[] {
  return [keyValueHeads, 1, positions, headSize];
}

/** The shape of the coordinates to which rows of keys or values are written. */
export function placesShape({ keyValueHeads }: Architecture, count: number): number[] {
  return [keyValueHeads, 1, count, 3];
}

/** The shape of cosines and sines: for all heads of queries, keys and values. */
export function rotationShape({ headSize, heads, keyValueHeads }: Architecture, tokens: number): number[] {
  return [tokens, heads + 2 * keyValueHeads, 2, headSize / 2];
}

/** The distinct values. */
export function distinct<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}

/** `x / √(mean(x²) + ε) · gain`, over the last dimension. */
function norm({ architecture, builder }: Common, x: MLOperand, gain: Weight): MLOperand {
  const axis = x.shape.length - 1;
  const mean = builder.reduceMean(builder.mul(x, x), { axes: [axis], keepDimensions: true });
  const epsilon = scalar(builder, architecture.epsilon);
  return builder.mul(builder.div(x, builder.sqrt(builder.add(mean, epsilon))), gain(builder));
}

function scalar(builder: MLGraphBuilder, value: number): MLOperand {
  return builder.constant({ dataType: "float32", shape: [] }, new Float32Array([value]));
}

/** `x · Wᵀ` for each matrix. */
function linear(builder: MLGraphBuilder, x: MLOperand, weights: readonly MatrixWeight[]): MLOperand[] {
  return weights.map((weight) => product(builder, x, weight));
}

function product(builder: MLGraphBuilder, x: MLOperand, weight: MatrixWeight): MLOperand {
  if ("numbers" in weight) return builder.gemm(x, weight.numbers(builder), { bTranspose: true });
  const { elements, minima, scales, zeroPoints } = weight;
  const matrix = builder.dequantizeLinear(
    elements(builder),
    scales(builder),
    zeroPoints(builder),
  );
  const main = builder.matmul(x, builder.transpose(matrix));
  if (!minima) return main;
  // A block has one minimum for all its elements, so its part of the product is the minimum times the sum of the block
  // of x.
  return builder.gemm(blockSums(builder, x, weight), minima(builder), { c: main, bTranspose: true });
}

function blockSums(builder: MLGraphBuilder, x: MLOperand, { blockSize, inner, membership }: BlockWeight): MLOperand {
  if (membership) return builder.matmul(x, membership(builder));
  const blocks = builder.reshape(x, [x.shape[0]!, inner / blockSize, blockSize]);
  return builder.reduceSum(blocks, { axes: [2] });
}

/**
 * The input `qkv` with the rotary embedding, transposed for the attention: queries `[key-value heads, group, tokens,
 * headSize]`, keys and then values `[2 * key-value heads, 1, tokens, headSize]`. A head becomes `x · cos + swapped ·
 * sin`, where `swapped` has its halves exchanged. Cosines and sines also scale the queries, and leave values unchanged.
 */
function rotated({ architecture, builder, tokens }: Common): { queries: MLOperand; keysValues: MLOperand } {
  const { headSize, heads, keyValueHeads } = architecture;
  const shape = rotationShape(architecture, tokens);
  const input = (name: string, shape: number[]) => builder.input(name, { dataType: "float32", shape });
  const halves = builder.reshape(input("qkv", qkvShape(architecture, tokens)), shape);
  const order = builder.constant({ dataType: "int32", shape: [2] }, new Int32Array([1, 0]));
  const swapped = builder.gather(halves, order, { axis: 2 });
  const sum = builder.add(builder.mul(halves, input("cos", shape)), builder.mul(swapped, input("sin", shape)));
  const [q, kv] = builder.split(sum, [heads, 2 * keyValueHeads], { axis: 1 }) as [MLOperand, MLOperand];
  return {
    queries: transposed(builder, q, [tokens, keyValueHeads, heads / keyValueHeads, headSize]),
    keysValues: transposed(builder, kv, [tokens, 2 * keyValueHeads, 1, headSize]),
  };
}

/** Splits keys and values. */
function splitKeysValues(
  { architecture: { keyValueHeads }, builder }: Common,
  keysValues: MLOperand,
): KeysValues {
  return builder.split(keysValues, [keyValueHeads, keyValueHeads], { axis: 0 }) as [MLOperand, MLOperand];
}

/** The shape of queries, keys and values. */
export function qkvShape({ headSize, heads, keyValueHeads }: Architecture, tokens: number): number[] {
  return [tokens, (heads + 2 * keyValueHeads) * headSize];
}

/** Reshapes x, and moves the axis of tokens after that of heads. A single token needs no transpose. */
function transposed(builder: MLGraphBuilder, x: MLOperand, [tokens, ...others]: [number, number, number, number]) {
  const [shared, group, headSize] = others;
  if (tokens === 1) return builder.reshape(x, [shared, group, 1, headSize]);
  return builder.transpose(builder.reshape(x, [tokens, ...others]), { permutation: [1, 2, 0, 3] });
}

/** Keys and values of the same positions. */
type KeysValues = readonly [keys: MLOperand, values: MLOperand];

/** The inputs `keys` and `values`. */
function histories(common: Common, history: History): KeysValues {
  return [cacheInput(common, "keys", history), cacheInput(common, "values", history)];
}

/** Keys and values in a data type. */
function converted({ builder }: Common, [keys, values]: KeysValues, dataType: History["dataType"]): KeysValues {
  return keys.dataType === dataType ? [keys, values] : [builder.cast(keys, dataType), builder.cast(values, dataType)];
}

/** The inputs `recent_keys` and `recent_values`. */
function recentBlock(common: Common): KeysValues {
  const block = { length: BLOCK, dataType: "float32" } as const;
  return [cacheInput(common, "recent_keys", block), cacheInput(common, "recent_values", block)];
}

function cacheInput({ architecture, builder }: Common, name: string, { dataType, length }: History): MLOperand {
  return builder.input(name, { dataType, shape: cacheShape(architecture, length) });
}

/** Keys and values with those of the tokens at the input `places`. */
function extended(common: Common, past: KeysValues, tokensNow: KeysValues): KeysValues {
  const { architecture, builder, tokens } = common;
  const now = converted(common, tokensNow, past[0].dataType as History["dataType"]);
  const places = builder.input("places", { dataType: "int32", shape: placesShape(architecture, tokens) });
  return [builder.scatterND(past[0], places, now[0]), builder.scatterND(past[1], places, now[1])];
}

/** A block without its first row, and with one more row at the end. */
function appended(builder: MLGraphBuilder, block: MLOperand, row: MLOperand): MLOperand {
  const [heads, group, rows, headSize] = block.shape as [number, number, number, number];
  return builder.concat([builder.slice(block, [0, 0, 1, 0], [heads, group, rows - 1, headSize]), row], 2);
}

function scoresOf(builder: MLGraphBuilder, queries: MLOperand, keys: MLOperand): MLOperand {
  return builder.matmul(queries, builder.transpose(keys, { permutation: [0, 1, 3, 2] }));
}

/**
 * The attention weights of each token. The input `mask` is 0 for visible positions, a large negative number for others.
 */
function probabilities({ builder, tokens }: Common, scores: MLOperand): MLOperand {
  const mask = builder.input("mask", { dataType: "float32", shape: [tokens, scores.shape[3]!] });
  return builder.softmax(builder.add(scores, mask), 3);
}

/** The results of all heads, one row per token. */
function merged({ architecture: { headSize, heads }, builder, tokens }: Common, mixed: MLOperand): MLOperand {
  const rows = tokens === 1 ? mixed : builder.transpose(mixed, { permutation: [2, 0, 1, 3] });
  return builder.reshape(rows, [tokens, heads * headSize]);
}

/**
 * Queries, keys and values, `[tokens, all heads * headSize]`; queries and keys are normalised if the layer has such a
 * norm.
 */
function queriesKeysValues(common: Common, weights: BeforeAttention, x: MLOperand): MLOperand {
  const { architecture: { headSize, heads, keyValueHeads }, builder, tokens } = common;
  const parts = linear(builder, norm(common, x, weights.attentionNorm), weights.qkv);
  const all = parts.length === 1 ? parts[0]! : builder.concat(parts, 1);
  if (!weights.qkNorm) return all;
  const count = heads + keyValueHeads;
  const [qk, v] = builder.split(all, [count * headSize, keyValueHeads * headSize], { axis: 1 }) as [
    MLOperand,
    MLOperand,
  ];
  const normal = norm(common, builder.reshape(qk, [tokens, count, headSize]), weights.qkNorm);
  return builder.concat([builder.reshape(normal, [tokens, count * headSize]), v], 1);
}

/** The result of the attention with its residual. */
function attended(common: Common, weights: AfterAttention, x: MLOperand, mixed: MLOperand): MLOperand {
  const output = linear(common.builder, mixed, weights.output)[0]!;
  return common.builder.add(x, weights.outputNorm ? norm(common, output, weights.outputNorm) : output);
}

function feedForward(common: Common, weights: AfterAttention, x: MLOperand): MLOperand {
  const { builder } = common;
  const parts = linear(builder, norm(common, x, weights.feedForwardNorm), weights.gateUp);
  const [gate, up] = parts.length === 1 ? builder.split(parts[0]!, 2, { axis: 1 }) : parts;
  const output = linear(builder, builder.mul(activated(common, gate!), up!), weights.down)[0]!;
  return builder.add(x, weights.downNorm ? norm(common, output, weights.downNorm) : output);
}

/** silu, or the tanh approximation of gelu: `x · sigmoid(√(8/π) (x + 0.044715 x³))`. */
function activated({ architecture, builder }: Common, x: MLOperand): MLOperand {
  if (architecture.activation === "silu") return builder.mul(x, builder.sigmoid(x));
  const square = builder.mul(x, x);
  const root = Math.sqrt(8 / Math.PI);
  const factor = builder.linear(square, { alpha: 0.044715 * root, beta: root });
  return builder.mul(x, builder.sigmoid(builder.mul(x, factor)));
}
