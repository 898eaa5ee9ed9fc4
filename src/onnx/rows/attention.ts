/**
 * Attention: one formula for the operators of ai.onnx and com.microsoft; rotary embeddings.
 *
 * @module
 */

import type { MLOperand } from "../../api/ml_operand.ts";
import type { NodeView } from "../node.ts";
import { type Row, type RowResult, rows } from "../row.ts";
import { operandType } from "../value.ts";
import { along, calculate, cut, join, pick, range, stack } from "./calculation.ts";
import { typeNamed } from "./elementwise.ts";

/** Queries [batch, heads, length, size]; keys and values with the same number of heads, or a divisor of it. */
interface Heads {
  readonly q: MLOperand;
  readonly k: MLOperand;
  readonly v: MLOperand;
}

/** The steps applied to the scores [batch, heads, queries, keys]; each is optional. */
interface Scoring {
  readonly scale: number;
  readonly softcap?: number;
  /** Added to the scores after `softcap`. */
  readonly bias?: MLOperand | undefined;
  /** A uint8 mask that broadcasts to the scores: the keys visible to each query. */
  readonly visible?: MLOperand | undefined;
  /** An extra score per head (or one for all) that is part of the softmax but has no value. */
  readonly sink?: MLOperand | undefined;
  readonly precision?: MLOperand["dataType"] | undefined;
}

/** The weighted values [batch, heads, length, size], and the scores at four stages. */
function attend(node: NodeView, { q, k, v }: Heads, scoring: Scoring) {
  const { builder } = node;
  const { mul, add, div, where } = calculate(node);
  const [batch, heads, queries] = q.shape as [number, number, number, number];
  const [shared, keys, size] = [k.shape[1]!, k.shape[2]!, k.shape[3]!];
  // The queries of heads that share a key are adjacent, so they are rows of one matrix product.
  const grouped = (x: MLOperand, last: number) => node.reshape(x, [batch, shared, heads / shared * queries, last]);
  const product = builder.matmul(grouped(mul(q, scoring.scale), size), node.transpose(k, [0, 1, 3, 2]));
  const raw = node.reshape(product, [batch, heads, queries, keys]);
  const capped = scoring.softcap ? mul(builder.tanh(div(raw, scoring.softcap)), scoring.softcap) : raw;
  const biased = scoring.bias ? add(capped, node.cast(scoring.bias, raw.dataType)) : capped;
  const masked = scoring.visible ? where(scoring.visible, biased, lowest(raw)) : biased;
  const scores = scoring.precision ? node.cast(masked, scoring.precision) : masked;
  const weights = node.cast(
    scoring.sink ? withSink(node, scores, scoring.sink) : builder.softmax(scores, 3),
    v.dataType,
  );
  const y = node.reshape(builder.matmul(grouped(weights, keys), v), [batch, heads, queries, v.shape[3]!]);
  return { y, raw, masked, capped, weights };
}

/** Finite, so that a query without visible keys gives no NaN. */
function lowest({ dataType }: MLOperand): number {
  return dataType === "float16" ? -65504 : -3.4028234663852886e38;
}

function withSink(node: NodeView, scores: MLOperand, sink: MLOperand): MLOperand {
  const [batch, heads, queries, keys] = scores.shape as [number, number, number, number];
  const column = node.expand(along(node, node.cast(sink, scores.dataType), 4, 1), [batch, heads, queries, 1]);
  return cut(node, node.builder.softmax(node.builder.concat([scores, column], 3), 3), 3, 0, keys);
}

/** Converts [batch, length, heads * size] to [batch, heads, length, size]. */
function splitHeads(node: NodeView, x: MLOperand, heads: number): MLOperand {
  const [batch, length, width] = x.shape as [number, number, number];
  return node.transpose(node.reshape(x, [batch, length, heads, width / heads]), [0, 2, 1, 3]);
}

function mergeHeads(node: NodeView, x: MLOperand): MLOperand {
  const [batch, heads, length, size] = x.shape as [number, number, number, number];
  return node.reshape(node.transpose(x, [0, 2, 1, 3]), [batch, length, heads * size]);
}

/** Concatenates past keys or values with the new ones. */
function afterPast(node: NodeView, past: number, now: MLOperand): MLOperand {
  return node.has(past) && node.shape(past)[2] !== 0 ? node.builder.concat([node.input(past), now], 2) : now;
}

/** The causal mask: query i sees the keys up to i + `offset`. */
function causal(node: NodeView, queries: number, keys: number, offset: number): MLOperand {
  const seen = range(0, queries * keys).map((i) => i % keys <= Math.floor(i / keys) + offset ? 1 : 0);
  return node.constant("uint8", [queries, keys], seen);
}

/** Attention of ai.onnx. Rejected where releases of ONNX define it differently. */
function attention(node: NodeView): RowResult {
  const isFlat = node.shape(0).length === 3;
  const [qHeads, kvHeads] = isFlat
    ? [node.int("q_num_heads"), node.int("kv_num_heads")]
    : [node.shape(0)[1]!, node.shape(1)[1]!];
  checkDefinition(node, isFlat, qHeads, kvHeads);
  const heads = (i: number, count: number) => isFlat ? splitHeads(node, node.input(i), count) : node.input(i);
  const q = heads(0, qHeads);
  const [k, v] = [afterPast(node, 4, heads(1, kvHeads)), afterPast(node, 5, heads(2, kvHeads))];
  const softcap = node.float("softcap", 0);
  const mask = maskOf(node);
  const isCausal = node.flag("is_causal");
  const stages = attend(node, { q, k, v }, {
    scale: node.float("scale", 1 / Math.sqrt(q.shape[3]!)),
    softcap,
    ...mask,
    ...isCausal && { visible: causal(node, q.shape[2]!, k.shape[2]!, 0) },
    precision: node.hasAttribute("softmax_precision")
      ? operandType(typeNamed(node, node.int("softmax_precision")), node.limits)
      : undefined,
  });
  const shown = [stages.raw, stages.masked, stages.capped, stages.weights];
  const scores = node.wants(3) ? node.cast(shown[node.int("qk_matmul_output_mode", 0)]!, q.dataType) : undefined;
  return [isFlat ? mergeHeads(node, stages.y) : stages.y, k, v, scores];
}

function maskOf(node: NodeView): Pick<Scoring, "bias" | "visible"> {
  if (!node.has(3)) return {};
  return node.operandType(3) === "uint8" ? { visible: node.input(3) } : { bias: node.input(3) };
}

/** ONNX 1.18, which introduced the operator, and later releases define the same version of it differently. */
function checkDefinition(node: NodeView, isFlat: boolean, qHeads: number, kvHeads: number): void {
  const differs = "which ONNX 1.18 and later releases define differently";
  if (isFlat && qHeads > 1) node.refuse(`more than one head in an input of rank 3, ${differs}`);
  if (qHeads !== kvHeads && kvHeads > 1) node.refuse(`heads that share keys, ${differs}`);
  const isMasked = node.has(3) || node.flag("is_causal");
  if (node.float("softcap", 0) !== 0 && isMasked) node.refuse(`softcap with a mask, ${differs}`);
  if (node.flag("is_causal") && (node.has(3) || node.has(4))) {
    node.refuse(`is_causal with a mask or a past, ${differs}`);
  }
}

/** Rotary embedding, with cosines and sines of the shape [batch or 1, length, half]. */
function rotate(node: NodeView, x: MLOperand, cos: MLOperand, sin: MLOperand, interleaved: boolean): MLOperand {
  const { mul, add, sub } = calculate(node);
  const [batch, heads, length, size] = x.shape as [number, number, number, number];
  const half = cos.shape[2]!;
  const turned = cut(node, x, 3, 0, 2 * half);
  const pairs = node.reshape(turned, interleaved ? [batch, heads, length, half, 2] : [batch, heads, length, 2, half]);
  const axis = interleaved ? 4 : 3;
  const [a, b] = [pick(node, pairs, axis, 0), pick(node, pairs, axis, 1)];
  const ofHeads = (angles: MLOperand) => node.reshape(angles, [angles.shape[0]!, 1, length, half]);
  const [c, s] = [ofHeads(cos), ofHeads(sin)];
  const result = stack(node, [sub(mul(a, c), mul(b, s)), add(mul(a, s), mul(b, c))], axis);
  const flat = node.reshape(result, turned.shape);
  return size === 2 * half ? flat : node.builder.concat([flat, cut(node, x, 3, 2 * half, size - 2 * half)], 3);
}

/** The rows of a cosine or sine cache at positions [batch, length]; only the first `half` columns are used. */
function angles(node: NodeView, cache: MLOperand, positions: MLOperand, half: number): MLOperand {
  return cut(node, node.builder.gather(cache, positions, { axis: 0 }), 2, 0, half);
}

interface Rotation {
  readonly cos: number;
  readonly sin: number;
  readonly positions: MLOperand | undefined;
  readonly heads: number;
}

function rotaryOf(node: NodeView, { cos, sin, positions, heads }: Rotation): RowResult {
  const x = node.input(0);
  const isFlat = x.shape.length === 3;
  const split = isFlat ? splitHeads(node, x, heads) : x;
  const rotated = node.int("rotary_embedding_dim", 0) || split.shape[3]!;
  const table = (i: number) => {
    const cache = node.input(i);
    if (positions) return angles(node, cache, positions, rotated / 2);
    return cut(node, cache, 2, 0, rotated / 2);
  };
  const result = rotate(node, split, table(cos), table(sin), node.flag("interleaved"));
  return isFlat ? mergeHeads(node, result) : result;
}

function rotaryEmbedding(node: NodeView): RowResult {
  return rotaryOf(node, { cos: 1, sin: 2, positions: node.optional(3), heads: node.int("num_heads", 0) || 1 });
}

/** For com.microsoft: a single position is the position of the first element. */
function rotaryEmbeddingOfMicrosoft(node: NodeView): RowResult {
  if (node.flag("is_packed_batching")) node.refuse("is_packed_batching");
  const [shape, half] = [node.shape(0), node.shape(2).at(-1)!];
  const length = shape.at(-2)!;
  const given = node.input(1);
  const isOffset = given.shape.length < 2;
  const steps = node.constant(given.dataType, [1, length], range(0, length));
  const positions = isOffset ? node.builder.add(node.reshape(given, [1, 1]), steps) : given;
  const rotated = node.int("rotary_embedding_dim", 0);
  const heads = node.int("num_heads", 0) || shape.at(-1)! / (2 * half);
  if (rotated && !node.int("num_heads", 0) && shape.length === 3) node.refuse("rotary_embedding_dim without num_heads");
  return rotaryOf(node, { cos: 2, sin: 3, positions, heads });
}

/** The bias for a key mask of com.microsoft, which has lengths, or 0 or 1 per key. */
function keyMask(node: NodeView, i: number, keys: number): MLOperand | undefined {
  if (!node.has(i)) return undefined;
  const { greater, lesser, where } = calculate(node);
  const mask = node.input(i);
  const [batch] = node.shape(0) as [number];
  const filter = node.float("mask_filter_value", -10000);
  const zero = node.scalar("float32", 0);
  const rank = mask.shape.length;
  if (rank === 1 && mask.shape[0] === batch) {
    const places = node.constant(mask.dataType, [1, 1, 1, keys], range(0, keys));
    return where(lesser(places, node.reshape(mask, [batch, 1, 1, 1])), zero, filter);
  }
  if (rank < 2 || rank > 4) return node.refuse(`a mask with the shape [${mask.shape}]`);
  const [first, ...rest] = mask.shape as [number, ...number[]];
  const shape = rank === 2 ? [first, 1, 1, ...rest] : rank === 3 ? [first, 1, ...rest] : mask.shape;
  if (shape[3] !== keys) node.refuse(`a mask for ${shape[3]} keys, but there are ${keys}`);
  return where(greater(node.reshape(mask, shape), 0), zero, filter);
}

function sumOf(
  node: NodeView,
  terms: readonly (MLOperand | undefined)[],
  type: MLOperand["dataType"],
): MLOperand | undefined {
  const given = terms.filter((term) => term !== undefined).map((term) => node.cast(term, type));
  return given.length === 0 ? undefined : given.reduce((a, b) => node.builder.add(a, b));
}

/** The causal mask for `unidirectional`. */
function oneWay(node: NodeView, { q, k }: Heads): { visible?: MLOperand } {
  if (!node.flag("unidirectional")) return {};
  const [queries, keys] = [q.shape[2]!, k.shape[2]!];
  return { visible: causal(node, queries, keys, keys - queries) };
}

/** Queries, keys and values from separate inputs or one packed input, with a common bias. */
function multiHeadAttention(node: NodeView): RowResult {
  if (node.has(8) || node.has(9)) node.refuse("a past that shares its buffer with the present");
  const { q, k, v } = headsOfInputs(node, node.int("num_heads"));
  const now = { q, k: afterPast(node, 6, k), v: afterPast(node, 7, v) };
  const { y, masked } = attend(node, now, {
    scale: node.float("scale", 0) || 1 / Math.sqrt(q.shape[3]!),
    bias: sumOf(node, [keyMask(node, 4, now.k.shape[2]!), node.optional(5)], q.dataType),
    ...oneWay(node, now),
  });
  return [mergeHeads(node, y), now.k, now.v, masked];
}

function headsOfInputs(node: NodeView, heads: number): Heads {
  const x = node.input(0);
  const bias = node.optional(3);
  if (x.shape.length === 5) return packedHeads(node, [0, 1, 2].map((i) => pick(node, x, 3, i)), bias, heads);
  if (node.has(1) && node.shape(1).length === 5) {
    const pair = [0, 1].map((i) => pick(node, node.input(1), 3, i));
    return packedHeads(
      node,
      [node.reshape(x, [...x.shape.slice(0, 2), heads, x.shape[2]! / heads]), ...pair],
      bias,
      heads,
    );
  }
  let start = 0;
  const part = (i: number) => {
    const input = node.input(i);
    if (input.shape.length === 4) return input;
    const width = input.shape[2]!;
    start += width;
    const biased = bias ? node.builder.add(input, cut(node, bias, 0, start - width, width)) : input;
    return splitHeads(node, biased, heads);
  };
  return { q: part(0), k: part(1), v: part(2) };
}

/** Three operands [batch, length, heads, size]. */
function packedHeads(node: NodeView, parts: readonly MLOperand[], bias: MLOperand | undefined, heads: number): Heads {
  const [q, k, v] = parts.map((part, i) => {
    const size = part.shape[3]!;
    const own = bias && node.reshape(cut(node, bias, 0, i * heads * size, heads * size), [heads, size]);
    return node.transpose(own ? node.builder.add(part, own) : part, [0, 2, 1, 3]);
  });
  return { q: q!, k: k!, v: v! };
}

/** For com.microsoft: the products with the weights are part of the operator. */
function attentionOfMicrosoft(node: NodeView): RowResult {
  const heads = node.int("num_heads");
  if (node.flag("do_rotary")) node.refuse("do_rotary");
  if (node.has(6)) node.refuse("a past that shares its buffer with the present");
  const product = node.builder.matmul(node.input(0), node.input(1));
  const all = node.has(2) ? node.builder.add(product, node.input(2)) : product;
  const sizes = node.ints("qkv_hidden_sizes") ?? range(0, 3).map(() => all.shape[2]! / 3);
  const [q, k, v] = sizes.map((size, i) => {
    const start = sizes.slice(0, i).reduce((a, b) => a + b, 0);
    return splitHeads(node, cut(node, all, 2, start, size), heads);
  }) as [MLOperand, MLOperand, MLOperand];
  const hasPast = node.has(4) && node.shape(4)[3] !== 0;
  const past = (i: number, now: MLOperand) => hasPast ? join(node, [pick(node, node.input(4), 0, i), now], 2) : now;
  const now = { q, k: past(0, k), v: past(1, v) };
  const { y } = attend(node, now, {
    scale: node.float("scale", 0) || 1 / Math.sqrt(q.shape[3]!),
    bias: sumOf(node, [keyMask(node, 3, now.k.shape[2]!), node.optional(5)], q.dataType),
    ...oneWay(node, now),
  });
  return [mergeHeads(node, y), node.wants(1) ? stack(node, [now.k, now.v], 0) : undefined];
}

/** The positions of GroupQueryAttention's inputs. */
const GROUP = { past: 3, lengths: 5, total: 6, cos: 7, sin: 8, positions: 9, bias: 10, sink: 11 } as const;

/** Causal attention with past keys and values; their buffer may be longer than the sequence. */
function groupQueryAttention(node: NodeView): RowResult {
  const [heads, shared] = [node.int("num_heads"), node.int("kv_num_heads")];
  const parts = groupHeads(node, heads, shared);
  const [batch, , length, size] = parts.q.shape as [number, number, number, number];
  const past = node.has(GROUP.past) ? node.shape(GROUP.past)[2]! : 0;
  const total = node.neededNumber(GROUP.total, "total_sequence_length");
  const keys = Math.max(past, total);
  if (past && node.operandType(GROUP.past) !== parts.k.dataType) node.refuse("a past with another type than the keys");
  const { add, sub, max, min } = calculate(node);
  // The position of the first new element: the total length minus the number of new elements.
  const ends = node.reshape(node.cast(node.input(GROUP.lengths), "int32"), [batch, 1]);
  const start = max(sub(ends, length - 1), 0);
  const positions = add(start, node.constant("int32", [1, length], range(0, length)));
  const { q, k, v } = node.flag("do_rotary") ? rotatedHeads(node, parts, positions) : parts;
  const present = {
    k: placed(node, GROUP.past, k, start, keys),
    v: placed(node, GROUP.past + 1, v, start, keys),
  };
  const { y } = attend(node, { q, ...present }, {
    scale: node.float("scale", 0) || 1 / Math.sqrt(size),
    softcap: node.float("softcap", 0),
    bias: node.optional(GROUP.bias),
    // Padding rows after the end of a sequence see the whole sequence.
    visible: within(node, node.reshape(min(positions, ends), [batch, 1, length, 1]), keys),
    sink: node.optional(GROUP.sink) ??
      (node.flag("smooth_softmax") ? node.constant(q.dataType, [heads], 0) : undefined),
  });
  return [mergeHeads(node, y), present.k, present.v];
}

function groupHeads(node: NodeView, heads: number, shared: number): Heads {
  const x = node.input(0);
  if (node.has(1)) {
    return {
      q: splitHeads(node, x, heads),
      k: splitHeads(node, node.input(1), shared),
      v: splitHeads(node, node.input(2), shared),
    };
  }
  const size = x.shape[2]! / (heads + 2 * shared);
  const part = (from: number, count: number) => splitHeads(node, cut(node, x, 2, from * size, count * size), count);
  return { q: part(0, heads), k: part(heads, shared), v: part(heads + shared, shared) };
}

function rotatedHeads(node: NodeView, { q, k, v }: Heads, counted: MLOperand): Heads {
  const positions = node.has(GROUP.positions) ? node.input(GROUP.positions) : counted;
  const half = node.shape(GROUP.cos)[1]!;
  const [cos, sin] = [GROUP.cos, GROUP.sin].map((i) => angles(node, node.input(i), positions, half));
  const turn = (x: MLOperand) => rotate(node, x, cos!, sin!, node.flag("rotary_interleaved"));
  return { q: turn(q), k: turn(k), v };
}

/** A buffer with `keys` positions: the past, and the new elements from `start` on. */
function placed(node: NodeView, past: number, now: MLOperand, start: MLOperand, keys: number): MLOperand {
  const { sub, greaterOrEqual, lesser, equal, where } = calculate(node);
  const { builder } = node;
  const [batch, , length] = now.shape as [number, number, number, number];
  const held = node.has(past) ? node.shape(past)[2]! : 0;
  if (held === 0 && length === keys) return now;
  const places = node.constant("int32", [1, keys], range(0, keys));
  const from = sub(places, start);
  const isNew = builder.logicalAnd(greaterOrEqual(from, 0), lesser(from, length));
  const choice = equal(node.reshape(from, [batch, keys, 1]), node.constant("int32", [1, 1, length], range(0, length)));
  const spread = length === 1
    ? now
    : builder.matmul(node.reshape(node.cast(choice, now.dataType), [batch, 1, keys, length]), now);
  const old = held === 0 ? node.scalar(now, 0) : extended(node, node.input(past), keys);
  return where(node.reshape(isNew, [batch, 1, keys, 1]), spread, old);
}

function extended(node: NodeView, past: MLOperand, keys: number): MLOperand {
  const missing = keys - past.shape[2]!;
  return missing > 0 ? node.builder.pad(past, [0, 0, 0, 0], [0, 0, missing, 0]) : past;
}

/** The mask of keys up to the query's position, limited to the last `local_window_size`. */
function within(node: NodeView, positions: MLOperand, keys: number): MLOperand {
  const { lesserOrEqual, greater, sub } = calculate(node);
  const places = node.constant("int32", [1, 1, 1, keys], range(0, keys));
  const upTo = lesserOrEqual(places, positions);
  const window = node.int("local_window_size", -1);
  return window < 0 ? upTo : node.builder.logicalAnd(upTo, greater(places, sub(positions, window)));
}

export const attentions: Row[] = [
  ...rows("", { Attention: [[23], attention], RotaryEmbedding: [[23], rotaryEmbedding] }),
  ...rows("com.microsoft", {
    Attention: [[1], attentionOfMicrosoft],
    GroupQueryAttention: [[1], groupQueryAttention],
    MultiHeadAttention: [[1], multiHeadAttention],
    RotaryEmbedding: [[1], rotaryEmbeddingOfMicrosoft],
  }),
];
