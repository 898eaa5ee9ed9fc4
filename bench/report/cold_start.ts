/**
 * Measures the time from the start of a Deno process to the first result of MobileNetV2. The files are in the system's
 * cache, and the compile cache is filled before the first round that counts.
 *
 * @module
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readLines } from "../baselines/protocol.ts";
import { mobileNetV2, mobileNetV2Weights } from "../support/mobilenetv2.ts";
import { type Spread, spreadOf } from "../../support/statistics.ts";
import { ENVIRONMENT } from "./line_process.ts";
import { formatRatio, table } from "./figures.ts";
import { writeJobFolder } from "./job_folder.ts";

/** The results of a program. */
export interface ColdStart {
  readonly name: string;
  /** In milliseconds, one per round. */
  readonly times: readonly number[];
}

/** This module with a compile cache that contains the graph. */
export const CACHED = "webnn, cached";
/** The same as one file, made by `deno bundle`. */
const BUNDLED = "webnn, cached, bundled";
/** The npm package in Deno, with telemetry turned off. */
export const NODE = "onnxruntime-node";

/** A program and how to start it. */
interface Program {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: Record<string, string>;
}

/** Starts all programs in turn; each round starts with a different one. */
export async function measureColdStart(
  rounds: number,
  progress: (step: string) => void = () => {},
  signal?: AbortSignal,
): Promise<ColdStart[]> {
  const folder = await Deno.makeTempDir();
  try {
    const suite = await mobileNetV2();
    await writeJobFolder(suite, folder);
    const programs = programsIn(folder, await bundle(join(folder, "bundle.js")));
    const times: number[][] = programs.map(() => []);
    for (let round = 0; round <= rounds; round++) {
      progress(`cold start, round ${round} of ${rounds}`);
      for (let turn = 0; turn < programs.length; turn++) {
        signal?.throwIfAborted();
        const i = (turn + round) % programs.length;
        const { milliseconds, result } = await start(programs[i]!);
        suite.check(result);
        if (round > 0) times[i]!.push(milliseconds);
      }
    }
    return programs.map(({ name }, i) => ({ name, times: times[i]! }));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const PROGRAM = pathOf("cold_start_webnn.ts");

function programsIn(folder: string, bundled: string): Program[] {
  const webnn = [PROGRAM, mobileNetV2Weights()];
  const node = [pathOf("cold_start_node.ts"), join(folder, "model.onnx")];
  const { ORT_DISABLE_TELEMETRY: _, ...withTelemetry } = ENVIRONMENT;
  return [
    { name: "webnn", args: webnn, env: ENVIRONMENT },
    { name: CACHED, args: [...webnn, join(folder, "cache")], env: ENVIRONMENT },
    { name: BUNDLED, args: [bundled, mobileNetV2Weights(), join(folder, "cache")], env: ENVIRONMENT },
    { name: NODE, args: node, env: ENVIRONMENT },
    { name: `${NODE}, default telemetry`, args: node, env: withTelemetry },
  ];
}

function pathOf(file: string): string {
  return fileURLToPath(new URL(`../support/${file}`, import.meta.url));
}

/** Bundles the program as docs/cache.md says; returns the path of the bundle. */
async function bundle(path: string): Promise<string> {
  const config = fileURLToPath(new URL("../deno.json", import.meta.url));
  const args = ["bundle", "--quiet", "--minify", "--external", "npm:*", "--config", config, "--output", path, PROGRAM];
  const { success, stderr } = await new Deno.Command(Deno.execPath(), { args, env: ENVIRONMENT }).output();
  if (!success) throw new Error(`deno bundle failed: ${new TextDecoder().decode(stderr)}`);
  return path;
}

/** Measures from the start of a process until it prints its result. */
async function start({ name, args, env }: Program): Promise<{ milliseconds: number; result: Float32Array }> {
  const began = performance.now();
  const { ORT_DISABLE_TELEMETRY: _, ...inherited } = Deno.env.toObject();
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "-A", ...args],
    env: { ...inherited, ...env },
    clearEnv: true,
    stdout: "piped",
    stderr: "inherit",
  });
  await using child = command.spawn();
  let milliseconds = 0;
  let result: number[] = [];
  for await (const line of readLines(child.stdout)) {
    milliseconds = performance.now() - began;
    result = JSON.parse(line);
  }
  if (!(await child.status).success) throw new Error(`the program of ${name} failed`);
  return { milliseconds, result: Float32Array.from(result) };
}

/** The ratios of a program's times to those of `NODE` in the same round. */
export function coldStartRatio(all: readonly ColdStart[], name: string): Spread | undefined {
  const timesOf = (name: string) => all.find((other) => other.name === name)?.times;
  const [own, others] = [timesOf(name), timesOf(NODE)];
  return own && others && spreadOf(own.map((time, round) => time / others[round]!));
}

/** A Markdown table. */
export function coldStartTable(all: readonly ColdStart[]): string {
  const rows = all.map(({ name, times }) => {
    const { median, p25, p75 } = spreadOf(times);
    const range = `${p25.toFixed(0)} – ${p75.toFixed(0)} ms`;
    return [name, formatRatio(coldStartRatio(all, name)), `${median.toFixed(0)} ms`, range];
  });
  return table(["program", `÷ ${NODE}`, "time", "middle half"], rows);
}
