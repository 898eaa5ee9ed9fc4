/**
 * Models of our own making, one operator each, with the outputs that the float64 reference expects: for machines on which
 * ONNX's node tests cannot be had, and for what those leave out.
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

/** All models, the same in each run. */
export const OWN_MODELS: readonly OwnModel[] = [
  ...elementwiseModels,
  ...windowsModels,
  ...imagesModels,
  ...sequencesModels,
  ...placesModels,
  ...quantizedModels,
];
