/** Ctrl-C during each long command: status 130, nothing on standard error, no file and no process left behind. */
import { assertEquals, assertMatch } from "@std/assert";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { spawnWebnn } from "../support/terminal.ts";
import { type Folder, LINEAR, MODULE, temporaryFolder } from "./files.ts";

const WINDOWS = { ignore: Deno.build.os === "windows" }; // its processes cannot receive SIGINT

/** A module that never finishes: it writes its process ID to the file `here`, and waits. */
const WAITING = `export default async () => {
  Deno.writeTextFileSync(new URL("here", import.meta.url), String(Deno.pid));
  await new Promise((end) => setTimeout(end, 60_000));
};`;

/** A module that never finishes in a worker process of `webnn bench`, but builds a model in the main process. */
const WAITING_IN_CHILD = `${MODULE.replace("export default function", "function build")}
export default (...args) => Deno.mainModule.endsWith("worker.ts") ? wait() : build(...args);
async function wait() {
  Deno.writeTextFileSync(new URL("here", import.meta.url), String(Deno.pid));
  await new Promise((end) => setTimeout(end, 60_000));
}`;

/** Waits until a file has content. */
async function contentOf(file: string): Promise<string> {
  for (;;) {
    const text = existsSync(file) ? Deno.readTextFileSync(file) : "";
    if (text !== "") return text;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Whether a process is running. A zombie is not. */
async function isRunning(pid: string): Promise<boolean> {
  const { stdout } = await new Deno.Command("ps", { args: ["-o", "stat=", "-p", pid], stderr: "null" }).output();
  const state = new TextDecoder().decode(stdout).trim();
  return state !== "" && !state.startsWith("Z");
}

/** Interrupts a command once the file `here` exists. Returns the ID of the process that wrote it. */
async function interrupt(folder: Folder, args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const before = folder.names();
  const child = spawnWebnn(args, ["--allow-all"], env);
  const pid = await contentOf(join(folder.path, "here"));
  child.kill("SIGINT");
  const { code, signal, stderr } = await child.output();
  assertEquals([new TextDecoder().decode(stderr), code, signal], ["", 130, null]);
  Deno.removeSync(join(folder.path, "here"));
  assertEquals(folder.names(), before);
  return pid;
}

const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  run: ["--output", "OUT"],
  profile: ["--trace", "OUT/trace.json", "--html", "OUT/page.html"],
  convert: ["--output", "OUT/model.onnx"],
  compile: ["--cache", "OUT"],
  view: ["--output", "OUT/graph.svg"],
  bench: [],
};

for (const [command, options] of Object.entries(COMMANDS)) {
  Deno.test(`Ctrl-C while webnn ${command} builds a model`, WINDOWS, async () => {
    using folder = temporaryFolder();
    const model = folder.write("waiting.mjs", WAITING);
    const args = options.map((option) => option.replace("OUT", join(folder.path, "out")));
    await interrupt(folder, [command, model, ...args]);
  });
}

Deno.test("Ctrl-C while webnn bench measures: its worker processes end too", WINDOWS, async () => {
  using folder = temporaryFolder();
  const pid = await interrupt(folder, ["bench", folder.write("waiting.mjs", WAITING_IN_CHILD)]);
  for (let i = 0; i < 100 && await isRunning(pid); i++) await new Promise((resolve) => setTimeout(resolve, 50));
  assertEquals(await isRunning(pid), false);
});

Deno.test("Ctrl-C while webnn install downloads: pip ends too, and nothing is left behind", WINDOWS, async () => {
  using folder = temporaryFolder();
  const programs = join(folder.path, "bin");
  Deno.mkdirSync(programs);
  const script = `#!/bin/sh
case "$*" in *--version*) echo "pip 24.2 from here"; exit ;; esac
echo $$ > "${join(folder.path, "here")}"
exec sleep 60
`;
  Deno.writeTextFileSync(join(programs, "python3"), script, { mode: 0o755 });
  Deno.mkdirSync(join(folder.path, "home"));
  const env = { PATH: `${programs}:${Deno.env.get("PATH")}` };
  const pid = await interrupt(folder, ["install", "onnxruntime", "--dir", join(folder.path, "home")], env);
  for (let i = 0; i < 100 && await isRunning(pid.trim()); i++) await new Promise((resolve) => setTimeout(resolve, 50));
  assertEquals(await isRunning(pid.trim()), false);
  assertEquals([...Deno.readDirSync(join(folder.path, "home"))], []);
});

Deno.test("Ctrl-C ends webnn serve", WINDOWS, async () => {
  using folder = temporaryFolder();
  const child = spawnWebnn(["serve", folder.write("linear.onnx", LINEAR), "--port", "0"]);
  const reader = child.stdout.getReader();
  assertMatch(new TextDecoder().decode((await reader.read()).value), /http:/);
  child.kill("SIGINT");
  const { code, signal } = await child.status;
  await reader.cancel();
  assertEquals([await new Response(child.stderr).text(), code, signal], ["", 130, null]);
  assertEquals(folder.names(), ["linear.onnx"]);
});
