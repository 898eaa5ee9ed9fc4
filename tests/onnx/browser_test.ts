/**
 * The importer's core in a browser: bundled for a page, it builds models with Chromium's WebNN, and gives the same
 * results as with this module.
 */
import { assert, assertEquals } from "@std/assert";
import { loadOnnx } from "@webnn/deno/onnx";
import { bundleImporter } from "../../support/importer_bundle.ts";
import { random } from "../../support/random.ts";
import { type ModelSpec, type NodeSpec, onnxFile, type TensorSpec } from "../support/onnx_writer.ts";

const FLAGS = ["--enable-features=WebMachineLearningNeuralNetwork", "--no-sandbox"];

const next = random(153);

function node(op: string, inputs: string, outputs: string, attributes: NodeSpec["attributes"] = {}): NodeSpec {
  const names = (text: string) => text.split(" ").map((name) => name === "_" ? "" : name);
  return { op, inputs: names(inputs), outputs: names(outputs), attributes };
}

function weights(name: string, ...shape: number[]): TensorSpec {
  const size = shape.reduce((product, length) => product * length, 1);
  return { name, type: "float32", shape, data: Float32Array.from({ length: size }, () => next() - 0.5) };
}

function ints(name: string, ...data: number[]): TensorSpec {
  return { name, type: "int64", shape: [data.length], data };
}

/** An image network, a recurrent one, and a block of a transformer. */
const MODELS: readonly { spec: ModelSpec; shape: number[] }[] = [
  {
    shape: [1, 3, 16, 16],
    spec: {
      nodes: [
        node("Conv", "x w b", "c", { pads: [1, 1, 1, 1], strides: [2, 2] }),
        node("BatchNormalization", "c scale shift mean variance", "n"),
        node("Relu", "n", "r"),
        node("MaxPool", "r", "p", { kernel_shape: [2, 2], strides: [2, 2] }),
        node("GlobalAveragePool", "p", "g"),
        node("Shape", "g", "s"),
        node("Slice", "s from to", "batch"),
        node("Concat", "batch minus", "flat", { axis: 0 }),
        node("Reshape", "g flat", "f"),
        node("Gemm", "f m _", "l", { transB: 1 }),
        node("Softmax", "l", "y"),
      ],
      inputs: [{ name: "x", shape: ["n", 3, 16, 16] }],
      outputs: [{ name: "y" }],
      initializers: [
        weights("w", 8, 3, 3, 3),
        weights("b", 8),
        weights("scale", 8),
        weights("shift", 8),
        weights("mean", 8),
        { name: "variance", type: "float32", shape: [8], data: new Float32Array(8).fill(0.7) },
        weights("m", 5, 8),
        ints("from", 0),
        ints("to", 1),
        ints("minus", -1),
      ],
    },
  },
  {
    shape: [5, 1, 6],
    spec: {
      nodes: [
        node("LSTM", "x w r b", "all hidden", { hidden_size: 4, direction: "bidirectional" }),
        node("Transpose", "all", "t", { perm: [0, 2, 1, 3] }),
        node("Reshape", "t shape", "f"),
        node("Tanh", "f", "y"),
      ],
      inputs: [{ name: "x", shape: [5, 1, 6] }],
      outputs: [{ name: "y" }],
      initializers: [weights("w", 2, 16, 6), weights("r", 2, 16, 4), weights("b", 2, 32), ints("shape", 5, 8)],
    },
  },
  {
    shape: [1, 7, 8],
    spec: {
      nodes: [
        node("LayerNormalization", "x scale shift", "n"),
        node("MatMul", "n q", "qs"),
        node("MatMul", "n k", "ks"),
        node("Transpose", "ks", "kt", { perm: [0, 2, 1] }),
        node("MatMul", "qs kt", "s"),
        node("Softmax", "s", "a", { axis: -1 }),
        node("MatMul", "a n", "v"),
        node("Add", "v x", "z"),
        node("Gelu", "z", "g"),
        node("Gather", "g index", "y", { axis: 1 }),
      ],
      inputs: [{ name: "x", shape: [1, "steps", 8] }],
      outputs: [{ name: "y" }],
      initializers: [
        weights("scale", 8),
        weights("shift", 8),
        weights("q", 8, 8),
        weights("k", 8, 8),
        ints("index", 0, 6),
      ],
    },
  },
];

/** A script for the page that loads a model and runs it on one input. */
function pageProgram(file: Uint8Array, shape: readonly number[], x: Float32Array): string {
  return `(async () => {
    const file = Uint8Array.from(${JSON.stringify([...file])});
    const context = await navigator.ml.createContext();
    const model = await onnx.loadModel({ context, MLGraphBuilder }, file, {});
    const x = Float32Array.from(${JSON.stringify([...x])});
    const { y } = await model.run({ x: { data: x, shape: ${JSON.stringify(shape)} } });
    model.dispose();
    context.destroy();
    return { data: [...y.data], shape: y.shape, dataType: y.dataType };
  })()`;
}

interface PageResult {
  readonly data: number[];
  readonly shape: number[];
  readonly dataType: string;
}

Deno.test("the core is bundled without any use of Deno, Node or npm", async () => {
  const text = await bundleImporter();
  assert(!/\bDeno\b|["'](node|npm):|\brequire\(/.test(text));
  assert(text.length > 50_000);
});

Deno.test({
  name: "three models give the same results on Chromium's WebNN" +
    (Deno.build.os === "linux" ? "" : " (skipped: the packaged Chromium is for Linux)"),
  ignore: Deno.build.os !== "linux",
  // The browser's driver leaves timers running.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    const [{ default: packaged }, { chromium }] = [
      await import("@sparticuz/chromium"),
      await import("playwright-core"),
    ];
    const browser = await chromium.launch({ executablePath: await packaged.executablePath(), args: FLAGS });
    try {
      const page = await browser.newPage();
      await page.route(
        "http://localhost/**",
        (route) => route.fulfill({ contentType: "text/html", body: "<!DOCTYPE html>" }),
      );
      await page.goto("http://localhost");
      await page.addScriptTag({ content: await bundleImporter() });
      for (const { spec, shape } of MODELS) {
        const file = onnxFile(spec);
        const x = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => next() - 0.5);
        using model = await loadOnnx(file);
        const { y } = await model.run({ x: { data: x, shape } });
        const found = await page.evaluate<PageResult>(pageProgram(file, shape, x));
        assertEquals([found.shape, found.dataType], [y!.shape, y!.dataType]);
        const expected = y!.data as Float32Array;
        const largest = expected.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
        const error = expected.reduce((max, value, i) => Math.max(max, Math.abs(value - found.data[i]!)), 0);
        assert(largest > 0 && error <= 1e-4 * largest, `${spec.nodes[0]!.op}: ${error} of ${largest}`);
      }
    } finally {
      await browser.close();
    }
  },
});
