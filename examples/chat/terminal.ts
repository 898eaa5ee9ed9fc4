/**
 * Input from a terminal, with a history of questions, or from standard input; Ctrl-C stops answers.
 *
 * @module
 */
import process from "node:process";
import { createInterface } from "node:readline";

/** Answers a question until the signal is aborted. */
export type Answer = (question: string, signal: AbortSignal) => Promise<void>;

const PROMPT = "> ";

/** Asks questions until Ctrl-D ends the session. Ctrl-C stops the answer, or clears the line. */
export async function talk(answer: Answer): Promise<void> {
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: true, prompt: PROMPT });
  let current: AbortController | undefined;
  const interrupt = () => {
    if (current) return current.abort();
    lines.write(null, { ctrl: true, name: "u" });
    lines.prompt();
  };
  let isOpen = true;
  // Ctrl-D during an answer ends the session after the answer.
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

/**
 * The lines of standard input. Only line feeds end lines: JSON may contain other characters at which readline splits.
 */
export async function* inputLines(): AsyncGenerator<string> {
  let rest = "";
  for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
  if (rest !== "") yield rest;
}
