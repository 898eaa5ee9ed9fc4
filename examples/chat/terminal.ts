/**
 * A session on a terminal: questions with a history, answers that Ctrl-C stops.
 *
 * @module
 */
import process from "node:process";
import { createInterface } from "node:readline";

/** Answers a question; the signal stops it. */
export type Answer = (question: string, signal: AbortSignal) => Promise<void>;

const PROMPT = "> ";

/** Asks for questions until Ctrl-D ends the session. Ctrl-C stops the answer, or clears the line. */
export async function talk(answer: Answer): Promise<void> {
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: true, prompt: PROMPT });
  let current: AbortController | undefined;
  const interrupt = () => {
    if (current) return current.abort();
    lines.write(null, { ctrl: true, name: "u" });
    lines.prompt();
  };
  let isOpen = true;
  // Ctrl-D while an answer is written ends the session behind it.
  lines.on("close", () => isOpen = false);
  lines.on("SIGINT", interrupt);
  Deno.addSignalListener("SIGINT", interrupt);
  try {
    lines.prompt();
    for await (const line of lines) {
      if (line.trim() !== "") {
        current = new AbortController();
        await answer(line, current.signal);
        current = undefined;
      }
      if (isOpen) lines.prompt();
    }
  } finally {
    Deno.removeSignalListener("SIGINT", interrupt);
    lines.close();
  }
}

/** Answers a single question; Ctrl-C stops it. */
export async function answerOnce(question: string, answer: Answer): Promise<void> {
  const controller = new AbortController();
  const interrupt = () => controller.abort();
  Deno.addSignalListener("SIGINT", interrupt);
  try {
    await answer(question, controller.signal);
  } finally {
    Deno.removeSignalListener("SIGINT", interrupt);
  }
}

/** The lines of standard input. They end at line feeds only: JSON may hold other characters at which readline parts lines. */
export async function* inputLines(): AsyncGenerator<string> {
  let rest = "";
  for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
  if (rest !== "") yield rest;
}
