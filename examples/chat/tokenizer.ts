/**
 * Converts text to the tokens of a model and back, with the vocabulary in its file.
 *
 * @module
 */
import { Tokenizer as LibraryTokenizer } from "@huggingface/tokenizers";
import type { GgufHeader, MetadataValue } from "./gguf.ts";

/** The tokenizer of a model. */
export interface Tokenizer {
  /** Converts text to token ids. Names of control tokens, such as `<|im_end|>`, become these tokens. */
  encode(text: string): number[];
  /** The bytes of a token's text; a character may span several tokens. Empty for a control token. */
  bytesOf(id: number): Uint8Array<ArrayBuffer>;
  /** The token's text in the file. */
  nameOf(id: number): string;
  /** The tokens that end an answer. */
  readonly ends: ReadonlySet<number>;
  /** The token to add at the start of every text, if the model needs one. */
  readonly beginning: number | undefined;
}

/** The kinds of tokens, by their numbers in a file. */
const CONTROL = 3;
const USER_DEFINED = 4;
const BYTE = 6;

/** The regular expressions that split texts before tokenization, by `tokenizer.ggml.pre`. */
const WORDS_OF_GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
const SPLITS: Readonly<Record<string, readonly string[]>> = {
  "smollm": ["\\p{N}", WORDS_OF_GPT2],
  "gpt-2": [WORDS_OF_GPT2],
  "default": ["\\p{N}", WORDS_OF_GPT2],
};
/** Tokens that end answers in the templates of several models, in addition to those named in the file. */
const NAMES_OF_ENDS = ["<|im_end|>", "<|endoftext|>", "<end_of_turn>", "<eos>"];

/** Creates the tokenizer of a file: byte-level BPE as in GPT-2, or BPE of characters as in SentencePiece. */
export function tokenizerOf({ metadata }: GgufHeader): Tokenizer {
  const tokens = strings(metadata.get("tokenizer.ggml.tokens"), "tokenizer.ggml.tokens");
  const types = metadata.get("tokenizer.ggml.token_type") as readonly number[] | undefined ?? [];
  const model = metadata.get("tokenizer.ggml.model");
  const known = { gpt2: byteLevel, llama: sentencePiece }[String(model)];
  if (!known) throw new Error(`the tokenizer is ${JSON.stringify(model)}; only gpt2 and llama are supported`);
  const { bytesOf, description } = known(metadata, tokens, types);
  const library = new LibraryTokenizer({ ...description, added_tokens: addedTokens(tokens, types) }, {});
  // The library keeps the description, but has its own copy of this large dictionary.
  delete description.model.vocab;
  const beginning = metadata.get("tokenizer.ggml.bos_token_id");
  return {
    encode: (text) => library.encode(text, { add_special_tokens: false }).ids,
    bytesOf: (id) => types[id] === CONTROL ? new Uint8Array(0) : bytesOf(tokens[id] ?? "", types[id]),
    nameOf: (id) => tokens[id] ?? "",
    ends: new Set([
      ...[metadata.get("tokenizer.ggml.eos_token_id"), metadata.get("tokenizer.ggml.eot_token_id")]
        .filter((id) => typeof id === "number"),
      ...NAMES_OF_ENDS.map((name) => tokens.indexOf(name)).filter((id) => types[id] === CONTROL),
    ]),
    beginning: metadata.get("tokenizer.ggml.add_bos_token") === true && typeof beginning === "number"
      ? beginning
      : undefined,
  };
}

function strings(value: MetadataValue | undefined, key: string): readonly string[] {
  if (Array.isArray(value) && value.length > 0 && typeof value[0] === "string") return value as string[];
  throw new Error(`the file has no ${key}`);
}

/** What differs between kinds of tokenizers: the description in the library's format, and the bytes of tokens. */
interface TokenizerKind {
  /** Without the control tokens. */
  readonly description: Record<string, unknown> & { readonly model: Record<string, unknown> };
  bytesOf(token: string, type: number | undefined): Uint8Array<ArrayBuffer>;
}

function addedTokens(tokens: readonly string[], types: readonly number[]): Record<string, unknown>[] {
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false };
  return tokens.flatMap((content, id) => {
    const type = types[id];
    if (type !== CONTROL && type !== USER_DEFINED) return [];
    return [{ id, content, special: type === CONTROL, ...flags }];
  });
}

function idsOf(tokens: readonly string[]): Record<string, number> {
  return Object.fromEntries(tokens.map((token, id) => [token, id]));
}

function byteLevel(metadata: GgufHeader["metadata"], tokens: readonly string[]): TokenizerKind {
  const pre = String(metadata.get("tokenizer.ggml.pre") ?? "default");
  const patterns = SPLITS[pre];
  if (!patterns) {
    throw new Error(
      `the tokenizer's pre-tokenizer is ${JSON.stringify(pre)}; only ${Object.keys(SPLITS).join(", ")} are supported`,
    );
  }
  const bytes = bytesByCharacter();
  const splits = patterns.map((Regex) => ({ type: "Split", pattern: { Regex }, behavior: "Isolated", invert: false }));
  const toBytes = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false };
  return {
    description: {
      normalizer: null,
      pre_tokenizer: { type: "Sequence", pretokenizers: [...splits, toBytes] },
      post_processor: null,
      decoder: { type: "ByteLevel" },
      model: {
        type: "BPE",
        vocab: idsOf(tokens),
        merges: pairsOf(strings(metadata.get("tokenizer.ggml.merges"), "tokenizer.ggml.merges"), tokens),
      },
    },
    bytesOf: (token) => Uint8Array.from([...token].flatMap((character) => bytes.get(character) ?? [])),
  };
}

/** The parts of merges, which are separated by a space. */
function pairsOf(merges: readonly string[], tokens: readonly string[]): string[][] {
  const known = sameStrings(tokens);
  return merges.map((merge) => merge.split(" ", 2).map((part) => known.get(part) ?? part));
}

/** Finds a token by an equal string. There are many pairs of parts: copies would take several megabytes. */
function sameStrings(tokens: readonly string[]): ReadonlyMap<string, string> {
  return new Map(tokens.map((token) => [token, token]));
}

/** The characters that represent bytes in GPT-2's vocabulary: printable bytes are themselves, others start at 256. */
function bytesByCharacter(): Map<string, number> {
  const isPrintable = (byte: number) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
  let next = 256;
  return new Map(
    Array.from({ length: 256 }, (_, byte) => [String.fromCodePoint(isPrintable(byte) ? byte : next++), byte]),
  );
}

function sentencePiece(
  metadata: GgufHeader["metadata"],
  tokens: readonly string[],
  types: readonly number[],
): TokenizerKind {
  const scores = metadata.get("tokenizer.ggml.scores") as readonly number[] | undefined;
  if (scores?.length !== tokens.length) throw new Error("tokenizer.ggml.scores must have one score for each token");
  const encoder = new TextEncoder();
  const space = { type: "Replace", pattern: { String: " " }, content: "▁" };
  const prefix = { type: "Prepend", prepend: "▁" };
  return {
    description: {
      normalizer: metadata.get("tokenizer.ggml.add_space_prefix") === false
        ? space
        : { type: "Sequence", normalizers: [prefix, space] },
      pre_tokenizer: null,
      post_processor: null,
      decoder: null,
      model: {
        type: "BPE",
        vocab: idsOf(tokens),
        merges: mergesByScore(tokens, scores, types),
        byte_fallback: true,
        unk_token: tokens[metadata.get("tokenizer.ggml.unknown_token_id") as number] ?? null,
      },
    },
    bytesOf(token, type) {
      if (type === BYTE) return Uint8Array.of(parseInt(token.slice(3, 5), 16));
      return encoder.encode(token.replaceAll("▁", " "));
    },
  };
}

/** The merges of SentencePiece: all pairs of tokens that form a token, ordered by its score, the highest first. */
function mergesByScore(tokens: readonly string[], scores: readonly number[], types: readonly number[]): string[][] {
  const parts = sameStrings(tokens.filter((_, id) => types[id] !== CONTROL && types[id] !== BYTE));
  const byScore = tokens.map((_, id) => id).sort((a, b) => scores[b]! - scores[a]!);
  const merges: string[][] = [];
  for (const id of byScore) {
    const token = tokens[id]!;
    if (!parts.has(token)) continue;
    for (let at = 1; at < token.length; at++) {
      const [left, right] = [parts.get(token.slice(0, at)), parts.get(token.slice(at))];
      if (left !== undefined && right !== undefined) merges.push([left, right]);
    }
  }
  return merges;
}
