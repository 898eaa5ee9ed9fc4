/** Runs programs in Deno processes of their own. */
import { fileURLToPath } from "node:url";

/** How the program ended, and what it printed. */
export interface Ending {
  readonly code: number;
  readonly signal: Deno.Signal | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `program` with Deno's `flags`, and waits until it ends. */
export async function runChild(
  program: URL,
  args: readonly string[] = [],
  flags: readonly string[] = ["--allow-ffi"],
  env: Record<string, string> = {},
): Promise<Ending> {
  const file = fileURLToPath(program);
  const command = new Deno.Command(Deno.execPath(), { args: ["run", "--quiet", ...flags, file, ...args], env });
  const { code, signal, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { code, signal, stdout: decoder.decode(stdout).trim(), stderr: decoder.decode(stderr) };
}
