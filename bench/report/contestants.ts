/**
 * The contestants, and how to start them.
 *
 * @module
 */
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compiler, withoutCompiler } from "../../support/c_compiler.ts";

/** Where to build a contestant, and from what. */
export interface Workplace {
  /** A folder for build results. */
  readonly folder: string;
  /** The path of the ONNX Runtime library. */
  readonly library: string;
}

/** A contestant: runs suites on an engine. */
export interface Contestant {
  readonly name: string;
  /** A description. */
  readonly title: string;
  /** How it reads an output to the buffer. */
  readonly reads: string;
  /** The devices that it supports, by the names for `--device`. */
  readonly devices: readonly string[] | "any";
  /** The device that it always runs on, whatever `--device` says. */
  readonly always?: string;
  /** Why it takes part only if requested by name. */
  readonly onlyByName?: string;
  /** Returns the command, to which the arguments of the protocol are appended. Throws if it cannot be started. */
  prepare(workplace: Workplace): Promise<readonly string[]>;
}

/** This module, which always takes part. */
export const WEBNN = "webnn";
/** This module on the CPU, when another device is measured. */
export const WEBNN_ON_CPU = "webnn-cpu";
/** The contestant that the others are compared with, if it takes part. */
export const REFERENCE = "c";

/** All contestants. */
export const contestants: readonly Contestant[] = [
  {
    name: WEBNN,
    title: "WebNN in Deno, this module",
    reads: "readTensor(tensor, buffer): one copy; readTensor(tensor) into a new one",
    devices: "any",
    prepare: () => denoProgram("webnn.ts"),
  },
  {
    name: WEBNN_ON_CPU,
    title: "this module on the CPU",
    reads: `as ${WEBNN}`,
    devices: "any",
    always: "cpu",
    prepare: () => denoProgram("webnn.ts"),
  },
  {
    name: REFERENCE,
    title: "ONNX Runtime called from C, with nearly all of its optimisers and with spinning threads",
    reads: "one copy; from another device the run copies first",
    devices: ["cpu", "webgpu", "openvino", "cuda"],
    prepare: compileC,
  },
  {
    name: "onnxruntime-node",
    title: "npm onnxruntime-node in Deno, default options",
    reads: "the run writes into the buffer: no copy",
    devices: ["cpu"],
    prepare: () => denoProgram("onnxruntime_node.ts"),
  },
  {
    name: "onnxruntime-web",
    title: "npm onnxruntime-web in Deno, WebAssembly",
    reads: "a new array for each run, then one copy",
    devices: ["cpu"],
    prepare: () => denoProgram("onnxruntime_web.ts"),
  },
  {
    name: "chromium",
    title: "WebNN of Chromium, its own number of threads; @sparticuz/chromium, or the browser of BENCH_CHROMIUM",
    reads: "readTensor(tensor, buffer): a copy from another process; readTensor(tensor) into a new one",
    devices: ["cpu"],
    prepare: async () => [...await denoProgram("chromium.ts"), Deno.env.get("BENCH_CHROMIUM") || "bundled"],
  },
  {
    name: "openvino",
    title: "OpenVINO on the ONNX model, in float32, on the CPU",
    reads: "one copy",
    devices: ["cpu", "openvino"],
    prepare: () => pythonProgram("openvino_contestant.py"),
  },
  {
    name: "pytorch",
    title: "PyTorch, eager, from the same calls and weights; its build only reads the weights",
    reads: "one copy",
    devices: ["cpu", "cuda"],
    prepare: () => pythonProgram("pytorch_contestant.py"),
  },
  {
    name: "pywebnn",
    title: "pywebnn, WebNN for Python on the same ONNX Runtime, its own number of threads",
    reads: "read_tensor(tensor) into a new array, then one copy",
    devices: ["cpu"],
    onlyByName: "it is up to 200 times slower on small graphs, so a full report would take hours",
    prepare: async ({ library }) => [...await pythonProgram("pywebnn_contestant.py"), library],
  },
];

/** Whether a contestant takes part by default on a device. */
export function takesPart({ always, devices, onlyByName }: Contestant, device: string): boolean {
  if (onlyByName !== undefined) return false;
  return always === undefined ? devices === "any" || devices.includes(device) : always !== device;
}

/** The contestants that do not take part by default and are not present, with the reason. */
export function absentees(present: readonly string[]): { readonly name: string; readonly reason: string }[] {
  const unnamed = contestants.flatMap(({ name, onlyByName }) =>
    onlyByName === undefined || present.includes(name)
      ? []
      : [{ name, reason: `${onlyByName}; request it with --against` }]
  );
  return [{ name: "litert", reason: NO_LITERT }, ...unnamed];
}

const NO_LITERT =
  "LiteRT reads only .tflite files, and no tool converts these graphs without changing their layout and " +
  "operators; as Chromium's engine, it is measured in chromium";

/**
 * A program for the Python of the environment that baselines/python/make_venv.py creates.
 * @param file its path from the folder baselines/python
 */
export async function pythonProgram(file: string): Promise<readonly string[]> {
  const folder = Deno.env.get("WEBNN_BENCH_PYTHON") || join(homedir(), ".cache", "webnn-bench-python");
  const python = join(folder, Deno.build.os === "windows" ? "Scripts/python.exe" : "bin/python");
  await Deno.stat(python).catch(() => {
    throw new Error("not installed: run bench/baselines/python/make_venv.py");
  });
  return [python, program(`python/${file}`)];
}

function denoProgram(file: string): Promise<readonly string[]> {
  return Promise.resolve([Deno.execPath(), "run", "--allow-all", "--no-check", "--quiet", program(file)]);
}

async function compileC({ folder, library }: Workplace): Promise<readonly string[]> {
  return [await compileProgram("c/onnxruntime.c", join(folder, "onnxruntime"), ["-O2", "-ldl"]), library];
}

/**
 * Compiles a program of POSIX and C11.
 * @param source its path from the folder baselines
 * @returns the path of the program
 */
export async function compileProgram(source: string, file: string, flags: readonly string[]): Promise<string> {
  if (Deno.build.os === "windows") throw new Error("the C program needs POSIX");
  if (compiler === null) throw new Error(withoutCompiler.trim());
  const warnings = ["-std=c11", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-Werror"];
  const args = [...warnings, "-o", file, program(source), ...flags];
  const { success, stderr } = await new Deno.Command(compiler, { args }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return file;
}

function program(file: string): string {
  return fileURLToPath(new URL(`../baselines/${file}`, import.meta.url));
}
