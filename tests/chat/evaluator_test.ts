/** Small models with random weights, compared with a float64 reference: chunks, single tokens and full blocks. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { createContext, type MLContext, MLGraphBuilder } from "@webnn/deno";
import { architectureOf } from "../../examples/chat/architecture.ts";
import { blobSource } from "../../examples/chat/byte_source.ts";
import { createEvaluator, type Evaluator } from "../../examples/chat/evaluator.ts";
import { readGguf } from "../../examples/chat/gguf.ts";
import { loadGraphs } from "../../examples/chat/graphs.ts";
import { embeddingOf, weightLoader } from "../../examples/chat/weights.ts";
import { random } from "../../support/random.ts";
import { referenceLogits, type TinyFile, tinyFile, type TinyModel } from "./tiny_model.ts";

const CAPACITY = 400;

/** Evaluators that share their graphs, one for each capacity. */
async function withEvaluators(
  file: TinyFile,
  capacities: readonly number[],
  work: (...evaluators: Evaluator[]) => Promise<void>,
  { allowReducedPrecision = false, newBuilder = (context: MLContext) => new MLGraphBuilder(context) } = {},
): Promise<void> {
  const source = blobSource(new Blob([file.bytes]));
  const header = await readGguf(source);
  const architecture = architectureOf(header);
  const context = await createContext({ threads: 1 });
  const engine = { context, createBuilder: () => newBuilder(context), allowReducedPrecision };
  try {
    const loader = weightLoader(context, header, source, architecture);
    const graphs = await loadGraphs(engine, architecture, loader);
    loader.destroy();
    const network = { engine, architecture, embed: embeddingOf(header, source, architecture), graphs };
    const evaluators: Evaluator[] = [];
    for (const capacity of capacities) evaluators.push(await createEvaluator(network, capacity));
    await work(...evaluators);
    for (const evaluator of evaluators) evaluator.destroy();
    graphs.destroy();
  } finally {
    context.destroy();
  }
}

function someTokens(count: number, vocabulary: number, seed = 3): number[] {
  const next = random(seed);
  return Array.from({ length: count }, () => next.integer(0, vocabulary - 1));
}

/** The largest difference of two rows of logits, relative to the largest logit. */
function difference(actual: Float32Array, expected: Float64Array): number {
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return actual.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0) / largest;
}

const MODELS: Readonly<Record<string, TinyModel>> = {
  "llama of Q4_1 and Q8_0": { architecture: "llama", types: ["Q4_1"], headType: "Q8_0" },
  "llama of all types": {
    architecture: "llama",
    types: ["Q4_0", "Q8_0", "F16", "Q5_0", "Q5_K", "Q6_K", "F32", "Q4_K"],
    headType: "F16",
  },
  "gemma3 of Q4_K and Q6_K": { architecture: "gemma3", types: ["Q4_K", "Q4_K", "Q6_K", "Q4_K"], headType: "Q6_K" },
};

for (const [name, model] of Object.entries(MODELS)) {
  Deno.test(`${name}: logits after chunks and after single tokens equal the reference`, async () => {
    const file = tinyFile(model);
    const ids = someTokens(135, file.vocabulary);
    const expected = referenceLogits(file, model.architecture, ids);
    await withEvaluators(file, [CAPACITY], async (evaluator) => {
      // A full chunk, tokens until the block was moved to the history twice, part of a chunk, then a token.
      for (const length of [32, ...Array(70).fill(1), 20, ...Array(13).fill(1)]) {
        const at = evaluator!.tokens.length;
        await evaluator!.append(ids.slice(at, at + length));
        const row = expected[at + length - 1]!;
        const logits = await evaluator!.logits();
        const error = difference(logits, row);
        assert(error < 1e-5, `after ${at + length} tokens, the logits differ by ${error}`);
        assertEquals(await evaluator!.likeliest(), logits.indexOf(Math.max(...logits)));
      }
      assertEquals(evaluator!.tokens, ids);
    });
  });
}

Deno.test("after a rewind, results equal those of a conversation that was never longer", async () => {
  const model = MODELS["llama of Q4_1 and Q8_0"]!;
  const file = tinyFile(model);
  const [ids, others] = [someTokens(50, file.vocabulary), someTokens(50, file.vocabulary, 4)];
  const sequence = [...ids.slice(0, 37), ...others.slice(0, 10)];
  const expected = referenceLogits(file, model.architecture, sequence).at(-1)!;
  await withEvaluators(file, [CAPACITY], async (evaluator) => {
    // Rewinds to a position in the block, and to one before it.
    for (const length of [37, 20]) {
      await evaluator!.append(ids.slice(evaluator!.tokens.length, 32));
      for (const id of ids.slice(32)) await evaluator!.append([id]);
      evaluator!.rewind(length);
      await evaluator!.append(sequence.slice(length));
      assert(difference(await evaluator!.logits(), expected) < 1e-5);
      evaluator!.rewind(0);
    }
  });
});

Deno.test("a history that grows gives the same results as one of full length; too many tokens are an error", async () => {
  const file = tinyFile(MODELS["llama of Q4_1 and Q8_0"]!);
  const ids = someTokens(560, file.vocabulary);
  await withEvaluators(file, [1000, 600], async (growing, atOnce) => {
    await growing!.append(ids.slice(0, 240));
    // The history starts with 128 positions, and grows several times.
    for (const id of ids.slice(240)) await growing!.append([id]);
    await atOnce!.append(ids);
    assert(difference(await growing!.logits(), Float64Array.from(await atOnce!.logits())) < 1e-5);
    await assertRejects(() => atOnce!.append(someTokens(41, file.vocabulary)), Error, "room for 600 tokens, not 601");
    assertEquals(atOnce!.tokens.length, 560);
  });
});

Deno.test("with reduced precision, a long history is in float16; products stay in the precision of the context", async () => {
  const file = tinyFile(MODELS["llama of Q4_1 and Q8_0"]!);
  const ids = someTokens(760, file.vocabulary);
  const logits = async (allowReducedPrecision: boolean) => {
    const results: Float32Array[] = [];
    await withEvaluators(file, [1000], async (evaluator) => {
      // Chunks in float32; tokens, during which the history becomes longer than 640 positions; chunks in float16.
      for (const length of [600, ...Array(70).fill(1), 60, ...Array(30).fill(1)]) {
        const at = evaluator!.tokens.length;
        await evaluator!.append(ids.slice(at, at + length));
        results.push(await evaluator!.logits());
      }
    }, { allowReducedPrecision });
    return results;
  };
  const expected = await logits(false);
  const errors = (await logits(true)).map((row, i) => difference(row, Float64Array.from(expected[i]!)));
  assertEquals(errors[0], 0);
  const [least, most] = [Math.min(...errors.slice(-30)), Math.max(...errors)];
  assert(least > 1e-6 && most < 1e-3, `with a long history, the logits differ by ${least} to ${most}`);
});

Deno.test("graphs for a length of the history are destroyed when no conversation has that length any more", async () => {
  const file = tinyFile({ architecture: "llama", types: ["Q4_1"], headType: "Q8_0" });
  const ids = someTokens(130, file.vocabulary);
  let destroyed = 0;
  const newBuilder = (context: MLContext) => {
    const builder = new MLGraphBuilder(context);
    const build = builder.build.bind(builder);
    builder.build = async (outputs) => {
      const graph = await build(outputs);
      const destroy = graph.destroy.bind(graph);
      graph.destroy = () => {
        destroyed++;
        destroy();
      };
      return graph;
    };
    return builder;
  };
  await withEvaluators(file, [CAPACITY, CAPACITY], async (first, second) => {
    await first!.append(ids);
    const logits = await first!.logits();
    assertEquals(destroyed, 0, "the second conversation uses them");
    await second!.append(ids);
    assertEquals(await second!.logits(), logits);
    // The attention of a token, the copy of a block, and the copy to a longer history.
    assertEquals(destroyed, 3);
  }, { newBuilder });
});

Deno.test("two conversations at the same time do not affect each other", async () => {
  const model = MODELS["llama of Q4_1 and Q8_0"]!;
  const file = tinyFile(model);
  const sequences = [someTokens(40, file.vocabulary, 5), someTokens(40, file.vocabulary, 6)];
  await withEvaluators(file, [CAPACITY, CAPACITY], async (...evaluators) => {
    await Promise.all(evaluators.map(async (evaluator, i) => {
      for (const id of sequences[i]!) await evaluator.append([id]);
    }));
    for (const [i, evaluator] of evaluators.entries()) {
      const expected = referenceLogits(file, model.architecture, sequences[i]!).at(-1)!;
      assert(difference(await evaluator.logits(), expected) < 1e-5);
    }
  });
});
