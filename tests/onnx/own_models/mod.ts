/**
 * Our own models with one operator each, and the outputs of the float64 reference: for machines that cannot download
 * ONNX's node tests, and for cases that those do not cover.
 *
 * @module
 */

import { elementwiseModels } from "./elementwise.ts";
import { imagesModels } from "./images.ts";
import type { OwnModel } from "./model.ts";
import { placesModels } from "./places.ts";
import { quantizedModels } from "./quantized.ts";
import { sequencesModels } from "./sequences.ts";
import { windowsModels } from "./windows.ts";

export type { OwnModel } from "./model.ts";

/** All models. They are the same in each run. */
export const OWN_MODELS: readonly OwnModel[] = [
  ...elementwiseModels,
  ...windowsModels,
  ...imagesModels,
  ...sequencesModels,
  ...placesModels,
  ...quantizedModels,
];
