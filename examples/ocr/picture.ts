/**
 * Pictures of any size and any common format, by sharp (https://sharp.pixelplumbing.com): what a camera makes is scaled
 * down while it is decoded.
 *
 * @module
 */
import sharp, { type Sharp } from "sharp";
import type { Image } from "../image.ts";

/** A larger picture is refused before it is decoded. */
const MAX_PIXELS = 200_000_000;

/**
 * Decodes a JPEG, PNG, WebP, TIFF or GIF picture, turned upright as its EXIF data say.
 *
 * @param bytes the file
 * @param maxSide scales a larger picture down to this length of its longer side, while it is decoded where the format can
 * @returns rejects with an Error if the file is damaged or no picture
 */
export async function decodePicture(bytes: Uint8Array, maxSide: number): Promise<Image> {
  try {
    const picture = sharp(bytes, { limitInputPixels: MAX_PIXELS }).autoOrient();
    return await toImage(picture.resize({ width: maxSide, height: maxSide, fit: "inside", withoutEnlargement: true }));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.trim().replaceAll(/\s*\n\s*/g, ", ") : String(cause);
    throw new Error(`not a picture that can be decoded: ${reason}`, { cause });
  }
}

/** The picture turned clockwise. */
export function turnPicture({ width, height, data }: Image, degrees: 90 | 180 | 270): Promise<Image> {
  return toImage(sharp(data, { raw: { width, height, channels: 4 } }).rotate(degrees));
}

async function toImage(picture: Sharp): Promise<Image> {
  const pixels = picture.toColourspace("srgb").ensureAlpha().raw({ depth: "uchar" });
  const { data, info: { width, height } } = await pixels.toBuffer({ resolveWithObject: true });
  return { width, height, data };
}
