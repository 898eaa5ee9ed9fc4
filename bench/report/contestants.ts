/**
 * Who can take part, and how each is started.
 *
 * @module
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compiler, withoutCompiler } from "../../tests/support/c_compiler.ts";

/** Where a contestant is built, and from what. */
export interface Workplace {
  /** A folder for what is built. */
  readonly folder: string;
  /** The path of ONNX Runtime's library. */
  readonly library: string;
}

/** Someone who does the work of a suite. */
export interface Contestant {
  readonly name: string;
  /** What it is. */
  readonly title: string;
  /** How an output comes into the buffer. */
  readonly reads: string;
  /** Makes the command line to which the arguments of the protocol are appended. Throws where that cannot be. */
  prepare(workplace: Workplace): Promise<readonly string[]>;
}

/** This module; it always takes part. */
export const WEBNN = "webnn";
/** The contestant that the others are measured against, where it takes part. */
export const REFERENCE = "c";

/** All contestants. */
export const contestants: readonly Contestant[] = [
  {
    name: WEBNN,
    title: "WebNN in Deno, this module",
    reads: "readTensor(tensor, buffer): one copy",
    prepare: () => denoProgram("webnn.ts"),
  },
  {
    name: REFERENCE,
    title: "ONNX Runtime called from C, with the session options of this module",
    reads: "one copy",
    prepare: compileC,
  },
  {
    name: "onnxruntime-node",
    title: "npm onnxruntime-node in Deno, default options",
    reads: "the run writes into the buffer: no copy",
    prepare: () => denoProgram("onnxruntime_node.ts"),
  },
  {
    name: "onnxruntime-web",
    title: "npm onnxruntime-web in Deno, WebAssembly",
    reads: "a new array for each run, then one copy",
    prepare: () => denoProgram("onnxruntime_web.ts"),
  },
];

function denoProgram(file: string): Promise<readonly string[]> {
  return Promise.resolve([Deno.execPath(), "run", "--allow-all", "--no-check", "--quiet", program(file)]);
}

async function compileC({ folder, library }: Workplace): Promise<readonly string[]> {
  if (Deno.build.os === "windows") throw new Error("the C program opens its library as POSIX has it");
  if (compiler === null) throw new Error(withoutCompiler.trim());
  const file = join(folder, "onnxruntime");
  const flags = ["-std=c11", "-D_POSIX_C_SOURCE=200809L", "-O2", "-Wall", "-Wextra", "-Werror"];
  const args = [...flags, "-o", file, program("c/onnxruntime.c"), "-ldl"];
  const { success, stderr } = await new Deno.Command(compiler, { args }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return [file, library];
}

function program(file: string): string {
  return fileURLToPath(new URL(`../baselines/${file}`, import.meta.url));
}
