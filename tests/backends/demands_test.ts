/**
 * Every option that is a demand, on every engine and provider: an unsupported one is an error that names both. The
 * effect of a supported one is tested here, or in the file that the list names.
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { type ContextOptions, createContext, graphInfo, type MLContext, MLGraphBuilder } from "@webnn/deno";
import { join } from "node:path";
import type { OrtDevice } from "../../src/backends/onnxruntime/device.ts";
import { COMPILED, PLUGINS, UNKNOWN_PLUGIN } from "../../src/backends/onnxruntime/providers/rows.ts";
import { defaultThreads, openRuntime } from "../../src/backends/onnxruntime/runtime.ts";
import { createSessionOptions } from "../../src/backends/onnxruntime/session_options.ts";
import { openDevice } from "../../src/backends/select.ts";
import { type Demand, DEMANDS, describeUnmet, honouredBy, ownOptions } from "../../src/options.ts";
import { runChild } from "../../support/child.ts";
import { median } from "../../support/statistics.ts";
import { cpu, ggml, openvino, type TestDevice, testOn, webgpu } from "../support/devices.ts";
import { productError } from "../support/product_error.ts";
import { readSessionEntry } from "../support/session_entry.ts";

/** A non-default value of each option. */
const VALUES: Required<Pick<ContextOptions, Demand>> = {
  providerOptions: { precision: "low" },
  fallback: false,
  allowReducedPrecision: true,
  graphCapture: true,
  threads: 2,
  spinning: false,
  blockingLimit: 5,
  cacheDirectory: "/nowhere",
  cacheSizeLimit: 1000,
  profile: true,
};

const ALL = Object.keys(DEMANDS) as Demand[];

/** ggml under another name: an unknown plug-in. */
const abacusFolder = Deno.makeTempDirSync();
globalThis.addEventListener("unload", () => Deno.removeSync(abacusFolder, { recursive: true }));
const abacus: TestDevice = { name: "abacus", missing: ggml.missing, options: unknownPlugin() };

function unknownPlugin(): ContextOptions {
  if (ggml.missing !== undefined) return {};
  const path = join(abacusFolder, "libonnxruntime_abacus.so");
  Deno.copyFileSync(ggml.options.plugins![0]!, path);
  return { provider: "abacus", plugins: [path] };
}

/** Engines that reject demands before they are opened, so they need not be available. */
const coreml: TestDevice = { name: "coreml", options: { backend: "coreml" }, missing: undefined };
/** Providers in ONNX Runtime for Linux and Windows. Demands are rejected before a GPU is searched. */
const nvidia = ["cuda", "tensorrt"].map((name): TestDevice => ({
  name,
  options: { provider: name },
  missing: Deno.build.os === "darwin" ? "not in ONNX Runtime for macOS" : undefined,
}));

const rowOf = (name: string) => [...COMPILED, ...PLUGINS].find((row) => row.name === name) ?? UNKNOWN_PLUGIN;

/** The demands that each engine supports. ONNX Runtime's Core ML provider can be opened only on macOS. */
const ENGINES: readonly { device: TestDevice; honours: readonly Demand[] }[] = [
  { device: cpu, honours: honouredBy("cpu") },
  { device: coreml, honours: honouredBy("coreml") },
  ...[webgpu, openvino, ggml, abacus, ...nvidia].map((device) => ({ device, honours: rowOf(device.name).honours })),
];

/* -- Unsupported options ----------------------------------------------------------------------------------------------- */

for (const { device, honours } of ENGINES) {
  testOn(device, "an unsupported option is an error that names the option and the provider", async () => {
    for (const demand of ALL.filter((demand) => !honours.includes(demand))) {
      const open = () => createContext({ ...device.options, [demand]: VALUES[demand] });
      const error = await assertRejects(open, DOMException, `${device.name} does not support the option ${demand};`);
      assertEquals(error.name, "NotSupportedError");
    }
  });
}

Deno.test("an option that ONNX Runtime's provider for Core ML does not support is an error that names both", () => {
  const { honours } = rowOf("coreml");
  for (const demand of ALL) {
    const unmet = describeUnmet("coreml", honours, ownOptions({ [demand]: VALUES[demand] }, "options"));
    assertEquals(
      unmet?.startsWith(`coreml does not support the option ${demand};`) ?? false,
      !honours.includes(demand),
    );
  }
});

Deno.test("several unsupported options are named together, and defaults are accepted", async () => {
  const open = () => createContext({ graphCapture: true, providerOptions: { a: "b" } });
  await assertRejects(
    open,
    DOMException,
    "the provider cpu does not support the options providerOptions, graphCapture;",
  );
  const defaults = { graphCapture: false, fallback: true, allowReducedPrecision: false };
  await using context = await createContext({
    ...webgpu.missing ? {} : webgpu.options,
    ...defaults,
    cacheDirectory: "",
  });
  assert(context);
});

Deno.test("hints skip a provider that does not support an option", async () => {
  await using context = await createContext({ powerPreference: "high-performance", cacheDirectory: "/nowhere" });
  assertEquals(context.accelerated, false);
});

/* -- Supported options ---------------------------------------------------------------------------------------------- */

type Observation = ((device: TestDevice) => void | Promise<void>) | { readonly elsewhere: string };

const OPTIONS_ONLY: Observation = {
  elsewhere: "providers_test.ts checks the provider's options; the rest needs hardware",
};
const AS_ON_WEBGPU: Observation = {
  elsewhere: "the same code for all providers, tested on webgpu; the rest needs hardware",
};
const ON_FAKE: Observation = { elsewhere: "on a fake Core ML: tests/coreml/programs/select.ts" };

/** How to test the effect of each option that an engine supports. */
const OBSERVATIONS: Readonly<Record<string, Partial<Record<Demand, Observation>>>> = {
  cpu: {
    fallback: needsNoFallback,
    allowReducedPrecision: changesAccuracyLevel,
    threads: countsWorkers,
    spinning: changesSpinning,
    blockingLimit: keepsThreadFree,
    cacheDirectory: storesGraphs,
    cacheSizeLimit: storesNothing,
    profile: { elsewhere: "tests/api/graph_profile_test.ts" },
  },
  coreml: { fallback: ON_FAKE, allowReducedPrecision: ON_FAKE, cacheDirectory: ON_FAKE, cacheSizeLimit: ON_FAKE },
  webgpu: {
    providerOptions: forcesNodes,
    fallback: (device) => refusesGraph(device, (builder, x) => builder.roundEven(builder.matmul(x, x))),
    allowReducedPrecision: changesAccuracyLevel,
    graphCapture: capturesWholeGraphs,
    threads: sizesPool,
    spinning: changesSpinning,
  },
  openvino: {
    providerOptions: limitsThreadsItself,
    fallback: (device) => refusesGraph(device, (builder, x) => builder.sign(x)),
    allowReducedPrecision: OPTIONS_ONLY, // It needs a processor with bfloat16.
    threads: countsWorkers,
    cacheDirectory: storesGraphs,
  },
  ggml: {
    providerOptions: roundsWeights({ providerOptions: { weights: "f16" } }),
    fallback: (device) => refusesGraph(device, (builder, x) => builder.triangular(x)),
    allowReducedPrecision: roundsWeights({ allowReducedPrecision: true }),
    threads: countsWorkers,
  },
  abacus: {
    providerOptions: widensWeights,
    fallback: (device) => refusesGraph(device, (builder, x) => builder.triangular(x)),
  },
  cuda: {
    providerOptions: OPTIONS_ONLY,
    fallback: AS_ON_WEBGPU,
    allowReducedPrecision: OPTIONS_ONLY,
    graphCapture: AS_ON_WEBGPU,
    threads: AS_ON_WEBGPU,
    spinning: AS_ON_WEBGPU,
  },
  tensorrt: {
    providerOptions: OPTIONS_ONLY,
    fallback: AS_ON_WEBGPU,
    allowReducedPrecision: OPTIONS_ONLY,
    threads: AS_ON_WEBGPU,
    spinning: AS_ON_WEBGPU,
    cacheDirectory: OPTIONS_ONLY,
  },
};

/** Whether the threads of a process can be counted. */
const HAS_PROC = Deno.build.os === "linux";
const COUNT_THREADS: readonly Observation[] = [countsWorkers, limitsThreadsItself, sizesPool];

for (const { device, honours } of ENGINES) {
  Deno.test(`${device.name}: the effect of each supported option is observed`, () => {
    assertEquals(Object.keys(OBSERVATIONS[device.name]!).toSorted(), honours.toSorted());
  });
  for (const demand of honours) {
    const observe = OBSERVATIONS[device.name]?.[demand];
    if (typeof observe !== "function") continue;
    const missing = device.missing ??
      (COUNT_THREADS.includes(observe) && !HAS_PROC ? "threads are counted in /proc" : undefined);
    testOn({ ...device, missing }, `${demand} has an effect`, () => observe(device));
  }
}

/* -- Fallback and placement ---------------------------------------------------------------------------------------- */

type Body = (builder: MLGraphBuilder, x: ReturnType<MLGraphBuilder["input"]>) => ReturnType<MLGraphBuilder["relu"]>;

function build(context: MLContext, body: Body) {
  const builder = new MLGraphBuilder(context);
  return builder.build({ y: body(builder, builder.input("x", { dataType: "float32", shape: [4, 4] })) });
}

async function withContext<T>(options: ContextOptions, use: (context: MLContext) => Promise<T>): Promise<T> {
  await using context = await createContext(options);
  return await use(context);
}

/** The CPU never needs a fallback. */
function needsNoFallback({ options }: TestDevice): Promise<void> {
  return withContext({ ...options, fallback: false }, async (context) => {
    const graph = await build(context, (builder, x) => builder.sign(builder.triangular(builder.roundEven(x))));
    const { devices, elsewhere } = graphInfo(graph);
    assertEquals([devices, elsewhere], [["cpu"], []]);
  });
}

async function refusesGraph(device: TestDevice, body: Body): Promise<void> {
  await withContext(device.options, async (context) => {
    assert(graphInfo(await build(context, body)).elsewhere.length > 0);
  });
  await withContext({ ...device.options, fallback: false }, async (context) => {
    await assertRejects(() => build(context, body), DOMException, `${device.name} does not support`);
  });
}

function forcesNodes({ options }: TestDevice): Promise<void> {
  return withContext({ ...options, providerOptions: { forceCpuNodeNames: "relu #1" } }, async (context) => {
    const graph = await build(context, (builder, x) => builder.relu(builder.matmul(x, x)));
    assertEquals(graphInfo(graph).elsewhere.map(({ node }) => node), ["relu #1"]);
  });
}

/** Work on the CPU cannot be captured, so building fails, although there is a fallback. */
async function capturesWholeGraphs({ options }: TestDevice): Promise<void> {
  const body: Body = (builder, x) => builder.roundEven(builder.matmul(x, x));
  await withContext(options, (context) => build(context, body));
  await withContext({ ...options, graphCapture: true }, async (context) => {
    await assertRejects(() => build(context, body), DOMException);
    await build(context, (builder, x) => builder.matmul(x, x));
  });
}

/* -- Sessions ------------------------------------------------------------------------------------------------------ */

/** A session option of a context with these options, read back from the engine. */
async function sessionEntry(options: ContextOptions, key: string): Promise<string | undefined> {
  const device = await openDevice(ownOptions(options, "options")) as OrtDevice;
  const { accelerator, runtime, settings } = device;
  const session = accelerator?.createSessionOptions() ?? createSessionOptions(runtime, settings);
  try {
    return readSessionEntry(runtime.path, session, key);
  } finally {
    runtime.api.ReleaseSessionOptions(session);
    device.close();
  }
}

async function changesAccuracyLevel({ options }: TestDevice): Promise<void> {
  const level = (allowReducedPrecision: boolean) =>
    sessionEntry({ ...options, allowReducedPrecision }, "session.qdq_matmulnbits_accuracy_level");
  assertEquals([await level(false), await level(true)], ["0", "4"]);
}

async function changesSpinning({ options }: TestDevice): Promise<void> {
  const spins = (spinning: boolean) => sessionEntry({ ...options, spinning }, "session.intra_op.allow_spinning");
  assertEquals([await spins(true), await spins(false)], [undefined, "0"]);
}

/* -- Threads ------------------------------------------------------------------------------------------------------- */

/** How many threads a process has at most that computes a chain of products. */
async function countThreads(options: ContextOptions, products = 100, size = 384): Promise<number> {
  const program = new URL("programs/count_threads.ts", import.meta.url);
  const { code, stderr, stdout } = await runChild(program, [JSON.stringify(options), `${products}`, `${size}`], ["-A"]);
  assertEquals(code, 0, stderr);
  return Number(stdout.split("\n").at(-1));
}

/** How many more threads there are with `many` than with `few`: the median of three, because Deno's own also vary. */
async function addedThreads(few: ContextOptions, many: ContextOptions): Promise<number> {
  const differences: number[] = [];
  for (let i = 0; i < 3; i++) differences.push(await countThreads(many) - await countThreads(few));
  return median(differences);
}

async function countsWorkers({ options }: TestDevice): Promise<void> {
  assert(await addedThreads({ ...options, threads: 1 }, { ...options, threads: 2 }) > 0);
}

async function limitsThreadsItself({ options }: TestDevice): Promise<void> {
  const providerOptions = { load_config: JSON.stringify({ CPU: { INFERENCE_NUM_THREADS: 1 } }) };
  assert(await addedThreads({ ...options, threads: 2, providerOptions }, { ...options, threads: 2 }) > 0);
}

/** The pool for the GPU's work on the CPU. A software rasteriser has threads of its own. */
async function sizesPool({ options }: TestDevice): Promise<void> {
  const [few, many] = [
    await countThreads({ ...options, threads: 2 }, 1, 16),
    await countThreads({ ...options, threads: 12 }, 1, 16),
  ];
  const more = many - few; // Deno may also start or end threads.
  assert(more >= 7 && more <= 13, `${more} more threads, not 10`);
}

/** A run of a tiny graph is synchronous, unless no run may block. */
async function keepsThreadFree({ options }: TestDevice): Promise<void> {
  assertEquals([await nonblockingRuns(options), await nonblockingRuns({ ...options, blockingLimit: 0 })], [0, 1]);
}

/** How many of a graph's runs, of which there is one, are nonblocking calls. */
function nonblockingRuns(options: ContextOptions): Promise<number> {
  return withContext(options, async (context) => {
    const graph = await build(context, (builder, x) => builder.relu(x));
    const descriptor = { dataType: "float32", shape: [4, 4] } as const;
    const x = await context.createTensor(descriptor);
    const y = await context.createTensor({ ...descriptor, readable: true });
    const runtime = await openRuntime(undefined, defaultThreads());
    const { api } = runtime;
    let calls = 0;
    const RunWithBindingAsync: typeof api.RunWithBindingAsync = (...given) => {
      calls++;
      return api.RunWithBindingAsync(...given);
    };
    Object.assign(runtime, { api: { ...api, RunWithBindingAsync } });
    try {
      context.dispatch(graph, { x }, { y });
      await context.readTensor(y);
    } finally {
      Object.assign(runtime, { api });
    }
    return calls;
  });
}

/* -- The cache ----------------------------------------------------------------------------------------------------- */

/** How many files graphs add to the folder. Providers also store the graphs with which they are tested before use. */
async function filesOf(options: ContextOptions, graphs: readonly Body[]): Promise<number> {
  const cacheDirectory = await Deno.makeTempDir();
  const count = () => [...Deno.readDirSync(cacheDirectory)].length;
  try {
    let before = 0;
    await withContext({ ...options, cacheDirectory }, async (context) => {
      before = count();
      for (const body of graphs) (await build(context, body)).destroy();
    });
    return count() - before;
  } finally {
    await Deno.remove(cacheDirectory, { recursive: true });
  }
}

const TWO_GRAPHS: readonly Body[] = [(builder, x) => builder.relu(x), (builder, x) => builder.tanh(x)];

async function storesGraphs({ options }: TestDevice): Promise<void> {
  assertEquals(await filesOf(options, TWO_GRAPHS), 2);
}

async function storesNothing({ options }: TestDevice): Promise<void> {
  assertEquals(await filesOf({ ...options, cacheSizeLimit: 0 }, TWO_GRAPHS), 0);
}

/* -- Precision ----------------------------------------------------------------------------------------------------- */

const weightError = (options: ContextOptions) => withContext(options, (context) => productError(context, true));

/** With these options, weights are float16; otherwise, float32. */
function roundsWeights(options: ContextOptions): (device: TestDevice) => Promise<void> {
  return async (device) => {
    const errors = [await weightError(device.options), await weightError({ ...device.options, ...options })];
    assert(errors[0]! < 1e-6 && errors[1]! > 1e-5, `${errors}`);
  };
}

/** An unknown plug-in gets no precision options except those of the program. */
async function widensWeights({ options }: TestDevice): Promise<void> {
  const errors = [await weightError(options), await weightError({ ...options, providerOptions: { weights: "f32" } })];
  assert(errors[0]! > 1e-5 && errors[1]! < 1e-6, `${errors}`);
}
