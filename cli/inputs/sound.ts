/**
 * Sound as an input: WAV files, mixed to one channel, with samples from -1 to 1.
 *
 * @module
 */
import type { ModelPort, TensorInput } from "@webnn/deno/onnx";
import wavefile from "wavefile";
import { type Options, positiveInteger, type Values } from "../command.ts";
import { formatShape, makeElements, sizeOf } from "../elements.ts";
import { Failure, messageOf } from "../errors.ts";

type WaveFile = InstanceType<typeof wavefile.WaveFile>;

/** The options that control how sound is converted to numbers. */
export const SOUND_OPTIONS = {
  "sample-rate": { kind: "text", value: "HZ", help: "the sample rate that the model expects (the file's)" },
  trim: { kind: "flag", help: "cuts sound that is too long for the input, and pads short sound with silence" },
} as const satisfies Options;

/** The values of {@linkcode SOUND_OPTIONS}. */
export type SoundOptions = Values<typeof SOUND_OPTIONS>;

/** Decodes sound for an input with one dimension of samples. If that dimension is free, it takes all samples. */
export function readSound(
  port: ModelPort,
  bytes: Uint8Array,
  source: string,
  shape: readonly (number | undefined)[] | undefined,
  options: SoundOptions,
): TensorInput {
  const axis = sampleAxis(shape);
  if (shape === undefined || axis === undefined || !port.dataType.startsWith("float")) {
    throw new Failure(
      `${source} is sound, but the input ${JSON.stringify(port.name)} is ${port.dataType} ${
        formatShape(port.shape)
      }; ` +
        "sound needs a float input with one dimension of samples",
    );
  }
  const samples = decode(bytes, source, options["sample-rate"]);
  const wanted = shape[axis] ?? samples.length;
  if (wanted !== samples.length && !options.trim) {
    throw new Failure(
      `${source} has ${samples.length} samples, but the input ${JSON.stringify(port.name)} takes ${wanted}; ` +
        "--trim cuts them or adds silence",
    );
  }
  const actual = shape.map((size, i) => i === axis ? wanted : size ?? 1);
  return { data: makeElements(port.dataType, sizeOf(actual), (i) => samples[i] ?? 0), shape: actual };
}

/** The dimension of the samples: the last one that is free or not 1, if all others can be 1. */
function sampleAxis(shape: readonly (number | undefined)[] | undefined): number | undefined {
  if (shape === undefined) return undefined;
  const axis = shape.findLastIndex((size) => size !== 1);
  return axis >= 0 && shape.every((size, i) => i === axis || size === undefined || size === 1) ? axis : undefined;
}

function decode(bytes: Uint8Array, source: string, rate: string | undefined): Float64Array {
  const wantedRate = rate === undefined ? undefined : positiveInteger(rate, "--sample-rate");
  try {
    const wav = new wavefile.WaveFile(bytes);
    decompress(wav);
    const mixed = mix(channelsOf(wav).map((channel) => channel.map(scaleOf(wav.bitDepth))));
    return wantedRate === undefined ? mixed : resample(mixed, wav.fmt as { sampleRate: number }, wantedRate);
  } catch (error) {
    throw new Failure(`${source} is damaged or not a WAV file: ${messageOf(error)}`, { cause: error });
  }
}

/** Decompresses samples to 16-bit integers. */
function decompress(wav: WaveFile): void {
  if (wav.bitDepth === "8a") wav.fromALaw();
  else if (wav.bitDepth === "8m") wav.fromMuLaw();
  else if (wav.bitDepth === "4") wav.fromIMAADPCM();
}

function channelsOf(wav: WaveFile): readonly Float64Array[] {
  // One channel is returned as an array of samples, several as an array of such arrays.
  const samples = wav.getSamples(false, Float64Array) as unknown as Float64Array | Float64Array[];
  return samples instanceof Float64Array ? [samples] : samples;
}

/**
 * Returns a function that scales a sample to a number from -1 to 1. 16-bit integers are divided by 2¹⁵, as libsndfile
 * does, and other integers accordingly. The library would divide positive ones by 2¹⁵ - 1.
 */
function scaleOf(bitDepth: string): (sample: number) => number {
  if (bitDepth === "32f" || bitDepth === "64") return (sample) => sample;
  // A sample fills the upper bits of its bytes: a 12-bit sample those of 16 bits.
  const half = 2 ** (8 * Math.ceil(Number(bitDepth) / 8) - 1);
  return bitDepth === "8" ? (sample) => (sample - half) / half : (sample) => sample / half;
}

function resample(samples: Float64Array, { sampleRate }: { sampleRate: number }, wanted: number): Float64Array {
  const wav = new wavefile.WaveFile();
  wav.fromScratch(1, sampleRate, "64", samples);
  wav.toSampleRate(wanted);
  return wav.getSamples(false, Float64Array);
}

function mix(channels: readonly Float64Array[]): Float64Array {
  return channels[0]!.map((_, i) => channels.reduce((sum, channel) => sum + channel[i]!, 0) / channels.length);
}
