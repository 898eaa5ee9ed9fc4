import { assert, assertEquals } from "@std/assert";
import { contextInfo, createContext } from "@webnn/deno";
import type { OnnxGraph } from "../../src/backends/onnxruntime/onnx.ts";
import { isReviewed, namesOf, OPTIMIZERS } from "../../src/backends/onnxruntime/optimizers.ts";
import { Float } from "../../src/backends/onnxruntime/onnx.ts";
import { graphOf, optimizedOperators } from "./optimized_model.ts";
import { OPTIMIZER_DOCS, optimizerDocs } from "./write_optimizer_docs.ts";

const LIST = new URL("./programs/list_transformers.ts", import.meta.url);
/** A transformer that applies a group of rules. It cannot be disabled by name, only its rules can. */
const GROUP = /^Level\d_RuleBasedTransformer$/;

Deno.test("the optimisers that run are those that the table lists as proven", async () => {
  const { stderr } = await new Deno.Command(Deno.execPath(), { args: ["run", "-A", LIST.href] }).output();
  const log = new TextDecoder().decode(stderr);
  const applied = [...log.matchAll(/Applying graph transformer (.+) on step 1/g)].map(([, name]) => name!);
  assert(applied.length > 0, log);
  const proven = OPTIMIZERS.filter(({ kind, verdict }) => kind === "transformer" && verdict === "proven");
  // ONNX Runtime uses blocks of channels (NCHWc) only on x64.
  const expected = proven.map(({ name }) => name).filter((name) =>
    Deno.build.arch === "x86_64" || name !== "NchwcTransformer"
  );
  assertEquals([...new Set(applied.filter((name) => !GROUP.test(name)))].sort(), expected.sort());
});

Deno.test("the table lists each optimiser once, with a reason", () => {
  const names = OPTIMIZERS.map(({ name }) => name);
  assertEquals(names.length, new Set(names).size);
  for (const { name, reason } of OPTIMIZERS) {
    assert(reason.length > 0, name);
    assert(!/[;,]/.test(name), `${name} contains a separator`);
  }
});

const DISABLED = "optimization.disable_specified_optimizers";

/** A disabled rule, a graph that it would change, and the graph's operators without the rule. */
interface Change {
  readonly rule: string;
  readonly graph: OnnxGraph;
  readonly without: readonly string[];
}

const BATCH_NORM = { "s[2]": [2], "b[2]": [1], "m[2]": [0.5], "v[2]": [4] };
const POOL = { kernel_shape: [2, 2], strides: [1, 1] };

/** An activation before a quantisation to uint8 that clamps to the same range. */
function beforeQuantization(activation: string): OnnxGraph {
  const graph = graphOf("x[2]", { "s[]": [1], "a[]": [0], "b[]": [255] }, [
    ["Exp", "x", "e"],
    activation === "Clip" ? ["Clip", "e a b", "c"] : [activation, "e", "c"],
    ["QuantizeLinear", "c s z", "q"],
    ["DequantizeLinear", "q s z", "y"],
  ], "y[2]");
  const zero = { name: "z", dataType: "uint8", shape: [], data: Uint8Array.of(0) } as const;
  return { ...graph, initializers: [...graph.initializers, zero] };
}

const CHANGES: readonly Change[] = [
  {
    rule: "ClipQuantRewrite",
    graph: beforeQuantization("Clip"),
    without: ["Clip", "DequantizeLinear", "Exp", "QuantizeLinear"],
  },
  {
    rule: "ReluQuantRewrite",
    graph: beforeQuantization("Relu"),
    without: ["DequantizeLinear", "Exp", "QuantizeLinear", "Relu"],
  },
  {
    rule: "EliminateDropout",
    graph: graphOf("x[2]", {}, [["Relu", "x", "r"], ["Dropout", "r", "d"], ["Exp", "d", "y"]], "y[2]"),
    without: ["Dropout", "Exp", "Relu"],
  },
  {
    rule: "NoopElimination",
    graph: graphOf("x[2]", { "c[]": [0] }, [["Exp", "x", "e"], ["Add", "e c", "s"], ["Abs", "s", "y"]], "y[2]"),
    without: ["Abs", "Add", "Exp"],
  },
  {
    rule: "DivMulFusion",
    graph: graphOf("x[2] z[2]", { "c[]": [1] }, [["Div", "c x", "d"], ["Mul", "d z", "m"], ["Abs", "m", "y"]], "y[2]"),
    without: ["Abs", "Div", "Mul"],
  },
  {
    rule: "FuseReluClip",
    graph: graphOf("x[2]", { "a[]": [-1], "b[]": [1] }, [["Relu", "x", "r"], ["Clip", "r a b", "y"]], "y[2]"),
    without: ["Clip", "Relu"],
  },
  {
    rule: "GemmSumFusion",
    graph: graphOf("x[2,2] z[2,2] c[2,2]", {}, [["Gemm", "x z", "g"], ["Sum", "g c", "y"]], "y[2,2]"),
    without: ["Gemm", "Sum"],
  },
  {
    rule: "ConvAddFusion",
    graph: graphOf("x[1,1,2,2]", { "w[2,1,1,1]": [2], "c[1,2,1,1]": [1, 3] }, [
      ["Conv", "x w", "y0", { kernel_shape: [1, 1] }],
      ["Add", "y0 c", "y"],
    ], "y[1,2,2,2]"),
    without: ["Add", "Conv"],
  },
  {
    rule: "ConvMulFusion",
    graph: graphOf("x[1,1,2,2]", { "w[2,1,1,1]": [2], "c[1,2,1,1]": [1, 3] }, [
      ["Conv", "x w", "y0", { kernel_shape: [1, 1] }],
      ["Mul", "y0 c", "y"],
    ], "y[1,2,2,2]"),
    without: ["Conv", "Mul"],
  },
  {
    rule: "ConvBNFusion",
    graph: graphOf("x[1,1,2,2]", { "w[2,1,1,1]": [2], ...BATCH_NORM }, [
      ["Conv", "x w", "c", { kernel_shape: [1, 1] }],
      ["BatchNormalization", "c s b m v", "y", { epsilon: new Float(0) }],
    ], "y[1,2,2,2]"),
    without: ["BatchNormalization", "Conv"],
  },
  {
    rule: "MatMul_BatchNormalization_Fusion",
    graph: graphOf("x[2,2]", { "w[2,2]": [2], ...BATCH_NORM }, [
      ["MatMul", "x w", "c"],
      ["BatchNormalization", "c s b m v", "y", { epsilon: new Float(0) }],
    ], "y[2,2]"),
    without: ["BatchNormalization", "MatMul"],
  },
  {
    rule: "Pad_Fusion",
    graph: {
      ...graphOf("x[1,1,2,2]", {}, [["Pad", "x pads", "p"], ["AveragePool", "p", "y", POOL]], "y[1,1,3,3]"),
      initializers: [{
        name: "pads",
        dataType: "int64",
        shape: [8],
        data: new Uint8Array(BigInt64Array.of(0n, 0n, 1n, 1n, 0n, 0n, 1n, 1n).buffer),
      }],
    },
    without: ["AveragePool", "Pad"],
  },
];

for (const { rule, graph, without } of CHANGES) {
  Deno.test(`${rule} is disabled, and would change the graph otherwise`, async () => {
    // NchwcTransformer would turn a normalisation into a convolution.
    const names = [...namesOf("disabled"), "NchwcTransformer"];
    const operators = await optimizedOperators(graph, { [DISABLED]: names.join(";") });
    assertEquals(operators, without);
    const others = names.filter((name) => name !== rule);
    const changed = await optimizedOperators(graph, { [DISABLED]: others.join(";") });
    assert(`${changed}` !== `${operators}`, `${rule} changes nothing`);
  });
}

Deno.test("docs/notes/optimizers.md is up to date (deno task docs:optimizers)", async () => {
  assertEquals(await Deno.readTextFile(OPTIMIZER_DOCS), optimizerDocs());
});

Deno.test("a version newer than the reviewed one is reported", async () => {
  assert(isReviewed("1.30.0") && isReviewed("1.24.1") && isReviewed("0.9"));
  assert(!isReviewed("1.31.0") && !isReviewed("2.0.0"));
  const context = await createContext({ device: "cpu" });
  assertEquals(contextInfo(context).optimizersReviewed, true);
  context.destroy();
});
