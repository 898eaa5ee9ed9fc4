/**
 * The chat in a web page, with the browser's WebNN and a model file that the user picks.
 *
 * @module
 */
import { blobSource } from "../byte_source.ts";
import { type Conversation, type ConversationOptions, createConversation } from "../conversation.ts";
import { loadModel } from "../model.ts";

/** The default settings of a conversation in the page. */
const OPTIONS: ConversationOptions = {
  context: 1024,
  maxTokens: 256,
  sampling: { temperature: 0, topK: 40, topP: 0.95, seed: 1 },
  system: undefined,
};

/** Loads the model from a GGUF file, and starts a conversation. */
export async function openConversation(
  file: Blob,
  options: Partial<ConversationOptions> = {},
): Promise<Conversation> {
  const context = await navigator.ml.createContext();
  const engine = { context, createBuilder: () => new MLGraphBuilder(context) };
  const source = blobSource(file);
  const model = await loadModel(engine, source, false);
  return await createConversation(model, { ...OPTIONS, ...options });
}
