/**
 * The process of a contestant. Its arguments are the contestant's name and a job file. It prints a line of JSON,
 * `{"engine": ..., "isElsewhere": ...}`, then reads commands, one per line, and answers each with a line of JSON: `{"error": ...}` if it
 * fails.
 *
 * | command | answer | meaning |
 * | --- | --- | --- |
 * | `load` | `{"milliseconds": 31.5}` | releases its model (not timed) and loads it again |
 * | `run 20` | `{"milliseconds": [2.4, ...]}` | runs 20 times, including copies of inputs and outputs |
 * | `output PATH` | `{}` | runs once more, and writes the outputs to a JSON file, an {@linkcode OutputFile} |
 *
 * @module
 */
import { readLines } from "../baselines/protocol.ts";
import type { Job, OpenEngine, Session } from "./engine.ts";
import { decodeInput, toOutputFile } from "./encoded.ts";

/** A process loads only one engine. */
const ENGINES: Readonly<Record<string, () => Promise<OpenEngine>>> = {
  "chromium": async () => (await import("./engines/chromium.ts")).open,
  "importer": async () => (await import("./engines/importer.ts")).open,
  "openvino": async () => (await import("./engines/importer.ts")).openOnOpenVino,
  "onnxruntime-node": async () => (await import("./engines/onnxruntime_node.ts")).open,
  "onnxruntime-web": async () => (await import("./engines/onnxruntime_web.ts")).openOnWebAssembly,
  "onnxruntime-web-webnn": async () => (await import("./engines/onnxruntime_web.ts")).openOnWebNN,
};

const [name, path] = Deno.args;
const { inputs, ...job } = JSON.parse(await Deno.readTextFile(path!)) as Job;
const openEngine = await ENGINES[name!]!();
const engine = await openEngine(job, inputs.map(decodeInput));
console.log(JSON.stringify({ engine: engine.title, isElsewhere: engine.isElsewhere }));

let session: Session | undefined;
for await (const line of readLines(Deno.stdin.readable)) {
  const [command, argument = ""] = line.split(" ");
  try {
    console.log(JSON.stringify(await execute(command!, argument)));
  } catch (error) {
    console.log(JSON.stringify({ error: error instanceof Error ? error.message : String(error) }));
  }
}
await engine.close?.();
// Needed because onnxruntime-web leaves something running that keeps the process alive.
Deno.exit();

async function execute(command: string, argument: string): Promise<unknown> {
  if (command === "load") return await load();
  if (command === "run") return await run(Number(argument));
  await Deno.writeTextFile(argument, JSON.stringify(toOutputFile(await session!.run())));
  return {};
}

async function load(): Promise<{ milliseconds: number }> {
  await session?.close();
  session = undefined;
  const start = performance.now();
  session = await engine.load();
  return { milliseconds: performance.now() - start };
}

async function run(count: number): Promise<{ milliseconds: number[] }> {
  if (session!.timed) return { milliseconds: await session!.timed(count) };
  const milliseconds: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    await session!.run();
    milliseconds.push(performance.now() - start);
  }
  return { milliseconds };
}
