/**
 * A suite with a real detector: the gallery's YOLOv8 n, from its ONNX file.
 *
 * @module
 */
import { MLGraphBuilder, type MLOperand } from "@webnn/deno";
import { buildOnnx } from "@webnn/deno/onnx";
import { decodeImage } from "../../examples/image.ts";
import { hasTestData, testData } from "../../support/test_data.ts";
import { fetchModel } from "../models/fetch.ts";
import { NUDENET } from "../models/model.ts";
import { planes } from "./planes.ts";
import type { Suite } from "./suite.ts";

const PHOTO = "models/images/horse_cart.jpg";
const SIZE = 640;

/** One line about the missing files of the suite; `undefined` if none is missing. */
export function whatIsMissing(): string | undefined {
  if (hasTestData(PHOTO)) return undefined;
  return `detector: skipped, no ${PHOTO} in ${testData(".")}; deno task data downloads it`;
}

/** The suite for a batch of one repeated photo of 640 × 640. */
export async function detector(batch: number): Promise<Suite> {
  const [bytes, photo] = await Promise.all([
    Deno.readFile(await fetchModel({ source: { wheel: NUDENET } })),
    decodeImage(await Deno.readFile(testData(PHOTO))),
  ]);
  const picture = planes(photo, SIZE, 255);
  const images = new Float32Array(batch * picture.length);
  for (let i = 0; i < batch; i++) images.set(picture, i * picture.length);
  return {
    name: `detector-${batch}`,
    async build(context) {
      const builder = new MLGraphBuilder(context);
      const dimensions = { batch, height: SIZE, width: SIZE };
      const [[name, output]] = Object.entries(await buildOnnx(builder, bytes, { context, dimensions })) as [
        [string, MLOperand],
      ];
      const graph = await builder.build({ [name]: output });
      return { graph, inputs: { images: [batch, 3, SIZE, SIZE] }, outputs: { [name]: output.shape } };
    },
    inputs: { images },
    output: "output0",
    check: (values) => checkDetections(values, batch),
  };
}

/** All images of the batch are the same, so their boxes must be the same. Probabilities must be from 0 to 1. */
function checkDetections(values: Float32Array, batch: number): void {
  const [size, boxes] = [values.length / batch, 8400]; // 80² + 40² + 20² positions in an image.
  if (size % boxes !== 0 || size <= 4 * boxes) throw new Error(`there are ${values.length} elements`);
  for (let i = 0; i < values.length; i++) {
    if (!(Math.abs(values[i]! - values[i % size]!) <= 0.05)) throw new Error(`element ${i} differs from image 0's`);
    if (i % size >= 4 * boxes && !(values[i]! >= 0 && values[i]! <= 1)) throw new Error(`element ${i} is ${values[i]}`);
  }
}
