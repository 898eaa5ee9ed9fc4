/** Conversations: two at once, one in a worker, removal of old turns, and stopped answers. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { createContext, MLGraphBuilder } from "@webnn/deno";
import { blobSource } from "../../examples/chat/byte_source.ts";
import { type Conversation, type ConversationOptions, createConversation } from "../../examples/chat/conversation.ts";
import { loadModel } from "../../examples/chat/model.ts";
import { tinyFile } from "./tiny_model.ts";

const FILE = tinyFile({ architecture: "llama", types: ["Q4_1"], headType: "Q8_0" }).bytes;
const OPTIONS: ConversationOptions = {
  context: 512,
  maxTokens: 24,
  sampling: { temperature: 0, topK: 0, topP: 1, seed: 1 },
  system: undefined,
};

async function withConversations(
  options: readonly Partial<ConversationOptions>[],
  work: (...conversations: Conversation[]) => Promise<void>,
  isRaw = false,
): Promise<void> {
  const context = await createContext({ threads: 1 });
  const source = blobSource(new Blob([FILE]));
  const engine = { context, createBuilder: () => new MLGraphBuilder(context) };
  const model = await loadModel(engine, source, isRaw);
  const conversations: Conversation[] = [];
  for (const each of options) conversations.push(await createConversation(model, { ...OPTIONS, ...each }));
  await work(...conversations);
  for (const conversation of conversations) conversation.destroy();
  model.destroy();
  context.destroy();
}

async function answerOf(conversation: Conversation, question: string): Promise<string> {
  let answer = "";
  await conversation.answer(question, (piece) => answer += piece);
  return answer;
}

function answerInWorker(question: string): Promise<string> {
  const worker = new Worker(import.meta.resolve("./conversation_worker.ts"), { type: "module" });
  return new Promise<string>((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message));
    };
    worker.postMessage({ file: FILE, options: OPTIONS, question });
  }).finally(() => worker.terminate());
}

Deno.test("conversations at the same time, also in a worker, give the same answers as alone", async () => {
  const questions = ["hello there", "the other one"] as const;
  await withConversations([{}, {}, {}], async (alone, first, second) => {
    const expected = [await answerOf(alone!, questions[0])];
    const [a, b, c] = await Promise.all([
      answerOf(first!, questions[0]),
      answerOf(second!, questions[1]),
      answerInWorker(questions[0]),
    ]);
    assertEquals([a, c], [expected[0]!, expected[0]!]);
    assert(b !== a);
  });
});

Deno.test("tokens of earlier turns are not evaluated again", () =>
  withConversations([{ maxTokens: 1 }], async (conversation) => {
    const tokens = async (question: string) => (await conversation!.answer(question, () => {})).promptTokens;
    assertEquals(await tokens("abc"), 3);
    assertEquals(await tokens("abcxyz"), 3);
    assertEquals(await tokens("abcxyz"), 1);
    assertEquals(await tokens("abc!"), 1);
    assertEquals(await tokens("bc"), 2);
  }, true));

Deno.test("if the context is full, the oldest turns are removed and the conversation continues", () =>
  withConversations([{ context: 160 }], async (conversation) => {
    let removedTurns = 0;
    for (let i = 0; i < 12; i++) {
      const times = await conversation!.answer(`question ${i} of many`, () => {});
      assert(times.answerTokens > 0);
      removedTurns += times.removedTurns;
    }
    assert(removedTurns > 0);
    await assertRejects(() => conversation!.answer("x".repeat(200), () => {}), Error, "room for 159");
    assert((await conversation!.answer("again", () => {})).answerTokens > 0);
  }));

Deno.test("an answer ends at the token limit, at the end of the context, or when the signal stops it", () =>
  withConversations([{}, { context: 48, maxTokens: 100 }, { maxTokens: 100 }], async (short, full, stopped) => {
    const reasons = async (conversation: Conversation, signal?: AbortSignal) => {
      const { answerTokens, reason } = await conversation.answer("hello there", () => controller.abort(), signal);
      return [reason, answerTokens] as const;
    };
    const controller = new AbortController();
    assertEquals(await reasons(short!), ["length", 24]);
    const [reason, tokens] = await reasons(full!);
    assertEquals([reason, tokens < 48], ["context", true]);
    assertEquals(await reasons(stopped!, controller.signal), ["stopped", 1]);
  }));
