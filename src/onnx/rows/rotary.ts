/**
 * Rotary embeddings, and the heads of attention.
 *
 * @module
 */

import { join, type Operand, range, stack } from "../operand.ts";
import type { Build } from "../row.ts";
import { unsupported } from "../errors.ts";

/** Converts [batch, length, heads * size] to [batch, heads, length, size]. */
export function splitHeads(x: Operand, heads: number): Operand {
  const [batch, length, width] = x.shape as [number, number, number];
  return x.reshape([batch, length, heads, width / heads]).transpose([0, 2, 1, 3]);
}

/** Converts [batch, heads, length, size] to [batch, length, heads * size]. */
export function mergeHeads(x: Operand): Operand {
  const [batch, heads, length, size] = x.shape as [number, number, number, number];
  return x.transpose([0, 2, 1, 3]).reshape([batch, length, heads * size]);
}

/**
 * Rotates the first `2 * half` elements of each head. The angles are given by caches of their cosines and sines, of
 * which the first `half` columns are used. With positions [batch, length], the rows at those positions are used;
 * without, the caches have the shape [batch, length, columns].
 */
export function rotary(
  cosines: Operand,
  sines: Operand,
  positions: Operand | undefined,
  interleaved: boolean,
  half: number = cosines.shape.at(-1)!,
): (x: Operand) => Operand {
  const [cos, sin] = [cosines, sines].map((cache) => {
    const angles = (positions ? cache.gather(positions, 0) : cache).cut(2, 0, half);
    return angles.reshape([angles.shape[0]!, 1, angles.shape[1]!, half]);
  });
  return (x) => {
    const [batch, heads, length, size] = x.shape as [number, number, number, number];
    const turned = x.cut(3, 0, 2 * half);
    const axis = interleaved ? 4 : 3;
    const pairs = turned.reshape([batch, heads, length, ...interleaved ? [half, 2] : [2, half]]);
    const [a, b] = [pairs.pick(axis, 0), pairs.pick(axis, 1)];
    const result = stack([a.mul(cos!).sub(b.mul(sin!)), a.mul(sin!).add(b.mul(cos!))], axis);
    return join([result.reshape(turned.shape), x.cut(3, 2 * half, size - 2 * half)], 3);
  };
}

/** Applies a rotation to [batch, heads, length, size] or [batch, length, heads * size]. */
function onHeads(x: Operand, heads: number, turn: (x: Operand) => Operand): Operand {
  return x.rank === 3 ? mergeHeads(turn(splitHeads(x, heads))) : turn(x);
}

/** @see https://onnx.ai/onnx/operators/onnx__RotaryEmbedding.html */
export const rotaryEmbedding: Build = (node, x, cosines, sines, positions?) => {
  const heads = node.int("num_heads", 0) || 1;
  const size = x.rank === 3 ? x.shape[2]! / heads : x.shape[3]!;
  const rotated = node.int("rotary_embedding_dim", 0) || size;
  return onHeads(x, heads, rotary(cosines, sines, positions, node.flag("interleaved"), rotated / 2));
};

/** RotaryEmbedding of com.microsoft: a single position is that of the first token, and the others follow it. */
export const rotaryEmbeddingOfMicrosoft: Build = (node, x, given, cosines, sines) => {
  if (node.flag("is_packed_batching")) unsupported("is_packed_batching is not supported");
  const [length, width] = x.shape.slice(-2) as [number, number];
  const rotated = node.int("rotary_embedding_dim", 0);
  const stated = node.int("num_heads", 0);
  if (rotated && !stated && x.rank === 3) unsupported("rotary_embedding_dim needs num_heads");
  const heads = stated || width / (2 * cosines.shape.at(-1)!);
  const size = x.rank === 3 ? width / heads : width;
  const steps = given.constant([1, length], range(0, length));
  const positions = given.rank < 2 ? given.reshape([1, 1]).add(steps) : given;
  return onHeads(x, heads, rotary(cosines, sines, positions, node.flag("interleaved"), (rotated || size) / 2));
};
