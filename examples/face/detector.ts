/**
 * The input and output of MediaPipe's short-range face detector (https://arxiv.org/abs/1907.05047).
 *
 * @module
 */
import { type Image, resizeImage } from "../image.ts";

/** Width and height of the network's input. */
export const INPUT_SIZE = 128;

/** The anchors, to which the network's boxes are relative: square grids with `count` anchors every `stride` pixels. */
const GRIDS = [{ stride: 8, count: 2 }, { stride: 16, count: 6 }] as const;
/** The numbers of one box: centre, size, and six points of the face. */
const BOX_LENGTH = 16;
const POINTS = 6;

const MIN_SCORE = 0.5;
/** Two boxes whose intersection over union is larger show the same face. */
const MAX_OVERLAP = 0.3;

/** A point in the photo, in pixels. */
export interface Point {
  x: number;
  y: number;
}

/** A face in the photo. The points are right eye, left eye, nose, mouth, right ear, left ear. */
export interface Face {
  score: number;
  center: Point;
  width: number;
  height: number;
  points: Point[];
}

/** The whole photo in a black square of the input size: [1, 128, 128, 3], RGB, from −1 to 1. */
export function faceInput(image: Image): Float32Array {
  return resizeImage(squared(image), INPUT_SIZE).map((value) => value / 127.5 - 1);
}

/** The faces, most likely first. `boxes` is [1, 896, 16], in pixels of the input; `scores` is [1, 896, 1], logits. */
export function findFaces(boxes: Float32Array, scores: Float32Array, image: Image): Face[] {
  const side = Math.max(image.width, image.height);
  const scale = side / INPUT_SIZE;
  const left = (side - image.width) / 2;
  const top = (side - image.height) / 2;
  const candidates = anchors().flatMap((anchor, index) => {
    const score = 1 / (1 + Math.exp(-scores[index]!));
    if (!(score >= MIN_SCORE)) return [];
    const box = boxes.subarray(BOX_LENGTH * index, BOX_LENGTH * (index + 1));
    const place = (x: number, y: number) => ({ x: (anchor.x + x) * scale - left, y: (anchor.y + y) * scale - top });
    const points = Array.from({ length: POINTS }, (_, point) => place(box[4 + 2 * point]!, box[5 + 2 * point]!));
    const [x, y, width, height] = box as unknown as [number, number, number, number];
    return [{ score, center: place(x, y), width: width * scale, height: height * scale, points }];
  });
  return withoutOverlaps(candidates);
}

/** The centres of the 896 anchors, in pixels of the input. */
function anchors(): Point[] {
  return GRIDS.flatMap(({ stride, count }) => {
    const length = INPUT_SIZE / stride;
    return Array.from({ length: length * length * count }, (_, index) => {
      const place = Math.floor(index / count);
      return { x: (place % length + 0.5) * stride, y: (Math.floor(place / length) + 0.5) * stride };
    });
  });
}

/** Keeps the most likely of overlapping boxes (non-maximum suppression). */
function withoutOverlaps(faces: Face[]): Face[] {
  const kept: Face[] = [];
  for (const face of faces.toSorted((a, b) => b.score - a.score)) {
    if (kept.every((other) => overlap(face, other) <= MAX_OVERLAP)) kept.push(face);
  }
  return kept;
}

/** The intersection of two boxes, divided by their union. */
function overlap(a: Face, b: Face): number {
  const shared = (distance: number, sizeA: number, sizeB: number) =>
    Math.max(0, Math.min(sizeA, sizeB, (sizeA + sizeB) / 2 - Math.abs(distance)));
  const intersection = shared(a.center.x - b.center.x, a.width, b.width) *
    shared(a.center.y - b.center.y, a.height, b.height);
  return intersection / (a.width * a.height + b.width * b.height - intersection);
}

/**
 * The picture centred in a black square. In large pictures, each pixel is the mean of a block of pixels; single pixels
 * would make small faces grainy.
 */
function squared({ width, height, data }: Image): Image {
  const side = Math.max(width, height);
  const block = Math.max(Math.floor(side / INPUT_SIZE), 1);
  const squareSide = Math.ceil(side / block);
  const left = (side - width) >> 1;
  const top = (side - height) >> 1;
  const sums = new Float32Array(4 * squareSide * squareSide);
  for (let y = 0; y < height; y++) {
    const row = squareSide * Math.floor((top + y) / block);
    for (let x = 0; x < width; x++) {
      const to = 4 * (row + Math.floor((left + x) / block));
      const from = 4 * (width * y + x);
      for (let channel = 0; channel < 4; channel++) sums[to + channel]! += data[from + channel]!;
    }
  }
  return { width: squareSide, height: squareSide, data: Uint8Array.from(sums, (sum) => Math.round(sum / block ** 2)) };
}
