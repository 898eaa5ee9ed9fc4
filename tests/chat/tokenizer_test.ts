/**
 * The tokens of 1,000 lines in many scripts equal llama.cpp's. The expected tokens are stored as a hash of lines of
 * JSON, computed with node-llama-cpp 3.22.1 and `model.tokenize(line, false, "trimLeadingSpace")`.
 */
import { assertEquals } from "@std/assert";
import { existsSync } from "node:fs";
import { openFile } from "../../examples/chat/file_source.ts";
import { readGguf } from "../../examples/chat/gguf.ts";
import { defaultModelPath } from "../../examples/chat/model_file.ts";
import { tokenizerOf } from "../../examples/chat/tokenizer.ts";
import { random } from "../../support/random.ts";

const LLAMA_CPP = "f3d3c7aa9e55d774086c9cc138a77e21b58239e4326be242739cb73f1301c193";

/** The first and last characters of scripts and of kinds of symbols. */
const SCRIPTS: readonly (readonly [number, number])[] = [
  ...[[0x61, 0x7a], [0x41, 0x5a], [0x30, 0x39], [0xc0, 0x17f], [0x370, 0x3ff], [0x400, 0x45f], [0x531, 0x586]],
  ...[[0x5d0, 0x5ea], [0x620, 0x64a], [0x660, 0x669], [0x904, 0x939], [0x93e, 0x94d], [0x985, 0x9b9], [0xe01, 0xe3a]],
  ...[[0xe40, 0xe4e], [0x1000, 0x1020], [0x10d0, 0x10f0], [0x1200, 0x1240], [0x1780, 0x17b3], [0x3041, 0x3093]],
  ...[[0x30a1, 0x30f6], [0x4e00, 0x9fa5], [0xac00, 0xd7a3], [0x1f300, 0x1f64f], [0x2200, 0x22ff], [0x2190, 0x21ff]],
  ...[[0x20a0, 0x20bf], [0x2150, 0x218b], [0xb2, 0xbe], [0x300, 0x340], [0x1d400, 0x1d4ff], [0x21, 0x2f], [0x3a, 0x40]],
  ...[[0x5b, 0x60], [0x7b, 0x7e], [0x2010, 0x2027], [0x3000, 0x303f], [0x10400, 0x1044f]],
] as [number, number][];
const SPACES = " |  |   |\t|\n|\n\n|\r\n| \n|\u00a0|\u3000|\u2009|\u200b|\u200d|\ufeff|\u0085|\u2028|\u180e".split("|");
const WORDS = [
  ..."don't I'll we've they're it's 's 'S I'd isn't The quick brown fox 123456 3.14159 1,000 C++ naïve Ünïcödé".split(
    " ",
  ),
  ...["const x = {a: 1};", "if (x == 2) {", "    return", "http://example.com/a?b=c", "👩‍👩‍👧‍👦", "🇫🇷", "👍🏽", "e\u0301"],
  ..."ﬁ 𝒳 ½ ٣ Ⅷ 中文字符 日本語 한국어 العربية עברית हिन्दी ไทย русский ελληνικά".split(" "),
];

function manyScripts(count: number): string[] {
  const next = random(2026);
  const letters = ([first, last]: readonly [number, number]) =>
    Array.from({ length: next.integer(1, 9) }, () => String.fromCodePoint(next.integer(first, last))).join("");
  return Array.from({ length: count }, () => {
    const home = next.pick(SCRIPTS);
    const words = Array.from({ length: next.integer(1, 12) }, () => {
      const word = next() < 0.35 ? next.pick(WORDS) : letters(next() < 0.6 ? home : next.pick(SCRIPTS));
      return next() < 0.85 ? word + (next() < 0.4 ? " " : next.pick(SPACES)) : word;
    });
    return words.join("");
  });
}

if (import.meta.main) { for (const line of manyScripts(1000)) console.log(JSON.stringify(line)); }

const isThere = existsSync(defaultModelPath());
Deno.test({
  name: "SmolLM2's tokens of 1,000 lines in many scripts equal llama.cpp's" +
    (isThere ? "" : " (skipped: the model is not in the user's cache; deno task chat downloads it)"),
  ignore: !isThere,
  async fn() {
    const file = openFile(defaultModelPath());
    const tokenizer = tokenizerOf(await readGguf(file));
    file.close();
    const lines = manyScripts(1000).map((line) => `${JSON.stringify(tokenizer.encode(line))}\n`);
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(lines.join("")));
    assertEquals(new Uint8Array(digest).toHex(), LLAMA_CPP);
  },
});
