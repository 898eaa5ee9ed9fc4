/**
 * Which token comes next, drawn from what the network says of each.
 *
 * @module
 */
import { random } from "../../support/random.ts";

/** How tokens are drawn. */
export interface Sampling {
  /** 0 takes the likeliest token; 1 draws as the network says; above that, unlikely ones come more often. */
  readonly temperature: number;
  /** Only so many of the likeliest tokens are drawn from; 0 stands for all. */
  readonly topK: number;
  /** Only as many of the likeliest tokens as together have this share. */
  readonly topP: number;
  /** The same seed gives the same draws. */
  readonly seed: number;
}

/** Draws a token from logits. */
export type Sampler = (logits: Float32Array) => number;

/** A sampler with random numbers of its own. */
export function createSampler({ seed, temperature, topK, topP }: Sampling): Sampler {
  const next = random(seed);
  return (logits) => {
    const candidates = likeliest(logits, topK > 0 ? topK : logits.length);
    const best = logits[candidates[0]!]!;
    const shares = candidates.map((id) => Math.exp((logits[id]! - best) / temperature));
    const total = shares.reduce((sum, share) => sum + share, 0);
    const kept = countWithin(shares, topP * total);
    let rest = next() * shares.slice(0, kept).reduce((sum, share) => sum + share, 0);
    for (let i = 0; i < kept; i++) if ((rest -= shares[i]!) < 0) return candidates[i]!;
    return candidates[kept - 1]!;
  };
}

/** The ids with the highest logits, the highest first. */
function likeliest(logits: Float32Array, count: number): number[] {
  const order = (a: number, b: number) => logits[b]! - logits[a]! || a - b;
  if (count >= logits.length) return Array.from(logits, (_, id) => id).sort(order);
  const limit = logits.toSorted().at(-count)!;
  const ids: number[] = [];
  for (let id = 0; id < logits.length; id++) if (logits[id]! >= limit) ids.push(id);
  return ids.sort(order).slice(0, count);
}

/** How many of the first shares it takes to reach a sum; one at least. */
function countWithin(shares: readonly number[], limit: number): number {
  let sum = 0;
  for (const [i, share] of shares.entries()) if ((sum += share) >= limit) return i + 1;
  return shares.length;
}
