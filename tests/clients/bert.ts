/**
 * A small BERT with random weights, as the files that a model hub serves for transformers.js. The graph is like those of
 * exporters, but smaller.
 *
 * @module
 */
import { type Random, random } from "../../support/random.ts";
import { type NodeSpec, onnxFile, type TensorSpec } from "../support/onnx_writer.ts";

const HIDDEN = 32;
const HEADS = 4;
const LAYERS = 2;

/** The name under which a hub would serve the model. */
export const BERT_NAME = "tests/small-bert";
/** The maximum number of tokens. */
export const BERT_LENGTH = 32;

/** Word pieces of the vocabulary, in addition to special tokens and letters. */
const WORDS = "the a cat dog sat on mat runs fast and is engine network paints picture deep ##s ##ing ##ed".split(" ");
const LETTERS = [..."abcdefghijklmnopqrstuvwxyz"];
const VOCABULARY = [
  "[PAD]",
  "[UNK]",
  "[CLS]",
  "[SEP]",
  "[MASK]",
  ...LETTERS,
  ...LETTERS.map((c) => `##${c}`),
  ...WORDS,
];

/** The files of the model by their paths. */
export function bertFiles(): Record<string, Uint8Array<ArrayBuffer>> {
  return {
    "config.json": json({
      architectures: ["BertModel"],
      model_type: "bert",
      hidden_size: HIDDEN,
      num_attention_heads: HEADS,
      num_hidden_layers: LAYERS,
      max_position_embeddings: BERT_LENGTH,
      vocab_size: VOCABULARY.length,
    }),
    "tokenizer_config.json": json({
      tokenizer_class: "BertTokenizer",
      model_max_length: BERT_LENGTH,
      pad_token: "[PAD]",
      unk_token: "[UNK]",
      cls_token: "[CLS]",
      sep_token: "[SEP]",
      mask_token: "[MASK]",
    }),
    "tokenizer.json": json(tokenizer()),
    "onnx/model.onnx": bertModel(random(7)),
  };
}

function json(value: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(value));
}

function tokenizer(): unknown {
  const id = (token: string) => VOCABULARY.indexOf(token);
  const special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
  const template = (token: string) => ({ SpecialToken: { id: token, type_id: 0 } });
  return {
    version: "1.0",
    added_tokens: special.map((content) => ({
      id: id(content),
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: { type: "BertNormalizer", clean_text: true, handle_chinese_chars: true, lowercase: true },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: {
      type: "TemplateProcessing",
      single: [template("[CLS]"), { Sequence: { id: "A", type_id: 0 } }, template("[SEP]")],
      pair: [template("[CLS]"), { Sequence: { id: "A", type_id: 0 } }, template("[SEP]")],
      special_tokens: Object.fromEntries(
        ["[CLS]", "[SEP]"].map((token) => [token, { id: token, ids: [id(token)], tokens: [token] }]),
      ),
    },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: "[UNK]",
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(VOCABULARY.map((token, index) => [token, index])),
    },
  };
}

function bertModel(next: Random): Uint8Array<ArrayBuffer> {
  const layers = graphOf(next);
  const mask = attentionMask(layers);
  let x = embeddings(layers);
  for (let layer = 0; layer < LAYERS; layer++) x = encoderLayer(layers, `layer${layer}`, x, mask);
  layers.nodes.push({ op: "Identity", inputs: [x], outputs: ["last_hidden_state"] });
  const tokens = ["batch_size", "sequence_length"];
  return onnxFile({
    opset: 17,
    inputs: ["input_ids", "attention_mask", "token_type_ids"].map((name) => ({ name, type: "int64", shape: tokens })),
    outputs: [{ name: "last_hidden_state", shape: [...tokens, HIDDEN] }],
    initializers: layers.initializers,
    nodes: layers.nodes,
  });
}

interface Layers {
  nodes: NodeSpec[];
  initializers: TensorSpec[];
  /** Appends a node. Returns the name of its output. */
  node(op: string, name: string, inputs: string[], attributes?: NodeSpec["attributes"]): string;
  /** Adds random weights, small enough to keep activations in range. Returns their name. */
  weight(name: string, ...shape: number[]): string;
  /** Adds a float32 scalar or an int64 vector. Returns its name. */
  constant(name: string, value: number | number[]): string;
  linear(name: string, x: string, inputs: number, outputs: number): string;
  normalize(name: string, x: string): string;
}

function graphOf(next: Random): Layers {
  const nodes: NodeSpec[] = [];
  const initializers: TensorSpec[] = [];
  const node: Layers["node"] = (op, output, inputs, attributes = {}) => {
    nodes.push({ op, inputs, outputs: [output], attributes });
    return output;
  };
  const weight: Layers["weight"] = (name, ...shape) => {
    const data = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => (next() - 0.5) * 0.6);
    initializers.push({ name, type: "float32", shape, data });
    return name;
  };
  const constant: Layers["constant"] = (name, value) => {
    if (typeof value === "number") initializers.push({ name, type: "float32", shape: [], data: [value] });
    else initializers.push({ name, type: "int64", shape: [value.length], data: value });
    return name;
  };
  return {
    nodes,
    initializers,
    node,
    weight,
    constant,
    linear(name, x, inputs, outputs) {
      const product = node("MatMul", `${name}.product`, [x, weight(`${name}.weight`, inputs, outputs)]);
      return node("Add", name, [product, weight(`${name}.bias`, outputs)]);
    },
    normalize(name, x) {
      const inputs = [x, weight(`${name}.scale`, HIDDEN), weight(`${name}.shift`, HIDDEN)];
      return node("LayerNormalization", name, inputs, { axis: -1, epsilon: { float: 1e-12 } });
    },
  };
}

function embeddings({ node, weight, constant, normalize, initializers }: Layers): string {
  const words = node("Gather", "words", [weight("word_table", VOCABULARY.length, HIDDEN), "input_ids"]);
  const types = node("Gather", "types", [weight("type_table", 2, HIDDEN), "token_type_ids"]);
  // The position ids 0, 1, ..., cut to the length of the input.
  initializers.push({
    name: "all_positions",
    type: "int64",
    shape: [1, BERT_LENGTH],
    data: Array.from({ length: BERT_LENGTH }, (_, i) => i),
  });
  const size = node("Shape", "input_shape", ["input_ids"]);
  const one = constant("one", [1]);
  const length = node("Gather", "length", [size, one]);
  const ids = node("Slice", "position_ids", ["all_positions", constant("zero", [0]), length, one]);
  const positions = node("Gather", "positions", [weight("position_table", BERT_LENGTH, HIDDEN), ids]);
  const tokens = node("Add", "words_and_types", [words, types]);
  return normalize("embeddings", node("Add", "words_types_positions", [tokens, positions]));
}

/** [batch, 1, 1, sequence]: 0 for a token, a large negative number for padding. */
function attentionMask({ node, constant }: Layers): string {
  const mask = node("Unsqueeze", "mask4d", ["attention_mask", constant("mask_axes", [1, 2])]);
  const inverted = node("Sub", "padding", [constant("real", 1), node("Cast", "mask", [mask], { to: 1 })]);
  return node("Mul", "mask_bias", [inverted, constant("large", -10_000)]);
}

function encoderLayer(layers: Layers, name: string, x: string, mask: string): string {
  const { node, constant, linear, normalize } = layers;
  const attended = linear(`${name}.projection`, attention(layers, name, x, mask), HIDDEN, HIDDEN);
  const normalized = normalize(`${name}.norm1`, node("Add", `${name}.residual1`, [attended, x]));

  const inner = linear(`${name}.inner`, normalized, HIDDEN, 4 * HIDDEN);
  const scaled = node("Div", `${name}.scaled`, [inner, constant(`${name}.sqrt2`, Math.SQRT2)]);
  const erf = node("Add", `${name}.erf1`, [node("Erf", `${name}.erf`, [scaled]), constant(`${name}.one`, 1)]);
  const doubled = node("Mul", `${name}.gelu2`, [inner, erf]);
  const gelu = node("Mul", `${name}.gelu`, [doubled, constant(`${name}.half`, 0.5)]);
  const outer = linear(`${name}.outer`, gelu, 4 * HIDDEN, HIDDEN);
  return normalize(`${name}.norm2`, node("Add", `${name}.residual2`, [outer, normalized]));
}

function attention({ node, constant, linear }: Layers, name: string, x: string, mask: string): string {
  const size = HIDDEN / HEADS;
  const split = constant(`${name}.split`, [0, 0, HEADS, size]);
  const heads = (role: string, perm: number[]) => {
    const projected = linear(`${name}.${role}`, x, HIDDEN, HIDDEN);
    return node("Transpose", `${name}.${role}.heads`, [node("Reshape", `${name}.${role}.split`, [projected, split])], {
      perm,
    });
  };
  const [query, key] = [heads("query", [0, 2, 1, 3]), heads("key", [0, 2, 3, 1])];
  const products = node("MatMul", `${name}.products`, [query, key]);
  const scaled = node("Div", `${name}.scores`, [products, constant(`${name}.scale`, Math.sqrt(size))]);
  const weights = node("Softmax", `${name}.weights`, [node("Add", `${name}.masked`, [scaled, mask])], { axis: -1 });
  const values = node("MatMul", `${name}.context`, [weights, heads("value", [0, 2, 1, 3])]);
  const merged = node("Transpose", `${name}.merged`, [values], { perm: [0, 2, 1, 3] });
  return node("Reshape", `${name}.joined`, [merged, constant(`${name}.join`, [0, 0, HIDDEN])]);
}
