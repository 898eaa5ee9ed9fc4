/**
 * Draws the sample picture, and the result: the picture with the text that was found.
 *
 * @module
 */
import { initWasm, Resvg } from "@resvg/resvg-wasm";
// Imported only to have its files: a font package has no module.
import "dejavu-fonts-ttf/package.json" with { type: "json" };
import { Buffer } from "node:buffer";
import { PNG } from "pngjs";
import type { Image } from "../image.ts";
import { type Box, cornersOf } from "./boxes.ts";
import type { Line } from "./networks.ts";

const FONT = new URL(import.meta.resolve("dejavu-fonts-ttf/ttf/DejaVuSerif.ttf"));
const FONT_FAMILY = "DejaVu Serif";

/** The text of the sample picture. */
export const SAMPLE_LINES = [
  "Neural networks in Deno",
  "The W3C WebNN API, on native engines",
  "Invoice 2026-0417: 3 x 19.90 = 59.70 EUR",
  "Please keep off the grass!",
  "Quick brown foxes jump over 13 lazy dogs",
];

/** Draws with SVG (https://github.com/RazrFalcon/resvg). */
export interface Drawing {
  /** A page of text that looks like a bad photo: slightly rotated and noisy. Each call returns the same picture. */
  drawSample(): Image;
  /** A PNG file of the picture with the boxes and their text. */
  drawResult(image: Image, found: readonly { box: Box; line: Line }[]): Uint8Array;
}

/** Loads the renderer and the font. */
export async function openDrawing(): Promise<Drawing> {
  await initWasm(await Deno.readFile(new URL(import.meta.resolve("@resvg/resvg-wasm/index_bg.wasm"))));
  const font = await Deno.readFile(FONT);
  const render = (svg: string) => {
    const options = { fontBuffers: [font], defaultFontFamily: FONT_FAMILY, loadSystemFonts: false };
    return new Resvg(svg, { font: options }).render();
  };
  return {
    drawSample: () => {
      const { width, height, pixels } = render(sampleSvg());
      return { width, height, data: addNoise(pixels) };
    },
    drawResult: (image, found) => render(resultSvg(image, found)).asPng(),
  };
}

function sampleSvg(): string {
  const lines = SAMPLE_LINES.map((line, index) =>
    `<text x="70" y="${120 + 82 * index}" font-size="${index === 0 ? 46 : 32}" fill="#222638">${escape(line)}</text>`
  );
  return svg(
    880,
    560,
    `<rect width="100%" height="100%" fill="#e9e4d6"/>
    <g transform="rotate(-4 440 280)"><rect x="40" y="50" width="800" height="460" fill="#f8f5ec"/>${
      lines.join("")
    }</g>`,
  );
}

function resultSvg(image: Image, found: readonly { box: Box; line: Line }[]): string {
  const { width, height } = image;
  const png = PNG.sync.write(Object.assign(new PNG({ width, height }), { data: Buffer.from(image.data) }));
  const marks = found.map(({ box, line }) => {
    const corners = cornersOf(box);
    const start = corners[0]!;
    const size = Math.max(box.height * 0.35, 9);
    const turn = `rotate(${box.angle * 180 / Math.PI} ${start.x} ${start.y})`;
    return `<polygon points="${corners.map(({ x, y }) => `${x},${y}`).join(" ")}" fill="none" stroke="#d0103a"
        stroke-width="${Math.max(box.height * 0.04, 1)}"/>
      <text x="${start.x}" y="${start.y - size / 4}" transform="${turn}" font-size="${size}" fill="#d0103a">${
      escape(line.text)
    }</text>`;
  });
  return svg(
    width,
    height,
    `<image width="${width}" height="${height}" href="data:image/png;base64,${png.toString("base64")}"/>${
      marks.join("")
    }`,
  );
}

function svg(width: number, height: number, content: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="${FONT_FAMILY}">${content}</svg>`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

/** Makes each pixel lighter or darker by up to 36 of 255, at random from a fixed seed. */
function addNoise(rgba: Uint8Array): Uint8Array {
  let state = 1;
  return rgba.map((value, index) => {
    if (index % 4 === 3) return value;
    // Marsaglia's 32-bit xorshift. The three colours of a pixel get the same noise.
    if (index % 4 === 0) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
    }
    return Math.min(Math.max(value + (state >> 26) * 36 / 32, 0), 255);
  });
}
