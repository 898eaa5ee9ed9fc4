/**
 * Attention: one formula for the operators of ai.onnx and com.microsoft.
 *
 * @module
 */

import type { MLOperandDataType } from "../../data_type.ts";
import type { NodeView } from "../node.ts";
import { constant, join, type Operand, range, stack } from "../operand.ts";
import { type Build, type Row, type RowResult, rows } from "../row.ts";
import { operandType } from "../element_type.ts";
import { unsupported } from "../errors.ts";
import { mergeHeads, rotary, rotaryEmbedding, rotaryEmbeddingOfMicrosoft, splitHeads } from "./rotary.ts";

/** Operands [batch, heads, length, size]. The number of heads of k and v is that of q, or a divisor of it. */
interface Heads {
  readonly q: Operand;
  readonly k: Operand;
  readonly v: Operand;
}

/** Optional steps applied to the scores [batch, heads, queries, keys]. */
interface Scoring {
  /** If 0 or missing, 1 / √size. */
  readonly scale?: number;
  readonly softcap?: number;
  /** Added to the scores after `softcap`. */
  readonly bias?: Operand | undefined;
  /** A uint8 mask that broadcasts to the scores: the keys visible to each query. */
  readonly visible?: Operand | undefined;
  /** An extra score, per head or one for all heads. It is part of the softmax, but no value belongs to it. */
  readonly sink?: Operand | undefined;
  readonly precision?: MLOperandDataType | undefined;
}

/** The weighted values [batch, heads, length, size], and the scores: raw, capped, masked, and after the softmax. */
function attend({ q, k, v }: Heads, { scale, softcap, bias, visible, sink, precision }: Scoring) {
  const [batch, heads, queries, size] = q.shape as [number, number, number, number];
  const [shared, keys] = [k.shape[1]!, k.shape[2]!];
  // Heads that share keys are adjacent, so one matrix product takes all their queries.
  const grouped = (x: Operand, last: number) => x.reshape([batch, shared, heads / shared * queries, last]);
  const product = grouped(q.mul(scale || 1 / Math.sqrt(size)), size).matmul(k.transpose([0, 1, 3, 2]));
  const raw = product.reshape([batch, heads, queries, keys]);
  const capped = softcap ? raw.div(softcap).tanh().mul(softcap) : raw;
  const biased = bias ? capped.add(bias.cast(raw.type)) : capped;
  const masked = visible ? visible.where(biased, lowest(raw)) : biased;
  const scores = precision ? masked.cast(precision) : masked;
  const weights = (sink ? withSink(scores, sink) : scores.softmax(3)).cast(v.type);
  const y = grouped(weights, keys).matmul(v).reshape([batch, heads, queries, v.shape[3]!]);
  return { y, raw, masked, capped, weights };
}

/** The score of an invisible key. It is finite: with -Infinity, a query without visible keys would give NaN. */
function lowest({ dataType }: Operand): number {
  return dataType === "float16" ? -65504 : -3.4028234663852886e38;
}

function withSink(scores: Operand, sink: Operand): Operand {
  const [batch, heads, queries, keys] = scores.shape as [number, number, number, number];
  const column = sink.cast(scores.type).along(1, 4).expand([batch, heads, queries, 1]);
  return join([scores, column], 3).softmax(3).cut(3, 0, keys);
}

/** Concatenates past keys or values with the new ones. */
function afterPast(past: Operand | undefined, now: Operand): Operand {
  return past ? join([past, now], 2) : now;
}

/** The causal mask: query i sees the keys up to i + `offset`. */
function causal({ q, k }: Heads, offset: number): Operand {
  const [queries, keys] = [q.shape[2]!, k.shape[2]!];
  const seen = range(0, queries * keys).map((i) => i % keys <= Math.floor(i / keys) + offset ? 1 : 0);
  return constant(q.recorder, "uint8", [queries, keys], seen);
}

/** Attention of ai.onnx. Cases that the releases of ONNX define differently are rejected. */
const attention: Build = (node, query, key, value, mask?, pastKey?, pastValue?) => {
  const isFlat = query.rank === 3;
  const [qHeads, kvHeads] = isFlat
    ? [node.int("q_num_heads"), node.int("kv_num_heads")]
    : [query.shape[1]!, key.shape[1]!];
  const isCausal = node.flag("is_causal");
  const softcap = node.float("softcap", 0);
  const differs = "ONNX 1.18 and later releases define";
  if (isFlat && qHeads > 1) unsupported(`${differs} several heads in an input of rank 3 differently`);
  if (qHeads !== kvHeads && kvHeads > 1) unsupported(`${differs} heads that share keys differently`);
  if (softcap !== 0 && (mask || isCausal)) unsupported(`${differs} softcap with a mask differently`);
  if (isCausal && (mask || pastKey)) unsupported(`${differs} is_causal with a mask or a past differently`);
  const heads = (x: Operand, count: number) => isFlat ? splitHeads(x, count) : x;
  const [k, v] = [afterPast(pastKey, heads(key, kvHeads)), afterPast(pastValue, heads(value, kvHeads))];
  const all = { q: heads(query, qHeads), k, v };
  const precision = node.elementType("softmax_precision");
  const stages = attend(all, {
    scale: node.float("scale", 0),
    softcap,
    bias: mask?.dataType === "uint8" ? undefined : mask,
    visible: isCausal ? causal(all, 0) : mask?.dataType === "uint8" ? mask : undefined,
    precision: precision && operandType(precision, node.recorder.limits),
  });
  const shown = [stages.raw, stages.masked, stages.capped, stages.weights];
  const scores = shown[node.int("qk_matmul_output_mode", 0)]?.cast(query.type);
  return [isFlat ? mergeHeads(stages.y) : stages.y, k, v, scores];
};

/** Converts a key mask of com.microsoft to a bias. The mask has a length per sequence, or 0 or 1 per key. */
function keyMask(node: NodeView, mask: Operand | undefined, keys: number): Operand | undefined {
  if (!mask) return undefined;
  const batch = node.input(0).shape[0]!;
  const zero = node.constant("float32", [], 0);
  const filter = node.float("mask_filter_value", -10000);
  if (mask.rank === 1 && mask.size === batch) {
    const places = mask.constant([1, 1, 1, keys], range(0, keys));
    return places.lesser(mask.reshape([batch, 1, 1, 1])).where(zero, filter);
  }
  if (mask.rank < 2 || mask.rank > 4) return unsupported(`a mask with the shape [${mask.shape}] is not supported`);
  const [first, ...rest] = mask.shape as [number, ...number[]];
  const shape = mask.rank === 2 ? [first, 1, 1, ...rest] : mask.rank === 3 ? [first, 1, ...rest] : mask.shape;
  if (shape[3] !== keys) unsupported(`the mask is for ${shape[3]} keys, but there are ${keys}`);
  return mask.reshape(shape).greater(0).where(zero, filter);
}

/** Attention of com.microsoft, with a key mask, a bias, and the attribute `unidirectional`. */
function attendMasked(node: NodeView, heads: Heads, mask: Operand | undefined, bias: Operand | undefined) {
  const { q, k } = heads;
  const keys = k.shape[2]!;
  const biases = [keyMask(node, mask, keys), bias].filter((term) => term !== undefined).map((term) =>
    term.cast(q.type)
  );
  return attend(heads, {
    scale: node.float("scale", 0),
    bias: biases.length === 0 ? undefined : biases.reduce((a, b) => a.add(b)),
    visible: node.flag("unidirectional") ? causal(heads, keys - q.shape[2]!) : undefined,
  });
}

const SHARED_BUFFER = "a past that shares its buffer with the present is not supported";

/** Takes queries, keys and values from separate or packed inputs; `bias` is the bias of all three. */
const multiHeadAttention: Build = (node, query, key?, value?, bias?, mask?, scoreBias?, pastKey?, pastValue?) => {
  if (node.inputs[8] || node.inputs[9]) unsupported(SHARED_BUFFER);
  const { q, k, v } = headsOfInputs(node.int("num_heads"), query, key, value, bias);
  const now = { q, k: afterPast(pastKey, k), v: afterPast(pastValue, v) };
  const { y, masked } = attendMasked(node, now, mask, scoreBias);
  return [mergeHeads(y), now.k, now.v, masked];
};

function headsOfInputs(heads: number, query: Operand, key?: Operand, value?: Operand, bias?: Operand): Heads {
  if (query.rank === 5) return packedHeads([0, 1, 2].map((i) => query.pick(3, i)), bias);
  if (key?.rank === 5) {
    const [batch, length, width] = query.shape as [number, number, number];
    return packedHeads([query.reshape([batch, length, heads, width / heads]), key.pick(3, 0), key.pick(3, 1)], bias);
  }
  let start = 0;
  const [q, k, v] = [query, key, value].map((input, i) => {
    if (!input) return unsupported(`input ${i} is missing`);
    if (input.rank === 4) return input;
    const width = input.shape[2]!;
    start += width;
    return splitHeads(bias ? input.add(bias.cut(0, start - width, width)) : input, heads);
  });
  return { q: q!, k: k!, v: v! };
}

/** Queries, keys and values from three operands [batch, length, heads, size]. */
function packedHeads(parts: readonly Operand[], bias: Operand | undefined): Heads {
  const [q, k, v] = parts.map((part, i) => {
    const [heads, size] = part.shape.slice(2) as [number, number];
    const own = bias?.cut(0, i * heads * size, heads * size).reshape([heads, size]);
    return (own ? part.add(own) : part).transpose([0, 2, 1, 3]);
  });
  return { q: q!, k: k!, v: v! };
}

/** Attention of com.microsoft: queries, keys and values are the product of the input and the weights. */
const attentionOfMicrosoft: Build = (node, x, weights, bias?, mask?, past?, scoreBias?) => {
  const heads = node.int("num_heads");
  if (node.flag("do_rotary")) unsupported("do_rotary is not supported");
  if (node.inputs[6]) unsupported(SHARED_BUFFER);
  const product = x.matmul(weights);
  const all = bias ? product.add(bias) : product;
  const sizes = node.ints("qkv_hidden_sizes") ?? range(0, 3).map(() => all.shape[2]! / 3);
  let start = 0;
  const [q, k, v] = sizes.map((size) => {
    start += size;
    return splitHeads(all.cut(2, start - size, size), heads);
  });
  const now = { q: q!, k: afterPast(past?.pick(0, 0), k!), v: afterPast(past?.pick(0, 1), v!) };
  const { y } = attendMasked(node, now, mask, scoreBias);
  return [mergeHeads(y), node.wants(1) ? stack([now.k, now.v], 0) : undefined];
};

/** Causal attention with past keys and values; their buffer may be longer than the sequence. */
function groupQueryAttention(node: NodeView): RowResult {
  const [, , , pastKey, pastValue, , total, , , , bias, sink] = node.inputs;
  const heads = node.int("num_heads");
  const parts = groupHeads(node, heads, node.int("kv_num_heads"));
  const [batch, , length] = parts.q.shape as [number, number, number, number];
  const keys = Math.max(pastKey?.shape[2] ?? 0, (total ?? node.input(6)).number("total_sequence_length"));
  if (pastKey && pastKey.size > 0 && pastKey.dataType !== parts.k.dataType) {
    unsupported("the past must have the type of the keys");
  }
  // Input 5 is the last position of each sequence. The first new element is `length - 1` positions before it.
  const ends = node.input(5).cast("int32").reshape([batch, 1]);
  const start = ends.sub(length - 1).max(0);
  const positions = start.add(start.constant([1, length], range(0, length)));
  const { q, k, v } = node.flag("do_rotary") ? rotatedHeads(node, parts, positions) : parts;
  const present = { k: placed(pastKey, k, start, keys), v: placed(pastValue, v, start, keys) };
  const { y } = attend({ q, ...present }, {
    scale: node.float("scale", 0),
    softcap: node.float("softcap", 0),
    bias,
    // Padding rows after the end of a sequence see the whole sequence.
    visible: within(node, positions.min(ends).reshape([batch, 1, length, 1]), keys),
    sink: sink ?? (node.flag("smooth_softmax") ? q.constant([heads], 0) : undefined),
  });
  return [mergeHeads(y), present.k, present.v];
}

function groupHeads(node: NodeView, heads: number, shared: number): Heads {
  const [x, key] = [node.input(0), node.inputs[1]];
  if (key) return { q: splitHeads(x, heads), k: splitHeads(key, shared), v: splitHeads(node.input(2), shared) };
  const size = x.shape[2]! / (heads + 2 * shared);
  const part = (from: number, count: number) => splitHeads(x.cut(2, from * size, count * size), count);
  return { q: part(0, heads), k: part(heads, shared), v: part(heads + shared, shared) };
}

function rotatedHeads(node: NodeView, { q, k, v }: Heads, counted: Operand): Heads {
  const turn = rotary(node.input(7), node.input(8), node.inputs[9] ?? counted, node.flag("rotary_interleaved"));
  return { q: turn(q), k: turn(k), v };
}

/** A buffer with `keys` positions: the past, and the new elements from `start` on. */
function placed(past: Operand | undefined, now: Operand, start: Operand, keys: number): Operand {
  const [batch, , length] = now.shape as [number, number, number, number];
  const held = past?.shape[2] ?? 0;
  if (held === 0 && length === keys) return now;
  const from = start.constant([1, keys], range(0, keys)).sub(start);
  const isNew = from.greaterOrEqual(0).logicalAnd(from.lesser(length));
  const choice = from.reshape([batch, keys, 1]).equal(start.constant([1, 1, length], range(0, length)));
  const spread = length === 1 ? now : choice.cast(now.type).reshape([batch, 1, keys, length]).matmul(now);
  return isNew.reshape([batch, 1, keys, 1]).where(spread, held === 0 ? 0 : past!.padAxis(2, 0, keys - held));
}

/** The mask: each query sees the keys up to its position, but only the last `local_window_size` of them. */
function within(node: NodeView, positions: Operand, keys: number): Operand {
  const places = positions.constant([1, 1, 1, keys], range(0, keys));
  const upTo = places.lesserOrEqual(positions);
  const window = node.int("local_window_size", -1);
  return window < 0 ? upTo : upTo.logicalAnd(places.greater(positions.sub(window)));
}

export const attentions: Row[] = [
  ...rows("", { Attention: [23, 3, attention], RotaryEmbedding: [23, 3, rotaryEmbedding] }),
  ...rows("com.microsoft", {
    Attention: [1, 2, attentionOfMicrosoft],
    GroupQueryAttention: [1, 1, groupQueryAttention],
    MultiHeadAttention: [1, 1, multiHeadAttention],
    RotaryEmbedding: [1, 4, rotaryEmbeddingOfMicrosoft],
  }),
];
