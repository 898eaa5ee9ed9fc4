/**
 * Samples the next token from logits.
 *
 * @module
 */
import { random } from "../../support/random.ts";

/** The settings of a sampler. */
export interface Sampling {
  /** 0 takes the most likely token; 1 uses the probabilities of the network; higher values are more random. */
  readonly temperature: number;
  /** The number of most likely tokens to sample from; 0 for all. */
  readonly topK: number;
  /** Samples only from the most likely tokens that together have this probability. */
  readonly topP: number;
  /** The seed of the random numbers. */
  readonly seed: number;
}

/** Samples a token from logits. */
export type Sampler = (logits: Float32Array) => number;

/** Creates a sampler with its own random numbers. */
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

/** The ids of the highest logits in descending order. */
function likeliest(logits: Float32Array, count: number): number[] {
  const order = (a: number, b: number) => logits[b]! - logits[a]! || a - b;
  if (count >= logits.length) return Array.from(logits, (_, id) => id).sort(order);
  const limit = logits.toSorted().at(-count)!;
  const ids: number[] = [];
  for (let id = 0; id < logits.length; id++) if (logits[id]! >= limit) ids.push(id);
  return ids.sort(order).slice(0, count);
}

/** How many of the first probabilities are needed to reach a sum; at least one. */
function countWithin(shares: readonly number[], limit: number): number {
  let sum = 0;
  for (const [i, share] of shares.entries()) if ((sum += share) >= limit) return i + 1;
  return shares.length;
}
