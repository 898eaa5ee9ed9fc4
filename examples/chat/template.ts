/**
 * Formats a conversation as one text with the chat template in the model's file.
 *
 * @module
 */
import { Template } from "@huggingface/jinja";
import type { GgufHeader } from "./gguf.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** A turn of a conversation. */
export interface Message {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** Formats a conversation as text that ends where the next answer starts. */
export type Prompt = (messages: readonly Message[]) => string;

/** Compiles the template of the file. */
export function promptOf({ metadata }: GgufHeader, tokenizer: Tokenizer): Prompt {
  const source = metadata.get("tokenizer.chat_template");
  if (typeof source !== "string") throw new Error("the file has no chat template; pass --raw to do without");
  const template = new Template(source);
  const name = (key: string) => {
    const id = metadata.get(`tokenizer.ggml.${key}_token_id`);
    return typeof id === "number" ? tokenizer.nameOf(id) : "";
  };
  const tokens = { bos_token: name("bos"), eos_token: name("eos") };
  return (messages) => template.render({ messages: [...messages], add_generation_prompt: true, ...tokens });
}
