import exifr from "exifr";
import jpeg from "jpeg-js";
import { Buffer } from "node:buffer";
import { PNG } from "pngjs";

/** A decoded picture: 8-bit RGBA, row by row. */
export interface Image {
  width: number;
  height: number;
  data: Uint8Array;
}

/** The mean and standard deviation of ImageNet's red, green and blue, as fractions of full intensity. */
const MEAN = [0.485, 0.456, 0.406] as const;
const STANDARD_DEVIATION = [0.229, 0.224, 0.225] as const;

/** Allows pictures of 100 megapixels, another limit of the decoder; the default allows only 40. */
const JPEG_MEMORY_MB = 2048;

/**
 * Decodes a PNG, or a JPEG, to which it applies the EXIF orientation.
 * @throws Error if the file is damaged or has another format
 */
export async function decodeImage(bytes: Uint8Array): Promise<Image> {
  if (startsWith(bytes, [0xff, 0xd8, 0xff])) {
    const image = named("JPEG", () => jpeg.decode(bytes, { useTArray: true, maxMemoryUsageInMB: JPEG_MEMORY_MB }));
    return upright(image, await exifr.orientation(bytes) ?? 1);
  }
  if (startsWith(bytes, [0x89, 0x50, 0x4e, 0x47])) return named("PNG", () => decodePng(bytes));
  throw new Error("not a JPEG or PNG image");
}

/**
 * Scales the whole picture to `size` × `size` pixels of interleaved RGB, 0 to 255: bilinear, with half-pixel centres,
 * without cropping or antialiasing.
 */
export function resizeImage({ width, height, data }: Image, size: number): Float32Array {
  const columns = sampling(width, size);
  const rows = sampling(height, size);
  const rgb = new Float32Array(3 * size * size);
  let to = 0;
  for (const row of rows) {
    for (const column of columns) {
      for (let channel = 0; channel < 3; channel++) {
        const at = (y: number, x: number) => data[4 * (y * width + x) + channel]!;
        const top = mix(at(row.low, column.low), at(row.low, column.high), column.fraction);
        const bottom = mix(at(row.high, column.low), at(row.high, column.high), column.fraction);
        rgb[to++] = mix(top, bottom, row.fraction);
      }
    }
  }
  return rgb;
}

/**
 * Normalises interleaved RGB for an ImageNet classifier: `(x − mean) / standard deviation` for each channel. The result
 * has one plane per channel ("nchw") or stays interleaved ("nhwc").
 */
export function normalizeImage(rgb: Float32Array, layout: "nchw" | "nhwc"): Float32Array {
  const pixels = rgb.length / 3;
  const input = new Float32Array(rgb.length);
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      const value = (rgb[3 * pixel + channel]! / 255 - MEAN[channel]!) / STANDARD_DEVIATION[channel]!;
      input[layout === "nchw" ? channel * pixels + pixel : 3 * pixel + channel] = value;
    }
  }
  return input;
}

/**
 * For each of `to` output positions along an axis of `from` pixels: the two nearest pixels, and the distance from the
 * first.
 */
function sampling(from: number, to: number): { low: number; high: number; fraction: number }[] {
  return Array.from({ length: to }, (_, index) => {
    const place = Math.min(Math.max((index + 0.5) * from / to - 0.5, 0), from - 1);
    const low = Math.floor(place);
    return { low, high: Math.min(low + 1, from - 1), fraction: place - low };
  });
}

function mix(a: number, b: number, fraction: number): number {
  return a + (b - a) * fraction;
}

/** Applies the EXIF orientation, 1 (upright) to 8: from 5 on, the axes are swapped; each axis may be reversed. */
function upright(image: Image, orientation: number): Image {
  if (orientation === 1) return image;
  const swapped = orientation >= 5;
  const reversedX = [2, 3, 7, 8].includes(orientation);
  const reversedY = [3, 4, 6, 7].includes(orientation);
  const [width, height] = swapped ? [image.height, image.width] : [image.width, image.height];
  const from = new Uint32Array(image.data.buffer, image.data.byteOffset, image.width * image.height);
  const to = new Uint32Array(from.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [storedX, storedY] = swapped ? [y, x] : [x, y];
      const column = reversedX ? image.width - 1 - storedX : storedX;
      const row = reversedY ? image.height - 1 - storedY : storedY;
      to[y * width + x] = from[row * image.width + column]!;
    }
  }
  return { width, height, data: new Uint8Array(to.buffer) };
}

function decodePng(bytes: Uint8Array): Image {
  const { width, height, data }: Image = PNG.sync.read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  return { width, height, data };
}

function named(format: string, decode: () => Image): Image {
  try {
    return decode();
  } catch (cause) {
    throw new Error(`damaged ${format}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

function startsWith(bytes: Uint8Array, signature: readonly number[]): boolean {
  return signature.every((byte, index) => bytes[index] === byte);
}
