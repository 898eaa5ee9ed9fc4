/**
 * Pictures as inputs, decoded by sharp: JPEG, PNG, WebP, GIF, TIFF, AVIF and SVG.
 *
 * @module
 */
import type { ModelPort, TensorInput } from "@webnn/deno/onnx";
import type { Sharp } from "sharp";
import type { Options, Values } from "../command.ts";
import { formatShape, makeElements } from "../elements.ts";
import { Failure, messageOf, UsageError } from "../errors.ts";

/** The options that control how pictures are converted to numbers. */
export const PICTURE_OPTIONS = {
  fit: {
    kind: "text",
    value: "HOW",
    help:
      "how a picture is resized to the input: fill (stretched), cover (cropped),\nor contain (with black borders) (fill)",
  },
  mean: {
    kind: "text",
    value: "R,G,B",
    help: "the mean to subtract from each channel, after the division by --scale (0)",
  },
  std: { kind: "text", value: "R,G,B", help: "the standard deviation to divide each channel by, after --mean (1)" },
  scale: {
    kind: "text",
    value: "N",
    help: "the divisor of the values from 0 to 255 (255; 1 for integer inputs)",
  },
  channels: { kind: "text", value: "ORDER", help: "the order of the channels: rgb or bgr (rgb)" },
} as const satisfies Options;

/** The values of {@linkcode PICTURE_OPTIONS}. */
export type PictureOptions = Values<typeof PICTURE_OPTIONS>;

/** The layout of the pixels in the input. */
interface Layout {
  readonly order: "planes" | "pixels";
  readonly channels: 1 | 3;
  readonly height: number | undefined;
  readonly width: number | undefined;
  readonly shape: (height: number, width: number) => number[];
}

/** Whether a file is a picture, by its extension. */
export function isPicture(path: string): boolean {
  return /\.(jpe?g|png|webp|gif|tiff?|avif|svg)$/i.test(path);
}

/** Decodes a picture, turns it upright, resizes it to the input (except along free sizes), and scales its values. */
export async function readPicture(
  port: ModelPort,
  bytes: Uint8Array,
  source: string,
  shape: readonly (number | undefined)[] | undefined,
  options: PictureOptions,
): Promise<TensorInput> {
  const layout = layoutOf(port, shape, source);
  const { data, width, height } = await decode(bytes, layout, source, fitOf(options.fit));
  const value = normalizer(options, port, layout.channels);
  const pixels = width * height;
  const { channels, order } = layout;
  const elements = makeElements(port.dataType, pixels * channels, (i) => {
    const [channel, pixel] = order === "planes"
      ? [Math.floor(i / pixels), i % pixels]
      : [i % channels, Math.floor(i / channels)];
    const at = (color: number) => data[3 * pixel! + color]!;
    return channels === 1 ? value(0, () => luma(at)) : value(channel!, at);
  });
  return { data: elements, shape: layout.shape(height, width) };
}

/** Finds the layout of an input: planes have their channels (3 or 1) first, pixels have them last. */
function layoutOf(port: ModelPort, shape: readonly (number | undefined)[] | undefined, source: string): Layout {
  const rank = shape?.length ?? 0;
  const [a, b, c] = (shape ?? []).slice(-3);
  const batch = rank === 4 ? [1] : [];
  const isOne = rank === 3 || (rank === 4 && (shape![0] === undefined || shape![0] === 1));
  // Three channels are tried first, because a size of 1 may also be a height or width.
  for (const channels of isOne ? [3, 1] as const : []) {
    if (a === channels) {
      return { order: "planes", channels, height: b, width: c, shape: (...size) => [...batch, channels, ...size] };
    }
    if (c === channels) {
      return { order: "pixels", channels, height: a, width: b, shape: (...size) => [...batch, ...size, channels] };
    }
  }
  throw new Failure(
    `${source} is a picture, but the input ${JSON.stringify(port.name)} has the shape ${formatShape(port.shape)}; ` +
      "a picture needs [1, 3 or 1, height, width] or [1, height, width, 3 or 1]",
  );
}

/** The grey value of a pixel, as in Pillow and OpenCV. */
function luma(at: (color: number) => number): number {
  return Math.round(0.299 * at(0) + 0.587 * at(1) + 0.114 * at(2));
}

async function decode(
  bytes: Uint8Array,
  { height, width }: Layout,
  source: string,
  fit: "fill" | "cover" | "contain",
) {
  const { default: sharp } = await import("sharp");
  const background = { r: 0, g: 0, b: 0 };
  const pipeline: Sharp = sharp(bytes).autoOrient().flatten({ background });
  const size = { ...width !== undefined && { width }, ...height !== undefined && { height } };
  const sized = width === undefined && height === undefined
    ? pipeline
    : pipeline.resize({ ...size, fit, background, kernel: "linear" });
  try {
    const { data, info } = await sized.toColourspace("srgb").raw().toBuffer({ resolveWithObject: true });
    return { data, width: info.width, height: info.height };
  } catch (error) {
    throw new Failure(`${source} is damaged or not a picture: ${messageOf(error)}`, { cause: error });
  }
}

function fitOf(fit = "fill"): "fill" | "cover" | "contain" {
  if (fit === "fill" || fit === "cover" || fit === "contain") return fit;
  throw new UsageError(`--fit must be fill, cover or contain, not ${JSON.stringify(fit)}`);
}

/** Returns a function that computes a channel of the input from the channels of a pixel. */
function normalizer(options: PictureOptions, { dataType }: ModelPort, channels: number) {
  const isFloat = dataType.startsWith("float");
  const [scale = isFloat ? 255 : 1] = numbers(options.scale, "--scale", 1);
  const means = numbers(options.mean, "--mean", channels);
  const deviations = numbers(options.std, "--std", channels);
  if (scale === 0 || deviations.includes(0)) throw new UsageError("--scale and --std must not be 0");
  const order = options.channels ?? "rgb";
  if (order !== "rgb" && order !== "bgr") {
    throw new UsageError(`--channels must be rgb or bgr, not ${JSON.stringify(order)}`);
  }
  return (channel: number, at: (channel: number) => number) => {
    const from = order === "bgr" ? channels - 1 - channel : channel;
    const value = (at(from) / scale - (means[channel] ?? 0)) / (deviations[channel] ?? 1);
    return isFloat ? value : Math.round(value);
  };
}

/** Parses numbers separated by commas; a single number applies to all channels. */
function numbers(text: string | undefined, option: string, count: number): number[] {
  if (text === undefined) return [];
  const values = text.split(",").map((part) => part.trim() === "" ? NaN : Number(part));
  if (values.some((value) => !Number.isFinite(value)) || (values.length !== 1 && values.length !== count)) {
    throw new UsageError(
      `${option} must be ${count === 1 ? "a number" : `${count} numbers separated by commas`}, not ${
        JSON.stringify(text)
      }`,
    );
  }
  return values.length === count ? values : Array(count).fill(values[0]);
}
