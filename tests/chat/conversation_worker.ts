/** A worker that answers the question in a message. */
import { createContext, MLGraphBuilder } from "@webnn/deno";
import { blobSource } from "../../examples/chat/byte_source.ts";
import { createConversation } from "../../examples/chat/conversation.ts";
import { loadModel } from "../../examples/chat/model.ts";

addEventListener("message", async (event) => {
  const { file, options, question } = (event as MessageEvent).data;
  const context = await createContext({ threads: 1 });
  const source = blobSource(new Blob([file]));
  const engine = { context, createBuilder: () => new MLGraphBuilder(context) };
  const model = await loadModel(engine, source, false);
  const conversation = await createConversation(model, options);
  let answer = "";
  await conversation.answer(question, (piece) => answer += piece);
  conversation.destroy();
  model.destroy();
  context.destroy();
  (self as unknown as { postMessage(message: string): void }).postMessage(answer);
});
