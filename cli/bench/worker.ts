/**
 * A worker process of `webnn bench`: loads one model on one device, and runs it as often as requested.
 *
 * @module
 */
import { contextInfo } from "@webnn/deno";
import type { TensorInput, TensorOutput } from "@webnn/deno/onnx";
import { MARK } from "../child.ts";
import { messageOf } from "../errors.ts";
import { openContext } from "../model/device.ts";
import { loadModel } from "../model/load.ts";
import { decodeTensor, encodeTensor, type Job, type Loaded, type Measured, type RunRequest } from "./protocol.ts";

/** A loaded model. */
interface Ready {
  readonly title: string;
  run(): Promise<Record<string, TensorOutput>>;
}

/** Opens an engine, and returns a function that loads the model. Only the loading is timed. */
async function openEngine(job: Job): Promise<() => Promise<Ready>> {
  const inputs = Object.fromEntries(Object.entries(job.inputs).map(([name, input]) => [name, decodeTensor(input)]));
  if (job.engine === "onnxruntime-node") {
    const { openOnnxRuntimeNode } = await import("./onnxruntime_node.ts");
    return openOnnxRuntimeNode(job, inputs);
  }
  return await openWebNN(job, inputs);
}

async function openWebNN(
  { model, device, threads, dimensions }: Job,
  inputs: Readonly<Record<string, TensorInput>>,
): Promise<() => Promise<Ready>> {
  const context = await openContext({ device, threads: threads === undefined ? undefined : String(threads) });
  const { provider, device: kind, version } = contextInfo(context);
  return async () => {
    const loaded = await loadModel(model, context, dimensions);
    return { title: `${provider} (${kind}) ${version}`, run: () => loaded.run(inputs) };
  };
}

async function measure(job: Job, requests: AsyncIterator<string>): Promise<void> {
  const load = await openEngine(job);
  const before = Deno.memoryUsage().rss;
  const start = performance.now();
  const { title, run } = await load();
  const loaded = performance.now();
  const outputs = await run();
  const first = performance.now() - loaded;
  const encoded = Object.entries(outputs).map(([name, output]) => [name, encodeTensor(output.dataType, output)]);
  answer({ title, load: loaded - start, first, outputs: Object.fromEntries(encoded) });
  for (let next = await requests.next(); !next.done; next = await requests.next()) {
    const { runs } = JSON.parse(next.value) as RunRequest;
    answer({ times: await timesOf(run, runs), memory: Math.max(Deno.memoryUsage().rss - before, 0) });
  }
}

async function timesOf(run: () => Promise<unknown>, runs: number): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    await run();
    times.push(performance.now() - start);
  }
  return times;
}

function answer(message: Loaded | Measured | { readonly failed: string }): void {
  const bytes = new TextEncoder().encode(`\n${MARK}${JSON.stringify(message)}\n`);
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
}

/** Reads the lines of standard input. */
async function* lines(): AsyncGenerator<string> {
  let rest = "";
  for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
}

if (import.meta.main) {
  const messages = lines();
  try {
    await measure(JSON.parse((await messages.next()).value!), messages);
  } catch (error) {
    answer({ failed: messageOf(error) });
  }
  Deno.exit();
}
