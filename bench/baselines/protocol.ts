/**
 * How the report talks to a contestant: a process that does the work of one suite on one engine.
 *
 * A contestant is started with the arguments `SUITE THREADS FOLDER`. The folder holds the model of the suite as
 * `model.onnx` and its inputs, in the order of the model, as `input_0.bin` and so on: float32, little-endian. A
 * contestant with a builder of its own may build the suite by its name instead, and use the inputs of that.
 *
 * It says at once, on a line of its standard output, `{"engine": "ONNX Runtime 1.30.0"}`. Then it reads commands, one a
 * line, from its standard input, and answers each with one line of JSON:
 *
 * | command | answer | meaning |
 * | --- | --- | --- |
 * | `build` | `{"milliseconds": 31.5}` | lets go of the graph it has, which is not timed, and makes it anew |
 * | `run 20` | `{"milliseconds": 2.41}` | runs 20 times, each time waiting for the first output, and copying it into one buffer that stays the same; answers the mean |
 * | `pipeline 20` | `{"milliseconds": 2.40}` | runs 20 times, waiting in between only if the engine is faster so, and reads once at the end; answers the mean |
 * | `output PATH` | `{}` | writes that buffer to a file |
 *
 * It ends when its standard input does. If anything fails it says why on standard error and ends with a status other
 * than 0. Nothing but the protocol goes to standard output.
 *
 * @module
 */

/** The arguments of a contestant. */
export interface Job {
  readonly suite: string;
  readonly threads: number;
  readonly folder: string;
}

/** A contestant's first line. */
export interface Greeting {
  /** The engine and its version. */
  readonly engine: string;
}

/** The answer to a command that is timed. */
export interface Timing {
  /** Of one build or one run. */
  readonly milliseconds: number;
}

/** Work on an engine that is written in JavaScript. */
export interface Engine {
  /** Makes the graph. */
  build(): Promise<void>;
  /** Lets go of it. */
  release(): void | Promise<void>;
  /** Runs it, and copies its first output into `buffer`. */
  run(): Promise<unknown>;
  /** Runs as often as `count` says, as fast as it can, and has the last output in `buffer` at the end. */
  pipeline(count: number): Promise<unknown>;
  /** Where the output goes. */
  readonly buffer: Float32Array<ArrayBuffer>;
}

/** The job of this process, by its arguments. */
export function readJob([suite, threads, folder]: readonly string[] = Deno.args): Job {
  return { suite: suite!, threads: Number(threads), folder: folder! };
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

/** Greets, and carries out commands until there are no more. */
export async function serve(name: string, engine: Engine): Promise<void> {
  console.log(JSON.stringify({ engine: name }));
  let built = false;
  for await (const line of readLines(Deno.stdin.readable)) {
    const [command, argument] = split(line);
    if (command === "build" && built) await engine.release();
    console.log(JSON.stringify(await carryOut(engine, command, argument)));
    built ||= command === "build";
  }
  if (built) await engine.release();
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

async function carryOut(engine: Engine, command: string, argument: string): Promise<Timing | Record<never, never>> {
  switch (command) {
    case "build":
      return await time(1, () => engine.build());
    case "run":
      return await time(Number(argument), async (count) => {
        for (let i = 0; i < count; i++) await engine.run();
      });
    case "pipeline":
      return await time(Number(argument), (count) => engine.pipeline(count));
    case "output":
      await Deno.writeFile(argument, new Uint8Array(engine.buffer.buffer));
      return {};
    default:
      throw new Error(`there is no command ${command}`);
  }
}

async function time(count: number, work: (count: number) => Promise<unknown>): Promise<Timing> {
  const began = performance.now();
  await work(count);
  return { milliseconds: (performance.now() - began) / count };
}
