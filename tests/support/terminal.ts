/** The command line in this process, and what it prints. */
import { runProgram } from "../../cli/program.ts";

/** What a command line did. */
export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Carries out a command line of `webnn`, as if no person looked on. */
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
