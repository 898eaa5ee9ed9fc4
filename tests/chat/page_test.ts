/** The chat in a page gives the same answers on Chromium's WebNN as on this module. */
import { assert, assertEquals } from "@std/assert";
import { createContext, MLGraphBuilder } from "@webnn/deno";
import { blobSource } from "../../examples/chat/byte_source.ts";
import { type ConversationOptions, createConversation } from "../../examples/chat/conversation.ts";
import { loadModel } from "../../examples/chat/model.ts";
import { buildPage, bundlePage } from "../../examples/chat/page/build.ts";
import { tinyFile } from "./tiny_model.ts";

const FLAGS = ["--enable-features=WebMachineLearningNeuralNetwork", "--no-sandbox"];
const QUESTIONS = ["hello there, all that is", "and then?"];
const OPTIONS: ConversationOptions = {
  context: 256,
  maxTokens: 10,
  sampling: { temperature: 0, topK: 0, topP: 1, seed: 1 },
  system: undefined,
};

async function answersHere(file: Blob): Promise<string[]> {
  const context = await createContext({ threads: 1 });
  const source = blobSource(file);
  const engine = { context, createBuilder: () => new MLGraphBuilder(context) };
  const model = await loadModel(engine, source, false);
  const conversation = await createConversation(model, OPTIONS);
  const answers: string[] = [];
  for (const question of QUESTIONS) {
    let answer = "";
    await conversation.answer(question, (piece) => answer += piece);
    answers.push(answer);
  }
  conversation.destroy();
  model.destroy();
  context.destroy();
  return answers;
}

/** A script that answers the questions in the page. */
function pageProgram(file: Uint8Array): string {
  return `(async () => {
    const file = new Blob([Uint8Array.fromBase64(${JSON.stringify(file.toBase64())})]);
    const conversation = await chat.openConversation(file, ${JSON.stringify(OPTIONS)});
    const answers = [];
    for (const question of ${JSON.stringify(QUESTIONS)}) {
      let answer = "";
      await conversation.answer(question, (piece) => answer += piece);
      answers.push(answer);
    }
    return answers;
  })()`;
}

Deno.test("the page contains the program, bundled without any use of Deno or Node", async () => {
  const text = await bundlePage();
  assert(!/\bDeno\.|node:|\brequire\(/.test(text));
  const page = await buildPage();
  assert(page.includes("openConversation") && !page.includes("/* bundle */"));
});

Deno.test({
  name: "the page gives the same answers on Chromium's WebNN as this module" +
    (Deno.build.os === "linux" ? "" : " (skipped: the packaged Chromium is for Linux)"),
  ignore: Deno.build.os !== "linux",
  // The browser's driver leaves timers running.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    const { default: packaged } = await import("@sparticuz/chromium");
    const { chromium } = await import("playwright-core");
    const { bytes } = tinyFile({ architecture: "llama", types: ["Q4_1", "Q4_0"], headType: "Q8_0" });
    const expected = await answersHere(new Blob([bytes]));
    const browser = await chromium.launch({ executablePath: await packaged.executablePath(), args: FLAGS });
    try {
      const page = await browser.newPage();
      const html = await buildPage();
      await page.route("http://localhost/**", (route) => route.fulfill({ contentType: "text/html", body: html }));
      await page.goto("http://localhost");
      assertEquals(await page.evaluate<string[]>(pageProgram(bytes)), expected);
      assert(expected.every((answer) => answer.length > 0));
    } finally {
      await browser.close();
    }
  },
});
