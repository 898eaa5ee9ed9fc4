/**
 * Builds the network of a language model with WebNN: RMS normalisation, rotary embedding, grouped-query attention over
 * a cache, a gated perceptron, and the output head. It uses only the standard, so it also runs in a browser.
 *
 * A graph processes `tokens` tokens at once. The keys and values of earlier tokens are in a history of fixed length,
 * `[shared heads, 1, history, headSize]` per layer. Those of the new tokens are outputs. A graph for one token also
 * takes a block of recent positions, and returns the block with the new token in the row given by the input `place`.
 *
 * @module
 */
import type { Architecture } from "./architecture.ts";
import { startYielding } from "./yielding.ts";
import type { BlockWeight, LayerWeights, MatrixWeight, Weight, Weights } from "./weights.ts";

/** The sizes of a graph. */
export interface GraphSize {
  /** The number of new tokens. */
  readonly tokens: number;
  /** The length of the history. */
  readonly history: number;
  /** The length of the block of recent positions, for a graph of one token; otherwise `undefined`. */
  readonly block: number | undefined;
}

/** The parts of a graph that its layers share. */
interface Common {
  readonly builder: MLGraphBuilder;
  readonly architecture: Architecture;
  readonly size: GraphSize;
  /** The rotations of queries, keys and values, `[tokens, all heads, 2, headSize / 2]`, by base. */
  readonly rotations: ReadonlyMap<number, { readonly cos: MLOperand; readonly sin: MLOperand }>;
  /** The masks by window, `[tokens, history + recent]`: 0 for visible positions, very low for others. */
  readonly masks: ReadonlyMap<number | undefined, MLOperand>;
  /** The coordinates of the one token in a block of recent positions, `[shared heads, 1, 1, 3]`. */
  readonly place: MLOperand | undefined;
}

/** The graph's outputs by name: `logits`, `token` (the most likely one), and the keys and values of each layer. */
export async function buildNetwork(
  builder: MLGraphBuilder,
  architecture: Architecture,
  weights: Weights,
  size: GraphSize,
): Promise<Record<string, MLOperand>> {
  const { headSize, heads, sharedHeads, width } = architecture;
  const { block, tokens } = size;
  const rotationShape = [tokens, heads + 2 * sharedHeads, 2, headSize / 2];
  const input = (name: string, shape: number[], dataType: MLOperandDataType = "float32") =>
    builder.input(name, { dataType, shape });
  const common: Common = {
    builder,
    architecture,
    size,
    rotations: new Map(
      distinct(architecture.rotaryBases).map((base) => [base, {
        cos: input(`cos_${base}`, rotationShape),
        sin: input(`sin_${base}`, rotationShape),
      }]),
    ),
    masks: new Map(
      distinct(architecture.windows).map((
        window,
      ) => [window, input(maskName(window), [tokens, size.history + (block ?? tokens)])]),
    ),
    place: block === undefined ? undefined : input("place", placesShape(architecture, 1), "int32"),
  };
  const outputs: Record<string, MLOperand> = {};
  let x = input("embeddings", [tokens, width]);
  const yieldIfDue = startYielding();
  for (const [index, layer] of weights.layers.entries()) {
    await yieldIfDue();
    const { keys, sum, values } = attention(common, layer, index, x);
    x = feedForward(common, layer, sum);
    outputs[`new_key_${index}`] = keys;
    outputs[`new_value_${index}`] = values;
  }
  if (tokens > 1) x = builder.gather(x, input("last", [1], "int32"), { axis: 0 });
  const logits = linear(builder, norm(common, x, weights.outputNorm), weights.head)[0]!;
  return { ...outputs, logits, token: builder.argMax(logits, 1, { outputDataType: "int32" }) };
}

/** The shape of keys or values for a number of positions. */
export function cacheShape({ headSize, sharedHeads }: Architecture, positions: number): number[] {
  return [sharedHeads, 1, positions, headSize];
}

/** The shape of the coordinates to which rows of keys or values are written. */
export function placesShape({ sharedHeads }: Architecture, count: number): number[] {
  return [sharedHeads, 1, count, 3];
}

/** The name of the mask for a window. */
export function maskName(window: number | undefined): string {
  return window === undefined ? "mask" : `mask_${window}`;
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
 * Applies the rotary embedding to heads `[tokens, all heads, headSize]`: `x · cos + swapped · sin`, where `swapped` has
 * the halves of each head exchanged. Cosines and sines also scale the queries, and leave values unchanged.
 */
function rotated({ builder, rotations, size }: Common, x: MLOperand, base: number): MLOperand {
  const { cos, sin } = rotations.get(base)!;
  const halves = builder.reshape(x, cos.shape);
  const order = builder.constant({ dataType: "int32", shape: [2] }, new Int32Array([1, 0]));
  const swapped = builder.gather(halves, order, { axis: 2 });
  const sum = builder.add(builder.mul(halves, cos), builder.mul(swapped, sin));
  return size.tokens === 1 ? sum : builder.reshape(sum, [...cos.shape.slice(0, 2), 2 * cos.shape[3]!]);
}

/** A layer's attention with its residual, and the keys and values of the new tokens. */
function attention(
  common: Common,
  layer: LayerWeights,
  index: number,
  x: MLOperand,
): { sum: MLOperand; keys: MLOperand; values: MLOperand } {
  const { architecture, builder, size } = common;
  const { headSize, heads, rotaryBases, sharedHeads } = architecture;
  const { tokens } = size;
  const qkv = rotated(common, queriesKeysValues(common, layer, x), rotaryBases[index]!);
  const [q, k, v] = builder.split(qkv, [heads, sharedHeads, sharedHeads], { axis: 1 }) as [
    MLOperand,
    MLOperand,
    MLOperand,
  ];
  const queries = transposed(builder, q, [tokens, sharedHeads, heads / sharedHeads, headSize], [1, 2, 0, 3]);
  const shape = [tokens, sharedHeads, 1, headSize];
  const keys = appended(common, `key_${index}`, transposed(builder, k, shape, [1, 2, 0, 3]));
  const values = appended(common, `value_${index}`, transposed(builder, v, shape, [1, 2, 0, 3]));
  const mixed = attended(common, index, queries, keys, values);
  const merged = builder.reshape(tokens === 1 ? mixed : builder.transpose(mixed, { permutation: [2, 0, 1, 3] }), [
    tokens,
    heads * headSize,
  ]);
  let output = linear(builder, merged, layer.output)[0]!;
  if (layer.postAttentionNorm) output = norm(common, output, layer.postAttentionNorm);
  return { sum: builder.add(x, output), keys, values };
}

/**
 * Queries, keys and values, `[tokens, all heads * headSize]`; queries and keys are normalised if the layer has such a
 * norm.
 */
function queriesKeysValues(common: Common, layer: LayerWeights, x: MLOperand): MLOperand {
  const { architecture: { headSize, heads, sharedHeads }, builder, size: { tokens } } = common;
  const parts = linear(builder, norm(common, x, layer.attentionNorm), layer.qkv);
  const all = parts.length === 1 ? parts[0]! : builder.concat(parts, 1);
  if (!layer.qkNorm) return all;
  const count = heads + sharedHeads;
  const [qk, v] = builder.split(all, [count * headSize, sharedHeads * headSize], { axis: 1 }) as [MLOperand, MLOperand];
  const normal = norm(common, builder.reshape(qk, [tokens, count, headSize]), layer.qkNorm);
  return builder.concat([builder.reshape(normal, [tokens, count * headSize]), v], 1);
}

/** Reshapes x, then permutes its dimensions. A single token needs only a reshape. */
function transposed(builder: MLGraphBuilder, x: MLOperand, shape: number[], permutation: number[]): MLOperand {
  if (shape[0] !== 1) return builder.transpose(builder.reshape(x, shape), { permutation });
  return builder.reshape(x, permutation.map((axis) => shape[axis]!));
}

/** The new keys or values; for one token, the block of recent positions with the new row. */
function appended({ architecture, builder, place, size }: Common, name: string, now: MLOperand): MLOperand {
  if (size.block === undefined || place === undefined) return now;
  const shape = cacheShape(architecture, size.block);
  return builder.scatterND(builder.input(`recent_${name}`, { dataType: "float32", shape }), place, now);
}

/** Attention of queries `[shared heads, group, tokens, headSize]` to the history and the recent tokens. */
function attended(
  { architecture, builder, masks, size }: Common,
  index: number,
  queries: MLOperand,
  keys: MLOperand,
  values: MLOperand,
): MLOperand {
  const { windows } = architecture;
  const { history } = size;
  const shape = cacheShape(architecture, history);
  const past = (kind: string) => builder.input(`${kind}_${index}`, { dataType: "float32", shape });
  const [pastKeys, pastValues] = [past("key"), past("value")];
  const scoresOf = (keys: MLOperand) => builder.matmul(queries, builder.transpose(keys, { permutation: [0, 1, 3, 2] }));
  const scores = builder.concat([scoresOf(pastKeys), scoresOf(keys)], 3);
  const probabilities = builder.softmax(builder.add(scores, masks.get(windows[index])!), 3);
  const recent = probabilities.shape[3]! - history;
  const [ofPast, ofRecent] = builder.split(probabilities, [history, recent], { axis: 3 }) as [MLOperand, MLOperand];
  return builder.add(builder.matmul(ofPast, pastValues), builder.matmul(ofRecent, values));
}

function feedForward(common: Common, layer: LayerWeights, x: MLOperand): MLOperand {
  const { builder } = common;
  const parts = linear(builder, norm(common, x, layer.feedForwardNorm), layer.gateUp);
  const [gate, up] = parts.length === 1 ? builder.split(parts[0]!, 2, { axis: 1 }) : parts;
  let output = linear(builder, builder.mul(activation(common, gate!), up!), layer.down)[0]!;
  if (layer.postFeedForwardNorm) output = norm(common, output, layer.postFeedForwardNorm);
  return builder.add(x, output);
}

/** silu, or the tanh approximation of gelu: `x · sigmoid(√(8/π) (x + 0.044715 x³))`. */
function activation({ architecture, builder }: Common, x: MLOperand): MLOperand {
  if (architecture.activation === "silu") return builder.mul(x, builder.sigmoid(x));
  const square = builder.mul(x, x);
  const root = Math.sqrt(8 / Math.PI);
  const factor = builder.linear(square, { alpha: 0.044715 * root, beta: root });
  return builder.mul(x, builder.sigmoid(builder.mul(x, factor)));
}
