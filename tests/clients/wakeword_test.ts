/** Tests examples/wakeword: three ONNX networks in sequence on WebNN, which detect a word in sound. */
import { assertEquals, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import { fileURLToPath } from "node:url";
import wavefile from "wavefile";
import { runChild } from "../../support/child.ts";
import { random } from "../../support/random.ts";

const WAKEWORD = new URL("../../examples/wakeword/main.ts", import.meta.url);

/** Scores are probabilities; the sums before them have up to 1536 products in float32. */
const TOLERANCE = 1e-5;

Deno.test("examples/wakeword detects the word in its recording, on WebNN and on WebAssembly", async () => {
  const { code, stdout, stderr } = await runWakeWord(["--compare"]);
  assertEquals([code, stderr], [0, ""]);
  assertEquals(stdout.match(/"alexa" at/g)?.length, 1, stdout);
  const [, second, score] = /"alexa" at ([\d.]+) s, score ([\d.]+)/.exec(stdout)!;
  // The word is in the first 0.6 s.
  assertLess(Math.abs(Number(second) - 0.7), 0.2, stdout);
  assertLess(0.9, Number(score), stdout);
  assertLess(Number(/differ by ([\d.e-]+) at most/.exec(stdout)![1]), TOLERANCE, stdout);
});

Deno.test("examples/wakeword detects no word in noise: stereo, 44.1 kHz, 24 bits", async () => {
  const file = await Deno.makeTempFile({ suffix: ".wav" });
  try {
    const next = random(3);
    const channel = () => Int32Array.from({ length: 44_100 }, () => next.integer(-800_000, 800_000));
    const wav = new wavefile.WaveFile();
    wav.fromScratch(2, 44_100, "24", [channel(), channel()]);
    await Deno.writeFile(file, wav.toBuffer());
    const { code, stdout, stderr } = await runWakeWord([file, "--word", "hey_mycroft"]);
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, /\(1\.0 s\)\n {2}no "hey_mycroft"; the highest score is 0\.0/);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("examples/wakeword prints its usage; each error is one line", async () => {
  assertStringIncludes((await runWakeWord(["--help"])).stdout, "Usage:");
  const script = fileURLToPath(import.meta.url);
  for (const args of [["none.wav"], ["a", "b"], ["--word", "hi"], ["--threshold", "2"], ["--size", "1"], [script]]) {
    const { code, stdout, stderr } = await runWakeWord(args);
    assertEquals([code, stdout], [1, ""], args.join(" "));
    assertMatch(stderr, /^wakeword: [^\n]+\n$/);
  }
});

function runWakeWord(args: string[]): ReturnType<typeof runChild> {
  return runChild(WAKEWORD, args, ["--allow-all", "--no-check"]);
}
