/**
 * `deno task verify:serve`: tests the server with other projects' clients of the Open Inference Protocol, or with
 * thousands of hostile requests.
 *
 * @module
 */
import { createHandler } from "@webnn/serve";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { positiveInteger, runProgram } from "../../support/program.ts";
import { pythonWith, runCommand } from "../../support/python.ts";
import { random } from "../../support/random.ts";
import { identity, sum, unary } from "./client.ts";
import { GOOD_REQUEST, type HostileRequest, hostileRequests, MAX_BODY_BYTES } from "./hostile.ts";

const HELP =
  `Serves small models on a free local port, and calls them with tritonclient and KServe's SDK, which are installed from
PyPI to the cache: metadata, all data types in JSON and binary, compression, errors.

Usage: deno task verify:serve [--python FILE | --hostile N]

  --python FILE  use this Python, which must have both clients
  --hostile N    send N hostile requests to webnn serve, and print the slowest response and the memory
  --help         print this text`;

const PACKAGES = ["tritonclient[http]==2.73.0", "kserve==0.21.0"];

/** A model for each data type, named as NumPy names it. */
const MODELS = [
  ...["float32", "float16", "float64", "int8", "uint8", "int32", "uint32", "int64", "uint64", "bool"] as const,
].map((type) => identity(type));

async function verifyClients(python: string): Promise<void> {
  await using handler = await createHandler([...MODELS, unary("Log", "log")], { batch: 4 });
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => handler(request));
  const { port } = server.addr as Deno.NetAddr;
  await runCommand(python, [fileURLToPath(new URL("clients.py", import.meta.url)), `http://127.0.0.1:${port}`]);
}

/** The time limit for rejecting a request, in milliseconds. */
const MAX_TIME = 2000;

async function sendHostile(count: number): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const files = [sum(), identity("uint64")].map(({ name, source }) => ({
      file: join(folder, `${name}.onnx`),
      source,
    }));
    for (const { file, source } of files) await Deno.writeFile(file, source as Uint8Array);
    await using server = await startServer(files.map(({ file }) => file));
    const before = await server.memory();
    let slowest = { kind: "", milliseconds: 0 };
    for await (const request of hostileRequests(random(19), count)) {
      const milliseconds = await expectRejection(server.url, request);
      if (milliseconds > slowest.milliseconds) slowest = { kind: request.kind, milliseconds };
    }
    const answer = await fetch(server.url + GOOD_REQUEST.path, GOOD_REQUEST.init);
    if (String((await answer.json()).outputs[0].data) !== "3,6,9") {
      throw new Error("the valid request got a wrong response");
    }
    const megabytes = [before, await server.memory()].map((bytes) => (bytes / 1e6).toFixed(0));
    console.log(`${count} rejected, the slowest in ${slowest.milliseconds.toFixed(0)} ms (${slowest.kind})`);
    console.log(`resident memory: ${megabytes[0]} MB before, ${megabytes[1]} MB after; the next request was answered`);
    if (slowest.milliseconds > MAX_TIME) throw new Error(`a response took longer than ${MAX_TIME} ms`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** @returns the time of the response in milliseconds */
async function expectRejection(url: string, { kind, path, init }: HostileRequest): Promise<number> {
  const start = performance.now();
  const response = await fetch(url + path, init);
  const { error } = await response.json();
  if (response.status < 400 || response.status > 499 || typeof error !== "string") {
    throw new Error(`${kind}: ${response.status} ${error}`);
  }
  return performance.now() - start;
}

/** `webnn serve` in its own process. */
async function startServer(files: readonly string[]) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--config=cli/deno.json", "--quiet", "--no-check", "-A", "cli/main.ts", "serve", ...files]
      .concat(["--port", "0", "--json", "--max-body", `${MAX_BODY_BYTES / 2 ** 20}`]),
    cwd: fileURLToPath(new URL("../../", import.meta.url)),
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value = "" } = await reader.read();
  if (value === "") throw new Error(`webnn serve ended with ${(await child.status).code}`);
  const { url } = JSON.parse(value) as { url: string };
  return {
    url,
    async memory() {
      const text = await (await fetch(`${url}/metrics`)).text();
      return Number(/^process_resident_memory_bytes (\d+)/m.exec(text)?.[1]);
    },
    async [Symbol.asyncDispose]() {
      await reader.cancel();
      await child[Symbol.asyncDispose]();
    },
  };
}

if (import.meta.main) {
  await runProgram("verify:serve", HELP, { string: ["python", "hostile"] }, async ({ python, hostile }) => {
    if (hostile !== undefined) await sendHostile(positiveInteger(hostile, "--hostile"));
    else await verifyClients(python ?? await pythonWith(PACKAGES));
  });
}
