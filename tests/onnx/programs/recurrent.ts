/**
 * Runs RNN, GRU and LSTM models like those exported by PyTorch, with all options of its modules, on this importer and
 * on onnxruntime-node. Prints the largest difference of each model as JSON.
 */
import { createContext } from "@webnn/deno";
import { loadOnnx } from "@webnn/deno/onnx";
import { random } from "../../../support/random.ts";
import { type NodeSpec, onnxFile, type TensorSpec } from "../../support/onnx_writer.ts";

const ort = await import("npm:onnxruntime-node@1.30.0");

/** The options of torch.nn.RNN, GRU and LSTM that affect an export. */
interface Options {
  readonly kind: "RNN" | "GRU" | "LSTM";
  readonly layers: number;
  readonly bidirectional: boolean;
  readonly batchFirst: boolean;
  readonly bias: boolean;
  /** Whether the initial states are inputs; otherwise, they are zeros with a shape computed from that of the input. */
  readonly initial: boolean;
}

const GATES = { RNN: 1, GRU: 3, LSTM: 4 };
const [STEPS, BATCH, INPUTS, HIDDEN] = [6, 3, 4, 5] as const;
const next = random(7);

/** Random weights between ± 1 / √hidden, as in PyTorch. */
function weights(name: string, shape: readonly number[]): TensorSpec {
  const bound = 1 / Math.sqrt(HIDDEN);
  const size = shape.reduce((a, b) => a * b, 1);
  return { name, type: "float32", shape, data: Float32Array.from({ length: size }, () => (2 * next() - 1) * bound) };
}

function integers(name: string, ...data: number[]): TensorSpec {
  return { name, type: "int64", shape: [data.length], data };
}

/** The nodes that compute zeros of the shape [directions, batch, hidden]. */
function zeroState(directions: number): { nodes: NodeSpec[]; initializers: TensorSpec[] } {
  return {
    nodes: [
      { op: "Shape", inputs: ["sequence"], outputs: ["sizes"] },
      { op: "Gather", inputs: ["sizes", "one"], outputs: ["batch"] },
      { op: "Concat", inputs: ["directions", "batch", "hidden"], outputs: ["state_shape"], attributes: { axis: 0 } },
      { op: "ConstantOfShape", inputs: ["state_shape"], outputs: ["zeros"] },
    ],
    initializers: [integers("one", 1), integers("directions", directions), integers("hidden", HIDDEN)],
  };
}

/** One layer: the network, and the concatenation of its directions. */
function layer(options: Options, i: number): { nodes: NodeSpec[]; initializers: TensorSpec[] } {
  const { kind, bidirectional, bias, initial } = options;
  const directions = bidirectional ? 2 : 1;
  const inputs = i === 0 ? INPUTS : directions * HIDDEN;
  const rows = GATES[kind] * HIDDEN;
  const state = (name: string) => initial ? `${name}_${i}` : "zeros";
  const x = i === 0 ? "sequence" : `flat_${i - 1}`;
  const names = [x, `w_${i}`, `r_${i}`, bias ? `b_${i}` : "", "", state("h"), ...kind === "LSTM" ? [state("c")] : []];
  const part = (name: string): NodeSpec => ({
    op: "Slice",
    inputs: [name, `from_${i}`, `to_${i}`, "axis"],
    outputs: [`${name}_${i}`],
  });
  return {
    nodes: [
      ...initial ? [part("h"), ...kind === "LSTM" ? [part("c")] : []] : [],
      {
        op: kind,
        inputs: names,
        outputs: [`y_${i}`, `last_${i}`, ...kind === "LSTM" ? [`cell_${i}`] : []],
        attributes: {
          hidden_size: HIDDEN,
          direction: bidirectional ? "bidirectional" : "forward",
          ...kind === "GRU" && { linear_before_reset: 1 },
        },
      },
      { op: "Transpose", inputs: [`y_${i}`], outputs: [`turned_${i}`], attributes: { perm: [0, 2, 1, 3] } },
      { op: "Reshape", inputs: [`turned_${i}`, "flat"], outputs: [`flat_${i}`] },
    ],
    initializers: [
      weights(`w_${i}`, [directions, rows, inputs]),
      weights(`r_${i}`, [directions, rows, HIDDEN]),
      ...bias ? [weights(`b_${i}`, [directions, 2 * rows])] : [],
      ...initial ? [integers(`from_${i}`, i * directions), integers(`to_${i}`, (i + 1) * directions)] : [],
    ],
  };
}

function exported(options: Options): Uint8Array {
  const { kind, layers, bidirectional, batchFirst, initial } = options;
  const list = Array.from({ length: layers }, (_, i) => layer(options, i));
  const zero = initial ? { nodes: [], initializers: [] } : zeroState(bidirectional ? 2 : 1);
  const swap = (from: string, to: string): NodeSpec =>
    batchFirst
      ? { op: "Transpose", inputs: [from], outputs: [to], attributes: { perm: [1, 0, 2] } }
      : { op: "Identity", inputs: [from], outputs: [to] };
  const joined = (from: string, to: string): NodeSpec => ({
    op: "Concat",
    inputs: list.map((_, i) => `${from}_${i}`),
    outputs: [to],
    attributes: { axis: 0 },
  });
  const states = (bidirectional ? 2 : 1) * layers;
  const shape = batchFirst ? ["batch", "steps", INPUTS] : ["steps", "batch", INPUTS];
  const stateNames = initial ? ["h", ...kind === "LSTM" ? ["c"] : []] : [];
  return onnxFile({
    opset: 17,
    inputs: [{ name: "x", shape }, ...stateNames.map((name) => ({ name, shape: [states, "batch", HIDDEN] }))],
    outputs: [{ name: "y" }, { name: "last" }, ...kind === "LSTM" ? [{ name: "cell" }] : []],
    nodes: [
      swap("x", "sequence"),
      ...zero.nodes,
      ...list.flatMap(({ nodes }) => nodes),
      swap(`flat_${layers - 1}`, "y"),
      joined("last", "last"),
      ...kind === "LSTM" ? [joined("cell", "cell")] : [],
    ],
    initializers: [
      integers("flat", 0, 0, -1),
      integers("axis", 0),
      ...zero.initializers,
      ...list.flatMap(({ initializers }) => initializers),
    ],
  });
}

/** An LSTM with weights of 8 bits, whose input and state are quantised dynamically. */
function quantizedLstm(direction: string): Uint8Array {
  const directions = direction === "bidirectional" ? 2 : 1;
  const bytes = (name: string, inputs: number, rows = 4 * HIDDEN): TensorSpec => {
    const data = Uint8Array.from({ length: directions * inputs * rows }, () => 256 * next());
    return { name, type: "uint8", shape: [directions, inputs, rows], data };
  };
  const parameters = (name: string): TensorSpec[] => [
    { name: `${name}_scale`, type: "float32", shape: [directions], data: new Float32Array(directions).fill(1 / 256) },
    { name: `${name}_zero`, type: "uint8", shape: [directions], data: new Uint8Array(directions).fill(120) },
  ];
  return onnxFile({
    opset: 17,
    inputs: [{ name: "x", shape: ["steps", "batch", INPUTS] }],
    outputs: [{ name: "y" }, { name: "last" }, { name: "cell" }],
    nodes: [{
      op: "DynamicQuantizeLSTM",
      domain: "com.microsoft",
      inputs: ["x", "w", "r", "b", "", "", "", "", "w_scale", "w_zero", "r_scale", "r_zero"],
      outputs: ["y", "last", "cell"],
      attributes: { hidden_size: HIDDEN, direction },
    }],
    initializers: [
      bytes("w", INPUTS),
      bytes("r", HIDDEN),
      weights("b", [directions, 8 * HIDDEN]),
      ...parameters("w"),
      ...parameters("r"),
    ],
  });
}

async function difference(bytes: Uint8Array): Promise<number> {
  using model = await loadOnnx(bytes, { context });
  const session = await ort.InferenceSession.create(bytes, { intraOpNumThreads: 1 });
  const inputs = Object.fromEntries(model.inputs.map(({ name, shape }) => {
    const sizes = shape!.map((size) => size === "batch" ? BATCH : size === "steps" ? STEPS : size as number);
    return [name, {
      shape: sizes,
      data: Float32Array.from({ length: sizes.reduce((a, b) => a * b) }, () => 2 * next() - 1),
    }];
  }));
  const ours = await model.run(inputs);
  const tensors = Object.entries(inputs).map((
    [name, { data, shape }],
  ) => [name, new ort.Tensor("float32", data, shape)]);
  const theirs = await session.run(Object.fromEntries(tensors));
  return Math.max(
    ...Object.entries(theirs).flatMap(([name, { data }]) => {
      const { data: own } = ours[name]!;
      return Array.from(data as Float32Array, (value, i) => Math.abs(value - Number(own[i])));
    }),
  );
}

const context = await createContext();
const results: Record<string, number> = {};
for (const kind of ["RNN", "GRU", "LSTM"] as const) {
  for (let choice = 0; choice < 32; choice++) {
    const flag = (bit: number) => (choice >> bit & 1) === 1;
    const options = {
      kind,
      layers: flag(0) ? 2 : 1,
      bidirectional: flag(1),
      batchFirst: flag(2),
      bias: flag(3),
      initial: flag(4),
    };
    results[JSON.stringify(options)] = await difference(exported(options));
  }
}
for (const direction of ["forward", "reverse", "bidirectional"]) {
  results[`DynamicQuantizeLSTM, ${direction}`] = await difference(quantizedLstm(direction));
}
context.destroy();
console.log(JSON.stringify(results));
