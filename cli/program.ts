/**
 * The program: which command is meant, its result, and the status that the process ends with.
 *
 * @module
 */
import { type Command, COMMON_OPTIONS, helpOf, parseCommandLine, type Result } from "./command.ts";
import { COMMANDS } from "./commands/commands.ts";
import config from "./deno.json" with { type: "json" };
import { messageOf, UsageError } from "./errors.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Carries out a command line.
 * @returns the status: 0 if all is well, 1 if it could not be done, 2 if the command line is wrong. Of an error one line
 * is written to the terminal's standard error
 */
export async function runProgram(args: readonly string[], terminal: Terminal): Promise<number> {
  const command = COMMANDS.find(({ name }) => name === args[0]);
  try {
    const { text, failure } = command ? await runCommand(command, args.slice(1), terminal) : answer(args);
    terminal.progress();
    if (text !== "") terminal.write(`${text}\n`);
    if (failure === undefined) return 0;
    terminal.writeError(`webnn ${command?.name}: ${failure}\n`);
    return 1;
  } catch (error) {
    // Whoever reads the output has seen enough, as `head` does.
    if (error instanceof Deno.errors.BrokenPipe) return 0;
    terminal.progress();
    terminal.writeError(`${["webnn", command?.name].filter(Boolean).join(" ")}: ${messageOf(error)}\n`);
    if (args.includes("--debug")) terminal.writeError(`${Deno.inspect(error)}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

/** What is printed. */
type Answer = Pick<Result, "text" | "failure">;

async function runCommand(command: Command, args: readonly string[], terminal: Terminal): Promise<Answer> {
  const invocation = parseCommandLine(command, args, terminal);
  if (invocation.options.help) return { text: helpOf(command) };
  const result = await command.run(invocation) ?? { text: "", data: undefined };
  if (!invocation.options.json || result.data === undefined) return result;
  return { ...result, text: JSON.stringify(result.data, plainValue, 2) };
}

/** JSON has no BigInt: one that a number holds is a number, a longer one a text. */
function plainValue(_key: string, value: unknown): unknown {
  if (typeof value !== "bigint") return value;
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
}

/** What the program says without a command. */
function answer(args: readonly string[]): Answer {
  const [first] = args;
  if (first === "--help" || first === "-h" || first === "help") return { text: overview() };
  if (first === "--version" || first === "-V") return { text: config.version };
  if (first === undefined) throw new UsageError("which command? webnn --help lists them");
  const what = first.startsWith("-") ? "option" : "command";
  throw new UsageError(`there is no ${what} ${first}; webnn --help lists the commands`);
}

function overview(): string {
  const width = Math.max(...COMMANDS.map(({ name, usage }) => `${name} ${usage}`.length)) + 2;
  const lines = COMMANDS.map(({ name, usage, summary }) => `  ${`${name} ${usage}`.padEnd(width)}${summary}`);
  const common = Object.keys(COMMON_OPTIONS).map((name) => `--${name}`).join(", ");
  return `WebNN on this machine: its devices, and models on them.

Usage: webnn COMMAND [options]

${lines.join("\n")}

webnn COMMAND --help tells more of one; all have ${common}. webnn --version prints the version.
The status is 0 if all is well, 1 if it could not be done, 2 if the command line is wrong, 130 after Ctrl-C.`;
}
