/**
 * Commands: their names, options, help, and the parsing of their command lines.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { UsageError } from "./errors.ts";
import type { Terminal } from "./terminal.ts";

/** One option of a command. */
export interface OptionRow {
  /** An option without a value, with one value, or with a list of values: `--input A --input B`. */
  readonly kind: "flag" | "text" | "list";
  /** The placeholder of the value in the help, such as `FILE`. */
  readonly value?: string;
  /** The letter of the short form, such as `o` for `-o`. */
  readonly short?: string;
  /** The help text; it may have several lines. */
  readonly help: string;
}

/** The options of a command by name. */
export type Options = Readonly<Record<string, OptionRow>>;

/** The values of options. An option that is not given is false, undefined, or an empty list. */
export type Values<O extends Options> = {
  readonly [Name in keyof O]: O[Name]["kind"] extends "flag" ? boolean
    : O[Name]["kind"] extends "list" ? readonly string[]
    : string | undefined;
};

/** A parsed command line. */
export interface Invocation<O extends Options = Options> {
  /** The positional arguments. */
  readonly args: readonly string[];
  readonly options: Values<O>;
  readonly terminal: Terminal;
}

/** The result of a command. */
export interface Result {
  /** What `--json` prints. */
  readonly data: unknown;
  /** What is printed without `--json`; a line feed is added. If it is empty, nothing is printed. */
  readonly text: string;
  /** What failed, for standard error. If set, the exit status is 1, otherwise 0. */
  readonly failure?: string;
}

/** A command of the program. */
export interface Command {
  readonly name: string;
  /** What it does, in a few words. */
  readonly summary: string;
  /** The positional arguments, such as `MODEL`; empty if there are none. */
  readonly usage: string;
  /** The text of `--help` above the options; lines have at most 120 characters. */
  readonly help: string;
  /** Its options, without those that all commands have. */
  readonly options: Options;
  /**
   * Runs the command.
   * @returns what to print; nothing if the command has already printed everything
   * @throws {UsageError} if the command line is wrong; another error if the command fails
   */
  run(invocation: Invocation): Promise<Result | void>;
}

/** Defines a command; `run` gets its options with their types. */
export function command<const O extends Options>(
  parts: Omit<Command, "options" | "run"> & {
    readonly options: O;
    run(invocation: Invocation<O & typeof COMMON_OPTIONS>): Promise<Result | void>;
  },
): Command {
  return parts as unknown as Command;
}

/** The options of every command. */
export const COMMON_OPTIONS = {
  json: { kind: "flag", help: "prints the result as JSON" },
  debug: { kind: "flag", help: "prints the stack trace of an error" },
  help: { kind: "flag", short: "h", help: "prints this text" },
} as const satisfies Options;

/** Parses the arguments of a command. */
export function parseCommandLine({ name, options }: Command, args: readonly string[], terminal: Terminal): Invocation {
  const rows = Object.entries<OptionRow>({ ...options, ...COMMON_OPTIONS });
  const ofKind = (...kinds: OptionRow["kind"][]) =>
    rows.filter(([, row]) => kinds.includes(row.kind)).map(([key]) => key);
  const shorts = rows.flatMap(([key, { short }]) => short === undefined ? [] : [[key, short]]);
  const { _: positional, ...values } = parseArgs(args, {
    string: ["_", ...ofKind("text", "list")],
    boolean: ofKind("flag"),
    collect: ofKind("list"),
    alias: Object.fromEntries(shorts),
    unknown: (arg, option) => option === undefined || refuseOption(name, arg),
  }) as unknown as { _: string[] } & Record<string, unknown>;
  for (const [key, { kind, value = "VALUE" }] of rows) {
    if (kind === "flag") continue;
    const given = [values[key] ?? []].flat();
    if (given.includes("")) throw new UsageError(`--${key} needs a value: --${key} ${value}`);
    if (kind === "text" && given.length > 1) throw new UsageError(`--${key} is given twice`);
  }
  return { args: positional, options: values as Values<Options>, terminal };
}

function refuseOption(command: string, arg: string): never {
  throw new UsageError(`unknown option ${arg.replace(/=.*/s, "")}; webnn ${command} --help lists the options`);
}

/** Returns the only argument of a command. */
export function onlyArgument({ args }: Pick<Invocation, "args">, name: string): string {
  const [first, second] = args;
  if (first === undefined || first === "") throw new UsageError(`${name} is missing`);
  if (second !== undefined) {
    throw new UsageError(`give only one ${name}: ${JSON.stringify(second)} is one too many`);
  }
  return first;
}

/** Rejects all arguments. */
export function noArguments({ args }: Pick<Invocation, "args">): void {
  if (args.length > 0) throw new UsageError(`the command takes no arguments, but got ${JSON.stringify(args[0])}`);
}

/** Parses the value of an option that must be a positive integer. */
export function positiveInteger(text: string, option: string): number {
  const value = /^[1-9]\d*$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(value)) {
    throw new UsageError(`${option} must be a positive integer, not ${JSON.stringify(text)}`);
  }
  return value;
}

/** Splits `NAME=VALUE` at the first `=`. */
export function namedValue(text: string, option: string, value: string): [name: string, value: string] {
  const at = text.indexOf("=");
  if (at < 1 || at === text.length - 1) {
    throw new UsageError(`${option} must be NAME=${value}, not ${JSON.stringify(text)}`);
  }
  return [text.slice(0, at), text.slice(at + 1)];
}

/** The output of `webnn COMMAND --help`. */
export function helpOf({ name, summary, usage, help, options }: Command): string {
  const rows = Object.entries<OptionRow>({ ...options, ...COMMON_OPTIONS }).map(([key, row]) => {
    const { kind, value = "VALUE", short, help } = row;
    const option = `${short === undefined ? "" : `-${short}, `}--${key}${kind === "flag" ? "" : ` ${value}`}`;
    return { option, lines: help.split("\n") };
  });
  const width = Math.max(...rows.map(({ option }) => option.length)) + 2;
  const lines = rows.flatMap(({ option, lines }) =>
    lines.map((line, i) => `  ${(i === 0 ? option : "").padEnd(width)}${line}`)
  );
  const sections = [
    `${summary}.`,
    `Usage: webnn ${[name, usage, "[options]"].filter(Boolean).join(" ")}`,
    help,
    lines.join("\n"),
  ];
  return sections.filter(Boolean).join("\n\n");
}
