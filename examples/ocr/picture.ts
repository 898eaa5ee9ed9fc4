/**
 * Decodes pictures of any common format with sharp (https://sharp.pixelplumbing.com), which can scale large photos down
 * while it decodes them.
 *
 * @module
 */
import sharp, { type Sharp } from "sharp";
import type { Image } from "../image.ts";

/** Larger pictures are rejected before they are decoded. */
const MAX_PIXELS = 200_000_000;

/**
 * Decodes a JPEG, PNG, WebP, TIFF or GIF picture, and applies its EXIF orientation.
 *
 * @param bytes the file
 * @param maxSide the maximum length of the longer side; larger pictures are scaled down, during decoding if the format
 * allows it
 * @throws Error if the file is damaged or not a picture
 */
export async function decodePicture(bytes: Uint8Array, maxSide: number): Promise<Image> {
  try {
    const picture = sharp(bytes, { limitInputPixels: MAX_PIXELS }).autoOrient();
    return await toImage(picture.resize({ width: maxSide, height: maxSide, fit: "inside", withoutEnlargement: true }));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.trim().replaceAll(/\s*\n\s*/g, ", ") : String(cause);
    throw new Error(`cannot decode the picture: ${reason}`, { cause });
  }
}

/** Rotates the picture clockwise. */
export function turnPicture({ width, height, data }: Image, degrees: 90 | 180 | 270): Promise<Image> {
  return toImage(sharp(data, { raw: { width, height, channels: 4 } }).rotate(degrees));
}

async function toImage(picture: Sharp): Promise<Image> {
  const pixels = picture.toColourspace("srgb").ensureAlpha().raw({ depth: "uchar" });
  const { data, info: { width, height } } = await pixels.toBuffer({ resolveWithObject: true });
  return { width, height, data };
}
