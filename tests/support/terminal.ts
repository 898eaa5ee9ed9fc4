/** Runs the command line in this process, and captures its output. */
import { runProgram } from "../../cli/program.ts";

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
    colors: false,
    write: (text) => void (stdout += text),
    writeError: (text) => void (stderr += text),
    progress: () => {},
    onInterrupt: () => ({ [Symbol.dispose]: () => {} }),
  });
  return { status, stdout, stderr };
}
