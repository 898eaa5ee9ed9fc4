/**
 * Measures what this module adds to a run: dispatch and read, compared with bare calls of the same session. See --help.
 *
 * @module
 */
import "@webnn/deno/polyfill";
import { cString } from "../ffi/memory.ts";
import { createMLContext } from "../src/api/ml_context.ts";
import type { OrtDevice } from "../src/backends/onnxruntime/device.ts";
import type { OrtExecutable } from "../src/backends/onnxruntime/executable.ts";
import { openCpu } from "../src/backends/onnxruntime/mod.ts";
import { OrtTensor } from "../src/backends/onnxruntime/tensor.ts";
import type { NamedValue } from "../src/graph/graph.ts";
import { ownOptions } from "../src/options.ts";
import { namesIn, positiveInteger, runProgram } from "../support/program.ts";
import { spreadOf } from "../support/statistics.ts";
import { table } from "./report/figures.ts";
import type { Suite } from "./support/suite.ts";
import { loadSuite, suites } from "./support/suites.ts";

const HELP = `Measures how much time this module adds to a run. Prints Markdown.

Usage: deno task bench:dispatches [options]

  --suite NAME,...  graphs (trivial,simple,conv-block,squeezenet,mobilenetv2)
  --rounds N        runs of each kind, in turn (200)
  --help            print this text

Each graph has one session with one thread. It runs on the event loop's thread, in a nonblocking call, and by
dispatch() and readTensor(); each run ends with one copy of the output. "added" is the time of this module minus that of
the nonblocking call in the same round. It is negative for short graphs that the module runs on the event loop's thread.
Numbers are medians in microseconds, with the range of the middle half in parentheses.`;

const OPTIONS = {
  string: ["suite", "rounds"],
  default: { suite: "trivial,simple,conv-block,squeezenet,mobilenetv2", rounds: "200" },
} as const;

/** The number of first runs that do not count: in them, the module measures the graph and V8 compiles the code. */
const WARM_UP = 50;

/** One run, with a copy of the output. */
type Run = () => void | Promise<unknown>;

/** The kinds of runs, in the order of the table. */
interface Runs {
  readonly loop: Run;
  readonly nonblocking: Run;
  readonly own: Run;
  /** Whether the module runs the graph on the loop's thread. */
  isInline(): Promise<boolean>;
}

await runProgram("bench:dispatches", HELP, OPTIONS, async ({ suite, rounds }) => {
  const [names, count] = [
    namesIn(suite, suites.map(({ name }) => name), "--suite"),
    positiveInteger(rounds, "--rounds"),
  ];
  for (const { name, missing } of suites) if (names.includes(name) && missing) throw new Error(missing);
  const rows: string[][] = [];
  for (const name of names) rows.push(await measure(await loadSuite(name), count));
  console.log(table(["graph", "on the loop's thread", "nonblocking", "this module", "added"], rows));
});

/** A row of the table. */
async function measure(suite: Suite, rounds: number): Promise<string[]> {
  const device = await openCpu(ownOptions({ threads: 1 }, "options")) as OrtDevice;
  const context = createMLContext(device);
  const { isInline, ...runs } = await createRuns(context, device, suite);
  const times: Record<keyof typeof runs, number[]> = { loop: [], nonblocking: [], own: [] };
  for (let round = -WARM_UP; round < rounds; round++) {
    for (const kind of ["loop", "nonblocking", "own"] as const) {
      await runs[kind]();
      const began = performance.now();
      await runs[kind]();
      if (round >= 0) times[kind].push(1000 * (performance.now() - began));
    }
  }
  const bare = await isInline() ? times.loop : times.nonblocking;
  context.destroy();
  const added = times.own.map((time, i) => time - bare[i]!);
  return [suite.name, ...[times.loop, times.nonblocking, times.own, added].map(describe)];
}

function describe(microseconds: readonly number[]): string {
  const { median, p25, p75 } = spreadOf(microseconds);
  return `${median.toFixed(1)} (${p25.toFixed(1)} – ${p75.toFixed(1)})`;
}

/** All runs use one session. */
async function createRuns(context: MLContext, device: OrtDevice, suite: Suite): Promise<Runs> {
  let ports: { inputs: readonly NamedValue[]; outputs: readonly NamedValue[] } = { inputs: [], outputs: [] };
  const compile = device.compile.bind(device);
  const compiled = Promise.withResolvers<OrtExecutable>();
  device.compile = async (graph) => {
    ports = graph;
    const executable = await compile(graph) as OrtExecutable;
    compiled.resolve(executable);
    return executable;
  };
  const { graph, ...shapes } = await suite.build(context);
  const tensors = await createTensors(context, shapes.inputs, { writable: true });
  const results = await createTensors(context, shapes.outputs, { readable: true });
  for (const [name, tensor] of Object.entries(tensors)) context.writeTensor(tensor, suite.inputs[name]!);
  const buffer = new Float32Array(shapes.outputs[suite.output]!.reduce((product, size) => product * size, 1));
  const own: Run = () => {
    context.dispatch(graph, tensors, results);
    return context.readTensor(results[suite.output]!, buffer);
  };
  const bare = await createBareRuns(device, await compiled.promise, ports, suite, buffer);
  for (const run of [bare.loop, bare.nonblocking, own]) {
    buffer.fill(NaN);
    await run();
    suite.check(buffer);
  }
  return { ...bare, own };
}

/** Runs of a session without this module's API. */
async function createBareRuns(
  { runtime }: OrtDevice,
  executable: OrtExecutable,
  { inputs, outputs }: { readonly inputs: readonly NamedValue[]; readonly outputs: readonly NamedValue[] },
  suite: Suite,
  buffer: Float32Array,
): Promise<Omit<Runs, "own">> {
  const { api } = runtime;
  const { session, settings } = executable;
  const create = (values: readonly NamedValue[]) =>
    Promise.all(values.map(({ value }) => OrtTensor.create(runtime, value)));
  const [given, computed] = [await create(inputs), await create(outputs)];
  inputs.forEach(({ name }, i) => given[i]!.write(bytesOf(suite.inputs[name]!)));
  const binding = api.CreateIoBinding(session.pointer);
  given.forEach(({ value }, i) => api.BindInput(binding, cString(settings.signature.inputs[i]!), value));
  computed.forEach(({ value }, i) => api.BindOutput(binding, cString(settings.signature.outputs[i]!), value));
  const output = computed[outputs.findIndex(({ name }) => name === suite.output)]!;
  const bytes = bytesOf(buffer);
  return {
    loop() {
      api.RunWithBinding(session.pointer, null, binding);
      bytes.set(output.read());
    },
    async nonblocking() {
      await api.RunWithBindingAsync(session.pointer, null, binding);
      bytes.set(output.read());
    },
    async isInline() {
      const pending = executable.run(given, computed);
      await pending;
      return pending === undefined;
    },
  };
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

async function createTensors(
  context: MLContext,
  shapes: Readonly<Record<string, readonly number[]>>,
  usage: { readonly readable?: boolean; readonly writable?: boolean },
): Promise<Record<string, MLTensor>> {
  const tensors: Record<string, MLTensor> = {};
  for (const [name, shape] of Object.entries(shapes)) {
    tensors[name] = await context.createTensor({ dataType: "float32", shape: [...shape], ...usage });
  }
  return tensors;
}
