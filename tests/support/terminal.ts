/** Runs the command line in this process, and captures its output. */
import { fileURLToPath } from "node:url";
import { runProgram } from "../../cli/program.ts";
import type { Terminal } from "../../cli/terminal.ts";

/** A terminal that discards all output. */
export const SILENT: Terminal = {
  colors: false,
  write: () => {},
  writeError: () => {},
  progress: () => {},
  onInterrupt: () => ({ [Symbol.dispose]: () => {} }),
};

/** The result of a command line. */
export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line of `webnn`, as if output were not a terminal. */
export async function webnn(...args: readonly string[]): Promise<Outcome> {
  let [stdout, stderr] = ["", ""];
  const status = await runProgram(args, {
    ...SILENT,
    write: (text) => void (stdout += text),
    writeError: (text) => void (stderr += text),
  });
  return { status, stdout, stderr };
}

/** The program's main module. */
export const MAIN: string = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));

/** Starts the command line in its own process. */
export function spawnWebnn(
  args: readonly string[],
  permissions: readonly string[] = ["--allow-all"],
  env: Record<string, string> = {},
): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "--no-prompt", ...permissions, MAIN, ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env,
  }).spawn();
}

/** Waits for the end of such a process. */
export async function outcomeOf(child: Deno.ChildProcess): Promise<Outcome> {
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { status: code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
