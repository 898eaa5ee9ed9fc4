import { createContext, devices } from "@webnn/deno";
import { BACKENDS, compareBackends } from "../bench/backends.ts";
import { BENCHMARKS } from "../bench/workloads.ts";
import { type Entry, measure, type Row } from "../bench/measure.ts";
import { encodeTensor, type EngineName } from "../bench/protocol.ts";
import { command, onlyArgument, positiveInteger, type Result } from "../command.ts";
import { UsageError } from "../errors.ts";
import { INPUT_OPTIONS, type InputOptions, type Inputs, readInputs } from "../inputs/read.ts";
import { openModel } from "../model/load.ts";
import { dimensionsOf, type Shapes } from "../shapes.ts";
import { workOf } from "../model/work.ts";
import { MODEL_HELP } from "../model/module.ts";
import { bytes, table } from "../table.ts";
import { styled, type Terminal } from "../terminal.ts";
import type { ModelPort } from "@webnn/deno/onnx";

/** The values of `--against`. */
const OTHERS: readonly EngineName[] = ["onnxruntime-node"];

/** `webnn bench`. */
export const benchCommand = command({
  name: "bench",
  summary: "Measures the speed of a model on each device, and recommends one",
  usage: "[MODEL]",
  help: `${MODEL_HELP}
Each device runs in its own process, and the processes take turns. Times are in milliseconds and include writing the
inputs and reading the outputs: load (reading the file and building the graph), first (the first run), median (of all
later runs), p25 and p75 (half of the runs lie between them). error is the largest difference from the outputs of the
first row, relative to their largest element. Without MODEL, --backend and --benchmark compare backends on built-in
graphs; each backend has 20 s per benchmark, and is killed after 60 s.`,
  options: {
    device: {
      kind: "text",
      value: "NAME,...",
      help: "cpu, gpu, npu, all, or providers that webnn devices lists (cpu)",
    },
    threads: {
      kind: "text",
      value: "N,...",
      help: "numbers of CPU threads to measure (one thread per core)",
    },
    against: { kind: "text", value: "ENGINE", help: `another engine to compare with: ${OTHERS.join(", ")}` },
    backend: { kind: "text", value: "NAME,...", help: `backends to compare: ${BACKENDS.join(", ")}, all (all)` },
    benchmark: { kind: "text", value: "NAME,...", help: `benchmarks to run: ${BENCHMARKS.join(", ")}, all (all)` },
    ...INPUT_OPTIONS,
  },
  async run(invocation): Promise<Result> {
    const { terminal, options } = invocation;
    if (options.backend !== undefined || options.benchmark !== undefined) {
      if (invocation.args.length > 0) throw new UsageError("--backend and --benchmark take no MODEL; use --device");
      const backends = namesIn(options.backend, BACKENDS, "--backend");
      return await compareBackends(terminal, backends, namesIn(options.benchmark, BENCHMARKS, "--benchmark"));
    }
    const path = onlyArgument(invocation, "MODEL");
    const threads = options.threads?.split(",").map((text) => positiveInteger(text, "--threads")) ?? [undefined];
    const against = options.against?.split(",").map(otherEngine) ?? [];
    const names = await deviceNames(options.device);
    terminal.progress(`reading ${path} ...`);
    const { ports, inputs, shapes, multiplyAdds } = await prepare(path, options);
    const shared = {
      model: path,
      dimensions: dimensionsOf(ports, shapes),
      inputs: Object.fromEntries(ports.map(({ name, dataType }) => [name, encodeTensor(dataType, inputs[name]!)])),
    };
    const entries = threads.flatMap((count): Entry[] => [
      ...names.map((device) => ({ device, job: { ...shared, engine: "webnn" as const, device, threads: count } })),
      ...against.map((engine) => ({ device: engine, job: { ...shared, engine, threads: count } })),
    ]);
    return report(terminal, path, await measure(entries, multiplyAdds, terminal));
  },
});

/** Parses a list of names; the result is in the order of `names`. */
function namesIn<Name extends string>(list = "all", names: readonly Name[], option: string): readonly Name[] {
  const chosen = list.split(",");
  const unknown = chosen.find((name) => name !== "all" && !names.some((known) => known === name));
  if (unknown !== undefined) {
    throw new UsageError(`${option} accepts ${names.join(", ")}, all; not ${JSON.stringify(unknown)}`);
  }
  return chosen.includes("all") ? names : names.filter((name) => chosen.includes(name));
}

function otherEngine(name: string): EngineName {
  const found = OTHERS.find((other) => other === name);
  if (found === undefined) {
    throw new UsageError(`--against accepts ${OTHERS.join(", ")}; not ${JSON.stringify(name)}`);
  }
  return found;
}

async function deviceNames(option = "cpu"): Promise<readonly string[]> {
  if (option !== "all") return option.split(",");
  const available = (await devices()).filter((entry) => entry.available);
  return [...new Set(available.map(({ backend, provider }) => backend === "coreml" ? backend : provider))];
}

/** What the measurement needs to know about a model. */
interface Prepared {
  readonly ports: readonly ModelPort[];
  readonly inputs: Inputs;
  readonly shapes: Shapes;
  /** Per run; undefined if they cannot be counted because the graph depends on the elements of inputs. */
  readonly multiplyAdds: number | undefined;
}

async function prepare(path: string, options: InputOptions): Promise<Prepared> {
  const context = await createContext();
  try {
    const { inputs: ports } = await openModel(path, context);
    const inputs = await readInputs(ports, options);
    const shapes = new Map(Object.entries(inputs).map(([name, { shape }]) => [name, shape]));
    const work = await workOf(path, context, options, true).catch(() => undefined);
    return { ports, inputs, shapes, multiplyAdds: work?.multiplyAdds };
  } finally {
    context.destroy();
  }
}

function report(terminal: Terminal, model: string, rows: readonly Row[]): Result {
  const best = rows.filter((row) => row.median !== undefined && row.device !== "onnxruntime-node")
    .toSorted((a, b) => a.median! - b.median!)[0];
  const advice = best === undefined ? "no device can run this model" : adviceFor(best, rows);
  const choice = best && { device: best.device, threads: best.threads };
  const data = { model, median: best?.median ?? null, recommended: choice ?? null, results: rows };
  const [only, ...others] = rows;
  if (others.length === 0) {
    return only!.failed === undefined
      ? { data, text: rowTable(terminal, rows) }
      : { data, text: "", failure: `${nameOf(only!)}: ${only!.failed}` };
  }
  const failed = rows.filter(({ failed }) => failed !== undefined).map(nameOf);
  return {
    data,
    text: `${rowTable(terminal, rows)}\n\n${styled(terminal, "bold", advice)}`,
    // The table has the reasons.
    ...failed.length > 0 ? { failure: `failed: ${failed.join(", ")}` } : {},
  };
}

function adviceFor(best: Row, rows: readonly Row[]): string {
  const others = rows.filter((row) => row !== best && row.median !== undefined);
  const factors = others.map((row) =>
    `${nameOf(row)} takes ${(row.median! / best.median!).toPrecision(3)} times as long`
  );
  return [`Choose ${nameOf(best)}`, ...factors].join("; ");
}

function nameOf({ device, threads }: Row): string {
  return threads === undefined ? device : `${device} with ${threads} thread${threads === 1 ? "" : "s"}`;
}

function rowTable(terminal: Terminal, rows: readonly Row[]): string {
  const right = (title: string) => ({ title, align: "right" }) as const;
  const titles = ["load", "first", "median", "p25", "p75", "runs/s", "GFLOP/s", "memory", "error"];
  return table(terminal, ["device", right("threads"), "engine", ...titles.map(right)], rows.map(cells));
}

function cells(row: Row): string[] {
  const { device, threads = "default", engine = "", failed } = row;
  if (failed !== undefined) return [device, String(threads), `failed: ${failed}`, ...Array(9).fill("")];
  const { load, first, median, p25, p75, ops, gflops, memory, error } = row;
  const times = [load, first, median, p25, p75].map((time) => milliseconds(time!));
  return [
    device,
    String(threads),
    engine,
    ...times,
    ops! < 10 ? ops!.toFixed(2) : ops!.toFixed(0),
    gflops?.toPrecision(3) ?? "-",
    bytes(memory!),
    error === 0 ? "0" : error!.toExponential(1),
  ];
}

function milliseconds(time: number): string {
  return time < 10 ? time.toFixed(3) : time.toFixed(1);
}
