/** `webnn install` without a network: pip's environment variables name a local package index. */
import { assertEquals, assertMatch } from "@std/assert";
import { zipSync } from "fflate";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openOnnxRuntime } from "../../ffi/onnxruntime/library.ts";
import { outcomeOf, spawnWebnn, webnn } from "../support/terminal.ts";
import { LINEAR, temporaryFolder } from "./files.ts";

const MAIN = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));

/** Whether this machine has Python with pip. */
function hasPip(): boolean {
  try {
    return new Deno.Command("python3", { args: ["-m", "pip", "--version"], stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

/** Runs `webnn install onnxruntime` with some environment variables. */
async function install(folder: string, env: Record<string, string>) {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "--no-check", "-A", MAIN, "install", "onnxruntime", "--dir", folder],
    env,
    stdin: "null",
  });
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** A forged wheel with the name and version of onnxruntime. */
function forgedWheel(): Uint8Array {
  const text = (lines: string) => new TextEncoder().encode(lines);
  const info = "onnxruntime-1.30.0.dist-info";
  return zipSync({
    "onnxruntime/capi/libonnxruntime.so.1.30.0": text("forged"),
    [`${info}/METADATA`]: text("Metadata-Version: 2.1\nName: onnxruntime\nVersion: 1.30.0\n"),
    [`${info}/WHEEL`]: text("Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\nTag: cp311-cp311-any\n"),
    [`${info}/RECORD`]: text(""),
  });
}

const NEEDS_PIP = { ignore: !hasPip() }; // webnn install runs pip

Deno.test(
  "install: without a reachable package index, one line of error, and nothing is left behind",
  NEEDS_PIP,
  async () => {
    using folder = temporaryFolder();
    const env = { PIP_INDEX_URL: "http://127.0.0.1:9/simple", PIP_NO_INDEX: "", PIP_FIND_LINKS: "", PIP_RETRIES: "1" };
    const { code, stdout, stderr } = await install(folder.path, env);
    assertEquals([code, stdout, folder.names()], [1, "", []], stderr);
    assertMatch(
      stderr,
      /^webnn install: pip cannot install onnxruntime==1\.30\.0: the package index cannot be reached; check the network [^\n]*\n$/,
    );
  },
);

Deno.test({
  name: "install: a file without the expected SHA-256 is not used, with one line of error",
  ignore: NEEDS_PIP.ignore || Deno.build.os !== "linux" || Deno.build.arch !== "x86_64", // the forged wheel is for this platform
  async fn() {
    using folder = temporaryFolder();
    using links = temporaryFolder();
    links.write("onnxruntime-1.30.0-cp311-cp311-manylinux_2_28_x86_64.whl", forgedWheel());
    const { code, stdout, stderr } = await install(folder.path, { PIP_NO_INDEX: "1", PIP_FIND_LINKS: links.path });
    assertEquals([code, stdout, folder.names()], [1, "", []], stderr);
    assertMatch(
      stderr,
      /^webnn install: pip cannot install onnxruntime==1\.30\.0: the downloaded file does not have the expected SHA-256[^\n]*\n$/,
    );
  },
});

for (
  const [args, complaint] of [
    [[], "onnxruntime|openvino|cuda is missing"],
    [["tensorflow"], '"tensorflow" is not one of onnxruntime|openvino|cuda'],
  ] as const
) {
  Deno.test(`webnn install ${args.join(" ")}: wrong usage`, async () => {
    assertEquals(await webnn("install", ...args), { status: 2, stdout: "", stderr: `webnn install: ${complaint}\n` });
  });
}

/** Writes a python3 whose pip copies an installed library into its target folder. */
function fakePython(folder: string, library: string): void {
  const script = `#!/bin/sh
case "$*" in *--version*) echo "pip 24.2 from here"; exit ;; esac
for arg; do case "$arg" in --target=*) target="\${arg#--target=}" ;; --require-hashes) checked=1 ;; esac; done
[ -n "$checked" ] || exit 3
mkdir -p "$target/onnxruntime/capi"
cp "${library}" "$target/onnxruntime/capi/libonnxruntime.so.1.30.0"
`;
  Deno.writeTextFileSync(join(folder, "python3"), script, { mode: 0o755 });
}

Deno.test({
  name: "install in an empty home: pip checks hashes, the library is tested, and a model runs with the printed line",
  ignore: Deno.build.os !== "linux", // the library has its Linux name
  async fn() {
    using home = temporaryFolder();
    using programs = temporaryFolder();
    fakePython(programs.path, (await openOnnxRuntime()).path);
    const env = { HOME: home.path, XDG_CACHE_HOME: "", PATH: `${programs.path}:${Deno.env.get("PATH")}` };
    const keep = { DENO_DIR: await denoDirectory() }; // otherwise Deno would download its packages again
    const { status, stdout, stderr } = await outcomeOf(
      spawnWebnn(["install", "onnxruntime"], ["--allow-all"], { ...env, ...keep }),
    );
    assertEquals([status, stderr], [0, ""]);
    const library = join(
      home.path,
      ".cache/webnn-deno/onnxruntime-1.30.0/onnxruntime/capi/libonnxruntime.so.1.30.0",
    );
    assertEquals(stdout, `export WEBNN_ORT_PATH=${library}\n`);
    assertEquals(home.names(), [".cache"]);
    const model = programs.write("linear.onnx", LINEAR);
    const ran = await outcomeOf(
      spawnWebnn(["run", model, "--shape", "x=1,2"], ["--allow-all"], { ...env, ...keep, WEBNN_ORT_PATH: library }),
    );
    assertEquals([ran.status, ran.stderr], [0, ""]);
    assertMatch(ran.stdout, /^y /m);
  },
});

/** Deno's package cache, which a process with another home needs. */
async function denoDirectory(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  return JSON.parse(new TextDecoder().decode(stdout)).denoDir;
}
