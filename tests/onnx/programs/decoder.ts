/**
 * Runs a small decoder with random weights on this importer and on onnxruntime-node, with several forms of attention:
 * a prompt in two chunks, then token by token, with caches of a fixed length that stay in MLTensors. Prints the results
 * of each form as JSON.
 */
import { createContext, type MLContext, MLGraphBuilder, type MLTensor } from "@webnn/deno";
import { loadOnnx, type OnnxModel } from "@webnn/deno/onnx";
import { random } from "../../../support/random.ts";
import { type AttributeSpec, type NodeSpec, onnxFile, type TensorSpec } from "../../support/onnx_writer.ts";

const ort = await import("npm:onnxruntime-node@1.30.0");

const LAYERS = 2;
const [HEADS, SHARED, SIZE] = [4, 2, 16];
const [WIDTH, INNER, WORDS] = [HEADS * SIZE, 96, 256];
/** The number of positions in a cache. */
const PLACES = 80;
const PROMPT = [8, 5];
const TOKENS = 64;
const CACHES = Array.from({ length: LAYERS }, (_, layer) => [`key_${layer}`, `value_${layer}`]).flat();
const CACHE_SHAPE = [1, SHARED, PLACES, SIZE];

/**
 * The forms of attention: operators of ai.onnx that write new rows to the cache with ScatterND or Where;
 * GroupQueryAttention with separate queries, keys and values; and GroupQueryAttention with packed ones.
 */
const FORMS = ["ScatterND", "Where", "GroupQueryAttention", "packed GroupQueryAttention"] as const;
type Form = typeof FORMS[number];

/** A model under construction. Each method returns the name of a value. */
class Writer {
  readonly nodes: NodeSpec[] = [];
  readonly initializers: TensorSpec[] = [];
  readonly #next = random(11);

  op(op: string, inputs: readonly string[], attributes: Record<string, AttributeSpec> = {}): string {
    return this.name(op, inputs, `v${this.nodes.length}`, attributes);
  }

  name(op: string, inputs: readonly string[], output: string, attributes: Record<string, AttributeSpec> = {}): string {
    this.nodes.push({ op, inputs, outputs: [output], attributes });
    return output;
  }

  tensor(type: TensorSpec["type"], shape: readonly number[], data: TensorSpec["data"]): string {
    const name = `c${this.initializers.length}`;
    this.initializers.push({ name, type, shape, data });
    return name;
  }

  ints(...data: number[]): string {
    return this.tensor("int64", [data.length], data);
  }

  float(value: number): string {
    return this.tensor("float32", [], [value]);
  }

  /** Random numbers between ± `bound`. */
  weight(shape: readonly number[], bound = Math.sqrt(3 / shape[0]!)): string {
    const length = shape.reduce((a, b) => a * b, 1);
    return this.tensor("float32", shape, Float32Array.from({ length }, () => (2 * this.#next() - 1) * bound));
  }

  reshape(x: string, ...shape: number[]): string {
    return this.op("Reshape", [x, this.ints(...shape)]);
  }

  transpose(x: string, ...perm: number[]): string {
    return this.op("Transpose", [x], { perm });
  }

  /** [1, length, heads * SIZE] as [1, heads, length, SIZE]. */
  split(x: string, heads: number): string {
    return this.transpose(this.reshape(x, 0, 0, heads, SIZE), 0, 2, 1, 3);
  }

  merge(x: string): string {
    return this.reshape(this.transpose(x, 0, 2, 1, 3), 0, 0, -1);
  }
}

/** x / √(mean of x² + ε) · weight. */
function normalized(w: Writer, x: string): string {
  const mean = w.op("ReduceMean", [w.op("Mul", [x, x]), w.ints(-1)]);
  const root = w.op("Sqrt", [w.op("Add", [mean, w.float(1e-5)])]);
  return w.op("Mul", [w.op("Div", [x, root]), w.weight([WIDTH], 1)]);
}

function frequencies(): number[] {
  return Array.from({ length: SIZE / 2 }, (_, i) => 10000 ** (-2 * i / SIZE));
}

/** The cosines and sines [1, 1, length, SIZE] of the positions. */
function angles(w: Writer): readonly [cos: string, sin: string] {
  const steps = w.reshape(w.op("Cast", ["position_ids"], { to: 1 }), 1, 1, -1, 1);
  const half = w.op("Mul", [steps, w.tensor("float32", [1, 1, 1, SIZE / 2], frequencies())]);
  const both = w.op("Concat", [half, half], { axis: -1 });
  return [w.op("Cos", [both]), w.op("Sin", [both])];
}

/** Applies the rotary embedding to heads. */
function rotated(w: Writer, x: string, [cos, sin]: readonly [string, string]): string {
  const part = (from: number, to: number) => w.op("Slice", [x, w.ints(from), w.ints(to), w.ints(3)]);
  const swapped = w.op("Concat", [w.op("Neg", [part(SIZE / 2, SIZE)]), part(0, SIZE / 2)], { axis: 3 });
  return w.op("Add", [w.op("Mul", [x, cos]), w.op("Mul", [swapped, sin])]);
}

function places(w: Writer, ...shape: number[]): string {
  return w.tensor("int64", shape, Array.from({ length: PLACES }, (_, i) => i));
}

/** Writes new keys or values to the cache at their positions. */
function updatedCache(w: Writer, form: Form, cache: string, now: string): string {
  if (form === "ScatterND") {
    const rows = (x: string) => w.transpose(x, 2, 0, 1, 3);
    const filled = w.op("ScatterND", [rows(`past_${cache}`), w.reshape("position_ids", -1, 1), rows(now)]);
    return w.name("Transpose", [filled], `present_${cache}`, { perm: [1, 2, 0, 3] });
  }
  const same = w.op("Equal", [places(w, PLACES, 1), w.reshape("position_ids", 1, -1)]);
  const choice = w.op("Cast", [same], { to: 1 });
  const isNew = w.op("Cast", [w.op("ReduceMax", [choice, w.ints(1)])], { to: 9 });
  return w.name("Where", [isNew, w.op("MatMul", [choice, now]), `past_${cache}`], `present_${cache}`);
}

/** The mask: 0 for keys that a query attends to; for others so low that the softmax gives 0. */
function bias(w: Writer): string {
  const upTo = w.op("LessOrEqual", [places(w, 1, 1, 1, PLACES), w.reshape("position_ids", 1, 1, -1, 1)]);
  const held = w.op("Cast", [w.reshape("attention_mask", 1, 1, 1, -1)], { to: 9 });
  return w.op("Where", [w.op("And", [upTo, held]), w.float(0), w.float(-3e38)]);
}

/** Repeats the heads of keys or values for all query heads that share them. */
function repeated(w: Writer, x: string): string {
  const shape = [1, SHARED, HEADS / SHARED, PLACES, SIZE];
  return w.reshape(w.op("Expand", [w.op("Unsqueeze", [x, w.ints(2)]), w.ints(...shape)]), 1, HEADS, PLACES, SIZE);
}

interface Parts {
  readonly q: string;
  readonly k: string;
  readonly v: string;
}

function plainAttention(w: Writer, form: Form, layer: number, { q, k, v }: Parts): string {
  const turn = angles(w);
  const keys = repeated(w, updatedCache(w, form, `key_${layer}`, rotated(w, w.split(k, SHARED), turn)));
  const values = repeated(w, updatedCache(w, form, `value_${layer}`, w.split(v, SHARED)));
  const product = w.op("MatMul", [rotated(w, w.split(q, HEADS), turn), w.transpose(keys, 0, 1, 3, 2)]);
  const scores = w.op("Add", [w.op("Div", [product, w.float(Math.sqrt(SIZE))]), bias(w)]);
  return w.merge(w.op("MatMul", [w.op("Softmax", [scores], { axis: -1 }), values]));
}

/** The sequence length minus one, and the length of the mask (also of the cache), computed as exporters do. */
function lengths(w: Writer): [string, string] {
  const sum = w.op("ReduceSum", ["attention_mask", w.ints(1)], { keepdims: 0 });
  const length = w.op("Gather", [w.op("Shape", ["attention_mask"]), w.tensor("int64", [], [1])]);
  return [w.op("Cast", [w.op("Sub", [sum, w.ints(1)])], { to: 6 }), w.op("Cast", [length], { to: 6 })];
}

function table(w: Writer, f: (angle: number) => number): string {
  const data = Array.from({ length: PLACES }, (_, i) => frequencies().map((frequency) => f(i * frequency))).flat();
  return w.tensor("float32", [PLACES, SIZE / 2], data);
}

function groupQueryAttention(w: Writer, form: Form, layer: number, { q, k, v }: Parts): string {
  const attributes = { num_heads: HEADS, kv_num_heads: SHARED };
  const past = [`past_key_${layer}`, `past_value_${layer}`];
  const outputs = [`attended_${layer}`, `present_key_${layer}`, `present_value_${layer}`];
  const node = { op: "GroupQueryAttention", domain: "com.microsoft", outputs };
  if (form === "GroupQueryAttention") {
    const inputs = [q, k, v, ...past, ...lengths(w), table(w, Math.cos), table(w, Math.sin)];
    w.nodes.push({ ...node, inputs, attributes: { ...attributes, do_rotary: 1 } });
    return outputs[0]!;
  }
  const turn = angles(w);
  const rotatedFlat = (x: string, heads: number) => w.merge(rotated(w, w.split(x, heads), turn));
  const packed = w.op("Concat", [rotatedFlat(q, HEADS), rotatedFlat(k, SHARED), v], { axis: 2 });
  w.nodes.push({ ...node, inputs: [packed, "", "", ...past, ...lengths(w)], attributes });
  return outputs[0]!;
}

function block(w: Writer, form: Form, layer: number, x: string): string {
  const h = normalized(w, x);
  const [q, k, v] = [WIDTH, SHARED * SIZE, SHARED * SIZE].map((size) => w.op("MatMul", [h, w.weight([WIDTH, size])]));
  const isPlain = form === "ScatterND" || form === "Where";
  const attended = (isPlain ? plainAttention : groupQueryAttention)(w, form, layer, { q: q!, k: k!, v: v! });
  const sum = w.op("Add", [x, w.op("MatMul", [attended, w.weight([WIDTH, WIDTH])])]);
  const n = normalized(w, sum);
  const gate = w.op("MatMul", [n, w.weight([WIDTH, INNER])]);
  const opened = w.op("Mul", [gate, w.op("Sigmoid", [gate])]);
  const inner = w.op("Mul", [opened, w.op("MatMul", [n, w.weight([WIDTH, INNER])])]);
  return w.op("Add", [sum, w.op("MatMul", [inner, w.weight([INNER, WIDTH])])]);
}

/** The model; the weights are the same in each form. */
function decoder(form: Form): Uint8Array {
  const w = new Writer();
  let x = w.op("Gather", [w.weight([WORDS, WIDTH], 1), "input_ids"]);
  for (let layer = 0; layer < LAYERS; layer++) x = block(w, form, layer, x);
  w.name("MatMul", [normalized(w, x), w.weight([WIDTH, WORDS])], "logits");
  const positions = form === "GroupQueryAttention" ? [] : ["position_ids"];
  return onnxFile({
    inputs: [
      ...["input_ids", ...positions].map((name) => ({ name, type: "int64" as const, shape: ["batch", "length"] })),
      { name: "attention_mask", type: "int64", shape: ["batch", PLACES] },
      ...CACHES.map((name) => ({ name: `past_${name}`, shape: ["batch", SHARED, PLACES, SIZE] })),
    ],
    outputs: [
      { name: "logits", shape: ["batch", "length", WORDS] },
      ...CACHES.map((name) => ({ name: `present_${name}`, shape: ["batch", SHARED, PLACES, SIZE] })),
    ],
    nodes: w.nodes,
    initializers: w.initializers,
  });
}

/** Runs the next `ids` of a sequence from the position `start` on, and returns the logits of the last. */
type Step = (ids: readonly number[], start: number) => Promise<Float32Array>;

/** The inputs of a step, without the caches. */
function fed(ids: readonly number[], start: number): Record<string, { data: BigInt64Array; shape: number[] }> {
  const end = start + ids.length;
  return {
    input_ids: { data: BigInt64Array.from(ids, BigInt), shape: [1, ids.length] },
    position_ids: { data: BigInt64Array.from(ids, (_, i) => BigInt(start + i)), shape: [1, ids.length] },
    attention_mask: { data: BigInt64Array.from({ length: PLACES }, (_, i) => i < end ? 1n : 0n), shape: [1, PLACES] },
  };
}

/** Steps on this importer: the caches of one step are the past of the next, and are never read. */
async function ourSteps(context: MLContext, model: OnnxModel): Promise<Step> {
  const caches = () => Promise.all(CACHES.map(() => context.createTensor({ dataType: "float32", shape: CACHE_SHAPE })));
  let [past, present] = [await caches(), await caches()];
  const named = (prefix: string, tensors: readonly MLTensor[]) =>
    Object.fromEntries(CACHES.map((name, i) => [`${prefix}_${name}`, tensors[i]!]));
  const names = model.inputs.map(({ name }) => name);
  return async (ids, start) => {
    const given = Object.entries(fed(ids, start)).filter(([name]) => names.includes(name));
    const shape = [1, ids.length, WORDS];
    const logits = await context.createTensor({ dataType: "float32", shape, readable: true });
    const inputs = { ...Object.fromEntries(given), ...named("past", past) };
    await model.dispatch(inputs, { logits, ...named("present", present) });
    [past, present] = [present, past];
    const elements = new Float32Array(await context.readTensor(logits));
    logits.destroy();
    return elements.subarray(-WORDS);
  };
}

async function theirSteps(file: Uint8Array): Promise<Step> {
  const session = await ort.InferenceSession.create(file, { intraOpNumThreads: 1 });
  const empty = () => new ort.Tensor("float32", new Float32Array(CACHE_SHAPE.reduce((a, b) => a * b)), CACHE_SHAPE);
  const past: Record<string, InstanceType<typeof ort.Tensor>> = {};
  for (const name of CACHES) past[`past_${name}`] = empty();
  return async (ids, start) => {
    const given = Object.entries(fed(ids, start)).filter(([name]) => session.inputNames.includes(name));
    const tensors = given.map(([name, { data, shape }]) => [name, new ort.Tensor("int64", data, shape)]);
    const results = await session.run({ ...Object.fromEntries(tensors), ...past });
    for (const name of CACHES) past[`past_${name}`] = results[`present_${name}`] as InstanceType<typeof ort.Tensor>;
    return (results.logits!.data as Float32Array).subarray(-WORDS);
  };
}

/** Runs the prompt in chunks, then greedy decoding. Returns the tokens, and the logits from which they were chosen. */
async function generate(step: Step): Promise<{ tokens: number[]; logits: Float32Array[] }> {
  const next = random(5);
  const [tokens, logits]: [number[], Float32Array[]] = [[], []];
  let [at, last] = [0, new Float32Array(0)];
  for (const length of PROMPT) {
    last = await step(Array.from({ length }, () => next.integer(0, WORDS - 1)), at) as Float32Array<ArrayBuffer>;
    at += length;
  }
  for (;;) {
    logits.push(last);
    tokens.push(last.indexOf(Math.max(...last)));
    if (tokens.length === TOKENS) return { tokens, logits };
    last = await step([tokens.at(-1)!], at++) as Float32Array<ArrayBuffer>;
  }
}

/** Starts to count the graphs that are built. */
function countGraphs(): () => number {
  let count = 0;
  const { build } = MLGraphBuilder.prototype;
  MLGraphBuilder.prototype.build = function (outputs) {
    count++;
    return build.call(this, outputs);
  };
  return () => count;
}

const graphs = countGraphs();
const context = await createContext();
const results: Record<string, unknown> = {};
for (const form of FORMS) {
  const file = decoder(form);
  const theirs = await generate(await theirSteps(file));
  const before = graphs();
  using model = await loadOnnx(file, { context });
  const ours = await generate(await ourSteps(context, model));
  const differences = ours.logits.map((row, i) => Math.max(...row.map((x, j) => Math.abs(x - theirs.logits[i]![j]!))));
  results[form] = {
    graphs: graphs() - before,
    ours: ours.tokens,
    theirs: theirs.tokens,
    difference: Math.max(...differences),
  };
}
context.destroy();
console.log(JSON.stringify(results));
