/**
 * The inputs and outputs of the three networks of PP-OCRv4 (https://github.com/PaddlePaddle/PaddleOCR).
 *
 * @module
 */
import type { Image } from "../image.ts";
import type { Box } from "./boxes.ts";

/** The input of a network: float32 [1, 3, height, width], in the order blue, green, red. */
export interface NetworkInput {
  data: Float32Array;
  shape: [batch: 1, channels: 3, height: number, width: number];
}

/** A line of text; `confidence` is the mean probability of its characters. */
export interface Line {
  text: string;
  confidence: number;
}

interface Scaling {
  mean: readonly [number, number, number];
  standardDeviation: readonly [number, number, number];
}

const DETECTION: Scaling = { mean: [0.485, 0.456, 0.406], standardDeviation: [0.229, 0.224, 0.225] };
const RECOGNITION: Scaling = { mean: [0.5, 0.5, 0.5], standardDeviation: [0.5, 0.5, 0.5] };

/** The detector halves the picture five times. */
const DETECTION_STEP = 32;
const DETECTION_MAX_SIDE = 960;

/** The height of the recognizer's input. */
const LINE_HEIGHT = 48;
/** The width of its input is a multiple of this, so that few graphs are built. */
const LINE_WIDTH_STEP = 320;
const DIRECTION_WIDTH = 192;

/**
 * The probability from which a gap between Latin letters is a space. The recognizer was trained on Chinese, which has
 * few spaces, so between words it often prefers the blank; but inside a word, spaces have almost no probability.
 */
const SPACE_THRESHOLD = 0.06;

/** The whole picture, with sides that are multiples of 32 and at most 960. */
export function detectionInput(image: Image): NetworkInput {
  const scale = Math.min(1, DETECTION_MAX_SIDE / Math.max(image.width, image.height));
  const side = (size: number) => Math.max(Math.round(size * scale / DETECTION_STEP), 1) * DETECTION_STEP;
  const [width, height] = [side(image.width), side(image.height)];
  const center = { x: image.width / 2, y: image.height / 2 };
  const box = { center, angle: 0, width: image.width, height: image.height };
  const data = new Float32Array(3 * height * width);
  sample(image, box, { data, width, height, rowLength: width }, DETECTION);
  return { data, shape: [1, 3, height, width] };
}

/** One line of text, rotated to horizontal, padded with zeros on the right. */
export function recognitionInput(image: Image, box: Box): NetworkInput {
  const width = Math.max(Math.round(LINE_HEIGHT * box.width / box.height), 1);
  return lineInput(image, box, width, Math.ceil(width / LINE_WIDTH_STEP) * LINE_WIDTH_STEP);
}

/** The line for the network that detects upside-down text; a long line is compressed to the width of the input. */
export function directionInput(image: Image, box: Box): NetworkInput {
  const width = Math.max(Math.round(LINE_HEIGHT * box.width / box.height), 1);
  return lineInput(image, box, Math.min(width, DIRECTION_WIDTH), DIRECTION_WIDTH);
}

function lineInput(image: Image, box: Box, width: number, rowLength: number): NetworkInput {
  const data = new Float32Array(3 * LINE_HEIGHT * rowLength);
  sample(image, box, { data, width, height: LINE_HEIGHT, rowLength }, RECOGNITION);
  return { data, shape: [1, 3, LINE_HEIGHT, rowLength] };
}

/**
 * Converts the recognizer's output, probabilities of shape [1, steps, characters], to text: takes the most likely
 * character of each step, without repetitions and blanks (character 0), as in
 * https://dl.acm.org/doi/10.1145/1143844.1143891. Adds spaces between Latin letters or digits, see SPACE_THRESHOLD.
 */
export function decodeText(probabilities: Float32Array, characters: readonly string[]): Line {
  const space = characters.lastIndexOf(" ");
  const confidences: number[] = [];
  let [text, previous, gap] = ["", 0, 0];
  for (let step = 0; step * characters.length < probabilities.length; step++) {
    const row = probabilities.subarray(step * characters.length, (step + 1) * characters.length);
    const character = row.reduce((best, value, index) => value > row[best]! ? index : best, 0);
    if (character === 0 || character === previous) gap = Math.max(gap, row[space] ?? 0);
    else {
      const next = characters[character]!;
      if (
        gap > SPACE_THRESHOLD && /[\p{Script=Latin}\d.,:;!?%)]$/u.test(text) && /^[\p{Script=Latin}\d(]/u.test(next)
      ) text += " ";
      text += next;
      confidences.push(row[character]!);
      gap = 0;
    }
    previous = character;
  }
  const confidence = confidences.reduce((sum, value) => sum + value, 0) / Math.max(confidences.length, 1);
  return { text: text.trim(), confidence };
}

/** The recognizer's characters: the blank, the lines of the dictionary file, and the space. */
export function readCharacters(dictionary: string): string[] {
  return ["", ...dictionary.trimEnd().split(/\r?\n/), " "];
}

interface Target {
  data: Float32Array;
  width: number;
  height: number;
  rowLength: number;
}

/** Fills `target` with the part of the picture in `box`: bilinear, with half-pixel centres; the edge is repeated outside. */
function sample(image: Image, { center, angle, width, height }: Box, target: Target, scaling: Scaling): void {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  for (let row = 0; row < target.height; row++) {
    for (let column = 0; column < target.width; column++) {
      const right = ((column + 0.5) / target.width - 0.5) * width;
      const down = ((row + 0.5) / target.height - 0.5) * height;
      const x = center.x + right * cos - down * sin - 0.5;
      const y = center.y + right * sin + down * cos - 0.5;
      for (let channel = 0; channel < 3; channel++) {
        const value = bilinear(image, x, y, 2 - channel) / 255;
        const to = (channel * target.height + row) * target.rowLength + column;
        target.data[to] = (value - scaling.mean[channel]!) / scaling.standardDeviation[channel]!;
      }
    }
  }
}

function bilinear({ width, height, data }: Image, x: number, y: number, channel: number): number {
  const [placeX, placeY] = [Math.min(Math.max(x, 0), width - 1), Math.min(Math.max(y, 0), height - 1)];
  const [left, top] = [Math.floor(placeX), Math.floor(placeY)];
  const [right, bottom] = [Math.min(left + 1, width - 1), Math.min(top + 1, height - 1)];
  const at = (column: number, row: number) => data[4 * (row * width + column) + channel]!;
  const mix = (a: number, b: number, fraction: number) => a + (b - a) * fraction;
  const upper = mix(at(left, top), at(right, top), placeX - left);
  const lower = mix(at(left, bottom), at(right, bottom), placeX - left);
  return mix(upper, lower, placeY - top);
}
