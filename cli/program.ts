/**
 * The main function of the program: runs a command, prints its result, and returns the exit status.
 *
 * @module
 */
import { type Command, COMMON_OPTIONS, helpOf, parseCommandLine, type Result } from "./command.ts";
import { COMMANDS } from "./commands/commands.ts";
import config from "./deno.json" with { type: "json" };
import { messageOf, UsageError } from "./errors.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Runs a command line. An error is one line on the terminal's standard error.
 * @returns the exit status: 0 for success, 1 if the command failed, 2 if the command line is wrong
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
    // The reader of the output has closed the pipe, as `head` does.
    if (error instanceof Deno.errors.BrokenPipe) return 0;
    terminal.progress();
    terminal.writeError(`${["webnn", command?.name].filter(Boolean).join(" ")}: ${messageOf(error)}\n`);
    if (args.includes("--debug")) terminal.writeError(`${Deno.inspect(error)}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

/** The output of the program. */
type Answer = Pick<Result, "text" | "failure">;

async function runCommand(command: Command, args: readonly string[], terminal: Terminal): Promise<Answer> {
  const invocation = parseCommandLine(command, args, terminal);
  if (invocation.options.help) return { text: helpOf(command) };
  const result = await command.run(invocation) ?? { text: "", data: undefined };
  if (!invocation.options.json || result.data === undefined) return result;
  return { ...result, text: JSON.stringify(result.data, plainValue, 2) };
}

/** JSON has no BigInt: writes a number if it is exact, otherwise a string. */
function plainValue(_key: string, value: unknown): unknown {
  if (typeof value !== "bigint") return value;
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
}

/** The output without a command. */
function answer(args: readonly string[]): Answer {
  const [first] = args;
  if (first === "--help" || first === "-h" || first === "help") return { text: overview() };
  if (first === "--version" || first === "-V") return { text: config.version };
  if (first === undefined) throw new UsageError("the command is missing; webnn --help lists the commands");
  const what = first.startsWith("-") ? "option" : "command";
  throw new UsageError(`unknown ${what} ${first}; webnn --help lists the commands`);
}

function overview(): string {
  const width = Math.max(...COMMANDS.map(({ name, usage }) => `${name} ${usage}`.length)) + 2;
  const lines = COMMANDS.map(({ name, usage, summary }) => `  ${`${name} ${usage}`.padEnd(width)}${summary}`);
  const common = Object.keys(COMMON_OPTIONS).map((name) => `--${name}`).join(", ");
  return `Lists the devices for WebNN on this machine, and works with models on them.

Usage: webnn COMMAND [options]

${lines.join("\n")}

webnn COMMAND --help describes a command. All commands have ${common}. webnn --version prints the version.
The exit status is 0 for success, 1 if the command failed, 2 if the command line is wrong, 130 after Ctrl-C.`;
}
