/**
 * Loads a model from a GGUF file to a WebNN context.
 *
 * @module
 */
import { architectureOf } from "./architecture.ts";
import type { ByteSource } from "./byte_source.ts";
import type { LanguageModel } from "./conversation.ts";
import type { GgufHeader } from "./gguf.ts";
import { type Engine, graphsOf } from "./graphs.ts";
import { promptOf } from "./template.ts";
import { tokenizerOf } from "./tokenizer.ts";
import { loadWeights } from "./weights.ts";

/** A model whose weights are on a context. */
export interface LoadedModel extends LanguageModel {
  /** Releases the graphs and weights. */
  destroy(): void;
}

/**
 * Loads a model.
 * @param source must stay open while the model is used
 * @param isRaw whether to pass texts to the model unchanged, without the chat template
 */
export async function loadModel(
  engine: Engine,
  source: ByteSource,
  header: GgufHeader,
  isRaw: boolean,
): Promise<LoadedModel> {
  const architecture = architectureOf(header);
  const tokenizer = tokenizerOf(header);
  const prompt = isRaw ? undefined : promptOf(header, tokenizer);
  const weights = await loadWeights(engine.context, header, source, architecture);
  const graphs = graphsOf(engine, architecture, weights);
  return {
    network: { engine, architecture, weights, graphs },
    tokenizer,
    prompt,
    destroy() {
      graphs.destroy();
      weights.destroy();
    },
  };
}
