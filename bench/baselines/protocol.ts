/**
 * How the report talks to a contestant: a process that does the work of one suite on one engine.
 *
 * A contestant is started with the arguments `SUITE THREADS DEVICE FOLDER`. The device is `cpu`, or another one that the
 * contestant is listed with. The folder holds the suite two times: as ONNX Runtime reads it, `model.onnx`, and as WebNN
 * has it, `graph.json` with its constants in `weights.bin` (report/graph_file.ts describes them). Beside it lie its
 * inputs, in the order of either, as `input_0.bin` and so on. Everything is float32, little-endian. A contestant with a
 * builder of its own may build the suite by its name instead, and use the inputs of that.
 *
 * It says at once, on a line of its standard output, `{"engine": "ONNX Runtime 1.30.0"}`, with what else a
 * {@linkcode Greeting} may say. Then it reads commands, one a line, from its standard input, and answers each with one line
 * of JSON:
 *
 * | command | answer | meaning |
 * | --- | --- | --- |
 * | `build` | `{"milliseconds": 31.5}` | lets go of the graph it has, which is not timed, and makes it anew |
 * | `cached` | `{"milliseconds": 10.5}` | as `build`, from a cache of compiled graphs, where the first `cached` puts the graph |
 * | `run 20` | `{"milliseconds": 2.41}` | runs 20 times, each time waiting for the first output, and copying it into one buffer that stays the same; answers the mean |
 * | `fresh 20` | `{"milliseconds": 2.61}` | as `run`, but each output comes in a buffer that is new |
 * | `pipeline 20` | `{"milliseconds": 2.40}` | runs 20 times, waiting in between only if the engine is faster so, and reads once at the end; answers the mean |
 * | `output PATH` | `{}` | writes that buffer to a file |
 *
 * `build` comes first, and whatever it takes to make tensors and buffers afterwards is not timed. It ends when its
 * standard input does. If anything fails it says why on standard error and ends with a status other
 * than 0. Nothing but the protocol goes to standard output.
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

/** A contestant's first line. */
export interface Greeting {
  /** The engine and its version. */
  readonly engine: string;
  /** Whether it knows the command `cached`. */
  readonly cached?: boolean;
  /** Whether it knows the command `fresh`. */
  readonly fresh?: boolean;
  /** Whether the engine is in other processes than the one that speaks: its memory is not known then. */
  readonly elsewhere?: boolean;
}

/** The answer to a command that is timed. */
export interface Timing {
  /** Of one build or one run. */
  readonly milliseconds: number;
}

/** What carries out the commands. Times are in milliseconds, of one build or one run. */
export interface Worker {
  /** Makes the graph. */
  build(): Promise<number>;
  /** Makes the graph from a cache, if it has one. Such graphs are not run. */
  readonly cached?: (() => Promise<number>) | undefined;
  /** As in the greeting. */
  readonly elsewhere?: boolean;
  /** Makes what runs need beside the graph; called once, after the first build. */
  prepare(): Promise<void>;
  /** Lets go of the graph. */
  release(): void | Promise<void>;
  run(count: number): Promise<number>;
  readonly fresh?: ((count: number) => Promise<number>) | undefined;
  pipeline(count: number): Promise<number>;
  /** The bytes of the buffer that `run` and `pipeline` read into. */
  output(): Uint8Array | Promise<Uint8Array>;
}

/** Work on an engine in this process, as {@linkcode timed} turns it into a worker. */
export interface Engine {
  build(): Promise<void>;
  readonly cached?: () => Promise<void>;
  prepare(): Promise<void>;
  release(): void | Promise<void>;
  /** Runs once, and has the first output in the buffer. */
  run(): Promise<unknown>;
  /** Runs once, and has the first output in a buffer that is new, if it has such a way. */
  readonly fresh?: () => Promise<unknown>;
  /** Runs as often as `count` says, as fast as it can, and has the last output in the buffer at the end. */
  pipeline(count: number): Promise<unknown>;
  output(): Float32Array<ArrayBuffer>;
}

/** The job of this process, by its arguments. */
export function readJob([suite, threads, device, folder]: readonly string[] = Deno.args): Job {
  return { suite: suite!, threads: Number(threads), device: device!, folder: folder! };
}

/** An input of the model of a job, or an output that a contestant wrote. */
export async function readFloats(path: string): Promise<Float32Array<ArrayBuffer>> {
  const { buffer } = await Deno.readFile(path);
  return new Float32Array(buffer) as Float32Array<ArrayBuffer>;
}

/** The inputs of the model of a job. */
export function readInputs({ folder }: Job, count: number): Promise<Float32Array<ArrayBuffer>[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => readFloats(`${folder}/input_${i}.bin`)));
}

/** Takes the times of an engine. */
export function timed(engine: Engine): Worker {
  const { cached, fresh } = engine;
  return {
    ...engine,
    build: () => time(1, () => engine.build()),
    cached: cached && (() => time(1, cached)),
    run: (count) => time(count, () => repeat(count, engine.run)),
    fresh: fresh && ((count) => time(count, () => repeat(count, fresh))),
    pipeline: (count) => time(count, () => engine.pipeline(count)),
    output: () => new Uint8Array(engine.output().buffer),
  };
}

/** Greets, and carries out commands until there are no more. */
export async function serve(name: string, worker: Worker): Promise<void> {
  const { cached, fresh, elsewhere = false } = worker;
  const greeting: Greeting = { engine: name, cached: cached !== undefined, fresh: fresh !== undefined, elsewhere };
  console.log(JSON.stringify(greeting));
  let built = false;
  for await (const line of readLines(Deno.stdin.readable)) {
    const [command, argument] = split(line);
    if (built && (command === "build" || command === "cached")) await worker.release();
    const answer = await carryOut(worker, command, argument);
    if (command === "build" && !built) await worker.prepare();
    built ||= command === "build";
    console.log(JSON.stringify(answer));
  }
  if (built) await worker.release();
}

/** The lines of a stream of UTF-8, without their ends. */
export async function* readLines(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}

/** The command, and what follows the blank after it. */
function split(line: string): [command: string, argument: string] {
  const end = line.indexOf(" ");
  return end < 0 ? [line, ""] : [line.slice(0, end), line.slice(end + 1)];
}

async function carryOut(worker: Worker, command: string, argument: string): Promise<Timing | Record<never, never>> {
  switch (command) {
    case "build":
      return { milliseconds: await worker.build() };
    case "cached":
      return { milliseconds: await worker.cached!() };
    case "run":
    case "pipeline":
      return { milliseconds: await worker[command](Number(argument)) };
    case "fresh":
      return { milliseconds: await worker.fresh!(Number(argument)) };
    case "output":
      await Deno.writeFile(argument, await worker.output());
      return {};
    default:
      throw new Error(`there is no command ${command}`);
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
