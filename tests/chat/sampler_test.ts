/** Sampling: limits hold, frequencies match the probabilities, and a seed gives the same tokens. */
import { assert, assertEquals } from "@std/assert";
import { createSampler, type Sampling } from "../../examples/chat/sampler.ts";

const LOGITS = Float32Array.of(1, 4, 2, 3, -50);

function shares(options: Partial<Sampling>, draws = 4000): number[] {
  const sample = createSampler({ temperature: 1, topK: 0, topP: 1, seed: 5, ...options });
  const counts = Array(LOGITS.length).fill(0);
  for (let i = 0; i < draws; i++) counts[sample(LOGITS)]++;
  return counts.map((count) => count / draws);
}

Deno.test("frequencies match the softmax at the temperature", () => {
  for (const temperature of [0.5, 1, 2]) {
    const weights = Array.from(LOGITS, (value) => Math.exp(value / temperature));
    const total = weights.reduce((sum, weight) => sum + weight);
    shares({ temperature }).forEach((share, id) => assert(Math.abs(share - weights[id]! / total) < 0.03));
  }
});

Deno.test("top-k and top-p leave only the most likely tokens", () => {
  const drawn = (options: Partial<Sampling>) => shares({ temperature: 3, ...options }).map((share) => share > 0);
  assertEquals(drawn({ topK: 1 }), [false, true, false, false, false]);
  assertEquals(drawn({ topK: 3 }), [false, true, true, true, false]);
  // At a temperature of 1, the most likely token has a probability of 0.64, the next one 0.24.
  assertEquals(shares({ topP: 0.6 }).map((share) => share > 0), [false, true, false, false, false]);
  assertEquals(shares({ topP: 0.7 }).map((share) => share > 0), [false, true, false, true, false]);
});

Deno.test("the same seed gives the same tokens, another one does not", () => {
  const draws = (seed: number) => {
    const sample = createSampler({ temperature: 2, topK: 0, topP: 1, seed });
    return Array.from({ length: 40 }, () => sample(LOGITS));
  };
  assertEquals(draws(1), draws(1));
  assert(draws(1).join() !== draws(2).join());
});
