/**
 * Loads a model from a GGUF file to a WebNN context.
 *
 * @module
 */
import { architectureOf } from "./architecture.ts";
import type { ByteSource } from "./byte_source.ts";
import type { LanguageModel } from "./conversation.ts";
import { readGguf } from "./gguf.ts";
import { type Engine, loadGraphs } from "./graphs.ts";
import { promptOf } from "./template.ts";
import { tokenizerOf } from "./tokenizer.ts";
import { embeddingOf, weightLoader } from "./weights.ts";

/** A model whose weights are on a context. */
export interface LoadedModel extends LanguageModel {
  /** Releases the graphs. */
  destroy(): void;
}

/**
 * Loads a model.
 * @param source a GGUF file; must stay open while the model is used
 * @param isRaw whether to pass texts to the model unchanged, without the chat template
 */
export async function loadModel(
  engine: Engine,
  source: ByteSource,
  isRaw: boolean,
): Promise<LoadedModel> {
  const header = await readGguf(source);
  const architecture = architectureOf(header);
  const tokenizer = tokenizerOf(header);
  const prompt = isRaw ? undefined : promptOf(header, tokenizer);
  const loader = weightLoader(engine.context, header, source, architecture);
  try {
    const graphs = await loadGraphs(engine, architecture, loader);
    const embed = embeddingOf(header, source, architecture);
    return { network: { engine, architecture, embed, graphs }, tokenizer, prompt, destroy: () => graphs.destroy() };
  } finally {
    loader.destroy();
  }
}
