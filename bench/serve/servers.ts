/**
 * The servers of the load test, each in a process of its own on a free port of loopback.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheDirectory } from "../../support/cache_directory.ts";
import { pythonWith, runCommand } from "../../support/python.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const FOLDER = join(cacheDirectory(), "serve");
const PACKAGES = ["fastapi==0.165.0", "uvicorn==0.54.0", "onnxruntime==1.30.0", "onnx==1.18.0", "numpy==2.4.6"];

/** A server, and the command that starts it. */
interface Contestant {
  readonly title: string;
  readonly command: (port: number, files: readonly string[]) => Promise<Command> | Command;
}

interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Record<string, string>;
}

/** `webnn serve` with more options. */
function webnn(...options: string[]): Contestant["command"] {
  const flags = ["run", "--config=cli/deno.json", "--quiet", "--no-check", "-A", "cli/main.ts", "serve"];
  return (port, files) => ({
    program: Deno.execPath(),
    args: [...flags, ...files, "--port", `${port}`, ...options],
  });
}

/** `deno serve --parallel` with two workers. */
function parallel(batch: number): Contestant["command"] {
  return (port, files) => ({
    program: Deno.execPath(),
    args: ["serve", "--config=examples/deno.json", "--quiet", "--no-check", "--parallel", "-A", "--host", "127.0.0.1"]
      .concat(["--port", `${port}`, "examples/serve/main.ts"]),
    env: { DENO_JOBS: "2", WEBNN_MODELS: files.join(), WEBNN_BATCH: `${batch}` },
  });
}

/** The servers by name. */
export const SERVERS: Readonly<Record<string, Contestant>> = {
  "webnn": { title: "webnn serve", command: webnn() },
  "webnn-batch": { title: "webnn serve --batch 4", command: webnn("--batch", "4") },
  "webnn-instances": { title: "webnn serve --instances 2", command: webnn("--instances", "2") },
  "webnn-single-threads": { title: "webnn serve --threads 1", command: webnn("--threads", "1") },
  "webnn-2": { title: "deno serve --parallel, 2 workers", command: parallel(1) },
  "webnn-2-batch": { title: "the same, batches of 4", command: parallel(4) },
  "node": { title: "onnxruntime-node in Node", command: node },
  "fastapi": { title: "FastAPI + onnxruntime in Python", command: fastApi },
};

async function node(port: number, files: readonly string[]): Promise<Command> {
  const folder = join(FOLDER, "node");
  const script = join(folder, "node_server.mjs");
  await Deno.mkdir(folder, { recursive: true });
  if (!existsSync(join(folder, "node_modules"))) {
    await runCommand("npm", ["install", "--prefix", folder, "--ignore-scripts", "onnxruntime-node@1.30.0"]);
  }
  // Node looks for packages in the folder of the program.
  await Deno.copyFile(fileURLToPath(new URL("node_server.mjs", import.meta.url)), script);
  return { program: "node", args: [script, `${port}`, ...files] };
}

async function fastApi(port: number, files: readonly string[]): Promise<Command> {
  const script = fileURLToPath(new URL("fastapi_server.py", import.meta.url));
  return { program: await pythonWith(PACKAGES), args: [script, `${port}`, ...files] };
}

/** Creates the model files, unless they exist. Returns their folder. */
export async function makeModels(sources: readonly string[]): Promise<string> {
  const folder = join(FOLDER, "models");
  if (existsSync(join(folder, "minilm.onnx"))) return folder;
  const script = fileURLToPath(new URL("make_models.py", import.meta.url));
  await runCommand(await pythonWith(PACKAGES), [script, folder, ...sources]);
  return folder;
}

/** A running server. */
export interface Running extends AsyncDisposable {
  readonly url: string;
  /** Its resident memory in bytes; undefined if the system does not provide it. */
  memory(): number | undefined;
  /** The processor time that it has used, in milliseconds; undefined if the system does not provide it. */
  cpuTime(): number | undefined;
}

/** Starts a server and waits until it is ready. */
export async function startServer(name: string, files: readonly string[]): Promise<Running> {
  const port = freePort();
  const { program, args, env } = await SERVERS[name]!.command(port, files);
  const child = new Deno.Command(program, {
    args: [...args],
    cwd: ROOT,
    ...(env ? { env } : {}),
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    try {
      child.kill("SIGTERM");
    } catch { /* It has ended already. */ }
    await child.status;
  };
  try {
    await untilReady(url);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url,
    memory: () => residentMemory(child.pid),
    cpuTime: () => cpuTime(child.pid),
    [Symbol.asyncDispose]: stop,
  };
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function untilReady(url: string): Promise<void> {
  for (let i = 0; i < 600; i++) {
    const response = await fetch(`${url}/v2/health/ready`).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${url} was not ready within a minute`);
}

/** Linux reports it in ticks of 10 ms. */
function cpuTime(pid: number): number | undefined {
  if (Deno.build.os !== "linux") return undefined;
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const [user, system] = stat.slice(stat.lastIndexOf(")") + 2).split(" ").slice(11, 13);
  return 10 * (Number(user) + Number(system));
}

function residentMemory(pid: number): number | undefined {
  if (Deno.build.os !== "linux") return undefined;
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`)) ?? [];
  return Number(kibibytes) * 1024;
}
