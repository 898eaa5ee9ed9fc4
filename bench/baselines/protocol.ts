/**
 * The protocol between the report and a contestant: a process that runs one suite on one engine.
 *
 * A contestant is started with the arguments `SUITE THREADS DEVICE FOLDER`. The device is `cpu`, or another one that
 * the contestant supports. The folder contains the suite in two forms: `model.onnx` for ONNX Runtime, and `graph.json`
 * with constants in `weights.bin` for WebNN (see report/graph_file.ts). It also has the inputs, in the same order for
 * both: `input_0.bin` and so on. All data is float32, little-endian. A contestant with its own builder may build the
 * suite by its name instead, and use that suite's inputs.
 *
 * First it prints one line to standard output, `{"engine": "ONNX Runtime 1.30.0"}`, which may have the other members of
 * {@linkcode Greeting}. Then it reads commands from standard input, one per line, and answers each with a line of JSON:
 *
 * | command | answer | meaning |
 * | --- | --- | --- |
 * | `build` | `{"milliseconds": 31.5}` | releases its graph (not timed) and builds it again |
 * | `cached` | `{"milliseconds": 10.5}` | like `build`, with a cache of compiled graphs, which the first `cached` fills |
 * | `run 20` | `{"milliseconds": 2.41}` | runs 20 times; each time waits for the first output and copies it to the same buffer; returns the mean |
 * | `fresh 20` | `{"milliseconds": 2.61}` | like `run`, but each output is in a new buffer |
 * | `pipeline 20` | `{"milliseconds": 2.40}` | runs 20 times, waits between runs only if that is faster, and reads once at the end; returns the mean |
 * | `write 20` | `{"milliseconds": 0.02}` | copies the first input to its tensor 20 times; returns the mean |
 * | `read 20` | `{"milliseconds": 0.02}` | copies the first output to the same buffer 20 times; returns the mean |
 * | `output PATH` | `{}` | writes that buffer to a file |
 * | `open SUITE FOLDER` | `{}` | switches to another suite, with the same threads and device |
 *
 * `write`, `read` and `open` are only for contestants whose greeting has them. `build` comes first, also after `open`;
 * creating tensors and buffers afterwards is not timed. The contestant ends when its standard
 * input ends. If anything fails, it prints the reason to standard error and exits with a non-zero status. Standard
 * output is only for the protocol.
 *
 * @module
 */

/** The arguments of a contestant. */
export interface Job {
  readonly suite: string;
  readonly threads: number;
  readonly device: string;
  readonly folder: string;
}

/** The first line of a contestant. */
export interface Greeting {
  /** The engine and its version. */
  readonly engine: string;
  /** Whether it supports the command `cached`. */
  readonly cached?: boolean;
  /** Whether it supports the command `fresh`. */
  readonly fresh?: boolean;
  /** Whether the engine runs in other processes, so that its memory is unknown. */
  readonly elsewhere?: boolean;
  /** Whether it supports the commands `write`, `read` and `open`. */
  readonly transfers?: boolean;
  readonly opens?: boolean;
}

/** The answer to a timed command. */
export interface Timing {
  /** The time of one build or run. */
  readonly milliseconds: number;
}

/** Executes the commands. Times are in milliseconds, per build or run. */
export interface Worker {
  /** Builds the graph. */
  build(): Promise<number>;
  /** Builds the graph with a cache, if there is one. Such graphs are not run. */
  readonly cached?: (() => Promise<number>) | undefined;
  /** As in the greeting. */
  readonly elsewhere?: boolean;
  /** Creates what runs need besides the graph. Called once, after the first build. */
  prepare(): Promise<void>;
  /** Releases the graph. */
  release(): void | Promise<void>;
  run(count: number): Promise<number>;
  readonly fresh?: ((count: number) => Promise<number>) | undefined;
  pipeline(count: number): Promise<number>;
  /** Copies the first input to its tensor. */
  readonly write?: ((count: number) => Promise<number>) | undefined;
  /** Copies the first output to the buffer. */
  readonly read?: ((count: number) => Promise<number>) | undefined;
  /** A worker for another suite, in place of this one. */
  readonly open?: ((suite: string, folder: string) => Promise<Worker>) | undefined;
  /** The bytes of the buffer that `run` and `pipeline` read to. */
  output(): Uint8Array | Promise<Uint8Array>;
}

/** An engine in this process. {@linkcode timed} makes it a worker. */
export interface Engine {
  build(): Promise<void>;
  readonly cached?: () => Promise<void>;
  prepare(): Promise<void>;
  release(): void | Promise<void>;
  /** Runs once, and reads the first output to the buffer. */
  run(): Promise<unknown>;
  /** Runs once, and reads the first output to a new buffer, if that is supported. */
  readonly fresh?: () => Promise<unknown>;
  /** Runs `count` times as fast as it can, and reads the last output to the buffer. */
  pipeline(count: number): Promise<unknown>;
  /** Copies the first input to its tensor `count` times. */
  readonly write?: (count: number) => Promise<unknown>;
  /** Copies the first output to the buffer. */
  readonly read?: () => Promise<unknown>;
  output(): Float32Array<ArrayBuffer>;
}

/** The job of this process, from its arguments. */
export function readJob([suite, threads, device, folder]: readonly string[] = Deno.args): Job {
  return { suite: suite!, threads: Number(threads), device: device!, folder: folder! };
}

/** Reads an input of the model, or an output that a contestant wrote. */
export async function readFloats(path: string): Promise<Float32Array<ArrayBuffer>> {
  const { buffer } = await Deno.readFile(path);
  return new Float32Array(buffer) as Float32Array<ArrayBuffer>;
}

/** Reads the inputs of the model. */
export function readInputs({ folder }: Job, count: number): Promise<Float32Array<ArrayBuffer>[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => readFloats(`${folder}/input_${i}.bin`)));
}

/** Measures the times of an engine. */
export function timed({ write, read, ...engine }: Engine): Worker {
  const { cached, fresh } = engine;
  return {
    ...engine,
    write: write && ((count) => time(count, () => write(count))),
    read: read && ((count) => time(count, () => repeat(count, read))),
    build: () => time(1, () => engine.build()),
    cached: cached && (() => time(1, cached)),
    run: (count) => time(count, () => repeat(count, engine.run)),
    fresh: fresh && ((count) => time(count, () => repeat(count, fresh))),
    pipeline: (count) => time(count, () => engine.pipeline(count)),
    output: () => new Uint8Array(engine.output().buffer),
  };
}

/** Greets, then executes commands until standard input ends. */
export async function serve(name: string, first: Worker): Promise<void> {
  console.log(JSON.stringify(greetingOf(name, first)));
  let worker = first;
  let built = false;
  for await (const line of readLines(Deno.stdin.readable)) {
    const [command, argument] = split(line);
    if (built && ["build", "cached", "open"].includes(command)) await worker.release();
    if (command === "open") {
      worker = await worker.open!(...split(argument));
      built = false;
      console.log("{}");
      continue;
    }
    const answer = await execute(worker, command, argument);
    if (command === "build" && !built) await worker.prepare();
    built ||= command === "build";
    console.log(JSON.stringify(answer));
  }
  if (built) await worker.release();
}

function greetingOf(engine: string, { cached, fresh, elsewhere = false, write, open }: Worker): Greeting {
  return {
    engine,
    cached: cached !== undefined,
    fresh: fresh !== undefined,
    elsewhere,
    transfers: write !== undefined,
    opens: open !== undefined,
  };
}

/** Splits a stream of UTF-8 into lines. */
export async function* readLines(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}

/** The command, and its argument after the space; or a suite, and its folder. */
function split(line: string): [command: string, argument: string] {
  const end = line.indexOf(" ");
  return end < 0 ? [line, ""] : [line.slice(0, end), line.slice(end + 1)];
}

async function execute(worker: Worker, command: string, argument: string): Promise<Timing | Record<never, never>> {
  switch (command) {
    case "build":
      return { milliseconds: await worker.build() };
    case "cached":
      return { milliseconds: await worker.cached!() };
    case "run":
    case "pipeline":
      return { milliseconds: await worker[command](Number(argument)) };
    case "fresh":
    case "write":
    case "read":
      return { milliseconds: await worker[command]!(Number(argument)) };
    case "output":
      await Deno.writeFile(argument, await worker.output());
      return {};
    default:
      throw new Error(`unknown command ${command}`);
  }
}

async function repeat(count: number, work: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < count; i++) await work();
}

async function time(count: number, work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / count;
}
