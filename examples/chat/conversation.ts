/**
 * Conversations: answers questions, and returns each answer piece by piece.
 *
 * @module
 */
import { createEvaluator, type Evaluator, type Network } from "./evaluator.ts";
import { createSampler, type Sampling } from "./sampler.ts";
import type { Message, Prompt } from "./template.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** The parts of a model that conversations use. */
export interface LanguageModel {
  readonly network: Network;
  readonly tokenizer: Tokenizer;
  /** Formats turns as text; `undefined` to pass questions to the model unchanged. */
  readonly prompt: Prompt | undefined;
}

/** The settings of a conversation. */
export interface ConversationOptions {
  /** The maximum number of tokens in the conversation: questions and answers. */
  readonly context: number;
  /** The maximum number of tokens in an answer. */
  readonly maxTokens: number;
  /** How to choose tokens; a temperature of 0 always takes the most likely one. */
  readonly sampling: Sampling;
  readonly system: string | undefined;
}

/** Statistics of an answer. Times are in seconds. */
export interface AnswerTimes {
  /** The number of prompt tokens that had to be evaluated, and the time until the first token of the answer. */
  promptTokens: number;
  promptTime: number;
  /** The number of tokens in the answer. */
  answerTokens: number;
  /** The number of tokens evaluated after the first, and the time since the first token. */
  evaluated: number;
  answerTime: number;
  /** The reason why the answer ended. */
  reason: "end" | "length" | "context" | "stopped";
  /** The number of old turns removed to make room. */
  removedTurns: number;
}

/** A conversation. */
export interface Conversation {
  /**
   * Answers a question, and passes on each piece of the answer immediately.
   * @param signal stops the answer; the part until then remains in the conversation
   */
  answer(question: string, write: (piece: string) => void, signal?: AbortSignal): Promise<AnswerTimes>;
  /** Releases the cache. */
  destroy(): void;
}

/** The share of the context that is free after old turns were removed. */
const FREED = 0.25;

/** Starts a conversation. */
export async function createConversation(model: LanguageModel, options: ConversationOptions): Promise<Conversation> {
  const evaluator = await createEvaluator(model.network, options.context);
  return new EvaluatedConversation(model, options, evaluator);
}

class EvaluatedConversation implements Conversation {
  readonly #messages: Message[] = [];
  readonly #next: (evaluator: Evaluator) => Promise<number>;

  constructor(
    readonly model: LanguageModel,
    readonly options: ConversationOptions,
    readonly evaluator: Evaluator,
  ) {
    const { sampling, system } = options;
    if (system !== undefined) this.#messages.push({ role: "system", content: system });
    const sample = createSampler(sampling);
    this.#next = sampling.temperature === 0
      ? (evaluator) => evaluator.likeliest()
      : async (evaluator) => sample(await evaluator.logits());
  }

  async answer(question: string, write: (piece: string) => void, signal?: AbortSignal): Promise<AnswerTimes> {
    const began = performance.now();
    const { removedTurns, ids } = this.#ask(question);
    const { evaluator } = this;
    const known = commonLength(evaluator.tokens, ids);
    // The last token is always evaluated, because its logits determine the next one.
    evaluator.rewind(Math.min(known, ids.length - 1));
    const promptTokens = ids.length - evaluator.tokens.length;
    await evaluator.append(ids.slice(evaluator.tokens.length));
    const times: AnswerTimes = {
      promptTokens,
      promptTime: 0,
      answerTokens: 0,
      evaluated: 0,
      answerTime: 0,
      reason: "end",
      removedTurns,
    };
    const text = await this.#generate(times, began, write, signal);
    if (this.model.prompt) this.#messages.push({ role: "assistant", content: text });
    return times;
  }

  destroy(): void {
    this.evaluator.destroy();
  }

  /** The tokens before the answer. If the context has no room for them, the oldest turns are removed. */
  #ask(question: string): { ids: number[]; removedTurns: number } {
    const { model: { prompt }, options: { context } } = this;
    const messages = this.#messages;
    if (!prompt) return { ids: this.#checked(this.#encode(question)), removedTurns: 0 };
    messages.push({ role: "user", content: question });
    let ids = this.#encode(prompt(messages));
    let removedTurns = 0;
    const limit = ids.length < context ? context : context * (1 - FREED);
    const first = messages[0]!.role === "system" ? 1 : 0;
    while (ids.length >= limit && messages.length > first + 1) {
      messages.splice(first, 2);
      removedTurns++;
      ids = this.#encode(prompt(messages));
    }
    if (ids.length >= context) messages.pop();
    return { ids: this.#checked(ids), removedTurns };
  }

  #checked(ids: number[]): number[] {
    const { context } = this.options;
    if (ids.length === 0) throw new Error("the prompt is empty");
    if (ids.length < context) return ids;
    throw new Error(
      `the prompt has ${ids.length} tokens; a context of ${context} has room for ${context - 1} (set --context)`,
    );
  }

  #encode(text: string): number[] {
    const { tokenizer } = this.model;
    const ids = tokenizer.encode(text);
    const { beginning } = tokenizer;
    return beginning === undefined || ids[0] === beginning ? ids : [beginning, ...ids];
  }

  async #generate(
    times: AnswerTimes,
    began: number,
    write: (piece: string) => void,
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const { evaluator, model: { tokenizer }, options } = this;
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    let text = "";
    const emit = (piece: string) => {
      text += piece;
      if (piece !== "") write(piece);
    };
    let first = 0;
    for (;;) {
      const id = await this.#next(evaluator);
      const now = performance.now();
      if (first === 0) [first, times.promptTime] = [now, (now - began) / 1000];
      else times.answerTime = (now - first) / 1000;
      if (tokenizer.ends.has(id)) break;
      times.answerTokens++;
      emit(decoder.decode(tokenizer.bytesOf(id), { stream: true }));
      if (signal?.aborted) times.reason = "stopped";
      else if (times.answerTokens >= options.maxTokens) times.reason = "length";
      else if (evaluator.tokens.length >= options.context) times.reason = "context";
      if (times.reason !== "end") break;
      await evaluator.append([id]);
      times.evaluated++;
    }
    emit(decoder.decode());
    return text;
  }
}

/** The length of the common prefix of two token sequences. */
function commonLength(a: readonly number[], b: readonly number[]): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return i;
  return length;
}
